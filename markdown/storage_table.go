package markdown

import (
	"strconv"
	"strings"
)

// tableElement reads a table: its caption comes before it, and its rows,
// wherever they are nested, in one sequence.
func (s *storage) tableElement(e *element, st style) {
	s.end()
	for _, child := range e.children {
		if child.name == "caption" {
			s.element(child, st)
		}
	}
	s.within(&block{kind: table}, func() { s.rows(e, st) })
}

func (s *storage) rows(e *element, st style) {
	for _, child := range e.children {
		switch child.name {
		case "thead", "tbody", "tfoot":
			s.rows(child, st)
		case "tr":
			s.rowElement(child, st)
		case "td", "th":
			s.within(&block{kind: row}, func() { s.cellElement(child, st) })
		case "caption", "col", "colgroup":
		default:
			if child.name != "" || strings.TrimSpace(child.text) != "" {
				s.looseCell(child, st)
			}
		}
	}
}

func (s *storage) rowElement(e *element, st style) {
	s.within(&block{kind: row}, func() {
		for _, child := range e.children {
			switch {
			case child.name == "td" || child.name == "th":
				s.cellElement(child, st)
			case child.name != "" || strings.TrimSpace(child.text) != "":
				s.within(newCell(), func() { s.element(child, st) })
			}
		}
	})
}

// looseCell keeps what stands in a table outside its rows.
func (s *storage) looseCell(e *element, st style) {
	s.within(&block{kind: row}, func() { s.within(newCell(), func() { s.element(e, st) }) })
}

func newCell() *block { return &block{kind: cell, colspan: 1, rowspan: 1} }

func (s *storage) cellElement(e *element, st style) {
	c := &block{kind: cell, header: e.name == "th", colspan: spanOf(e.attr("colspan")), rowspan: spanOf(e.attr("rowspan"))}
	s.within(c, func() { s.walk(e, s.styled(e, st)) })
}

// spanOf reads how many columns or rows a cell covers; 1 if that is no number.
func spanOf(s string) int {
	if s == "" {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 1
	}
	return min(max(n, 1), maxSpan)
}
