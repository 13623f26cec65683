package markdown

import (
	"strconv"
	"strings"
)

// maxNumber is the largest list number that Markdown reads.
const maxNumber = 999_999_999

// listElement reads ul and ol.
func (s *storage) listElement(e *element, st style) {
	l := &block{kind: list}
	if e.name == "ol" {
		l.level = 1
		if start, err := strconv.Atoi(strings.TrimSpace(e.attr("start"))); err == nil {
			l.level = listNumber(start, len(e.children))
		}
	}
	s.within(l, func() { s.walk(e, st) })
}

// listNumber keeps the numbers of a list in what Markdown can write; 0 is the
// tree's mark of a list without numbers.
func listNumber(start, items int) int { return min(max(start, 1), maxNumber-items) }

func (s *storage) itemElement(e *element, st style) {
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
