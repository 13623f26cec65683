package markdown

import (
	"errors"
	"strconv"
	"strings"
)

// tableElement reads a table, with its caption before it.
func (s *storage) tableElement(e *element, st style) {
	s.end()
	for _, child := range e.children {
		if child.name == "caption" {
			s.element(child, st)
		}
	}
	s.within(&block{kind: table}, func() {
		for _, child := range e.children {
			if child.name != "caption" {
				s.element(child, st)
			}
		}
	})
}

// rowGroup reads a part of a table, which merged cells do not leave.
func (s *storage) rowGroup(e *element, st style) {
	s.end()
	outer := s.head
	s.head = e.name == "thead"
	s.walk(e, st)
	s.head = outer
	s.end()
	if rows := s.parent().blocks; s.parent().kind == table && len(rows) > 0 {
		rows[len(rows)-1].closes = true
	}
}

func (s *storage) cellElement(e *element, st style) {
	c := &block{kind: cell, header: e.name == "th" || s.head, colspan: s.columns(spanOf(e.attr("colspan"))), rowspan: spanOf(e.attr("rowspan"))}
	if e.attr("rowspan") == "0" {
		c.rowspan = maxSpan // to the end of the group
	}
	s.within(c, func() { s.walk(e, s.styled(e, st)) })
}

// columns keeps how many columns a cell covers within the limit.
func (f *flow) columns(n int) int {
	if n > maxSpan {
		f.add(LimitExceeded, "colspan", "a cell that covers too many columns was made narrower")
	}
	return min(max(n, 1), maxSpan)
}

// spanOf reads how many columns or rows a cell covers; 1 if that is no number.
func spanOf(s string) int {
	if s == "" {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil && !errors.Is(err, strconv.ErrRange) { // beyond which n is the largest number
		return 1
	}
	return max(n, 1)
}
