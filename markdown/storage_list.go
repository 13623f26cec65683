package markdown

import (
	"errors"
	"strconv"
	"strings"
)

// maxNumber is the largest list number that Markdown reads.
const maxNumber = 999_999_999

// listElement reads ul and ol.
func (s *storage) listElement(e *element, st style) {
	l := &block{kind: list}
	if e.name == "ol" {
		l.numbered, l.level = true, 1
		if start := strings.TrimSpace(e.attr("start")); start != "" {
			l.level = s.listNumber(start, len(e.children))
		}
		if kind := e.attr("type"); kind != "" && kind != "1" || e.attr("reversed") != "" {
			s.lost("ol")
		}
	}
	s.within(l, func() { s.walk(e, st) })
}

// listNumber reads the first number of a list and keeps it within what Markdown
// can write.
func (f *flow) listNumber(start string, items int) int {
	n, err := strconv.Atoi(start)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		f.add(Malformed, "list", "the first number of a list is none")
		return 1
	}
	number := min(max(n, 0), maxNumber-items)
	if number != n {
		f.add(LimitExceeded, "list", "a list has numbers that Markdown cannot write")
	}
	return number
}

func (s *storage) itemElement(e *element, st style) {
	if e.attr("value") != "" {
		s.lost("li")
	}
	s.within(&block{kind: item}, func() { s.walk(e, s.styled(e, st)) })
}

// taskElement reads a task, whose id and state are elements beside its body.
func (s *storage) taskElement(e *element, st style) {
	it := &block{kind: item, state: open}
	if status := e.child("ac:task-status"); status != nil && strings.TrimSpace(status.innerText()) == "complete" {
		it.state = done
	}
	s.within(it, func() { s.walk(e, st) })
}
