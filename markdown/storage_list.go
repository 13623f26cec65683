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
	s.within(l, func() {
		for _, child := range e.children {
			switch {
			case child.name == "li":
				s.itemElement(child, st)
			case child.empty() && child.name == "":
			default:
				s.intoItem(l, func() { s.element(child, st) })
			}
		}
	})
}

// listNumber keeps the numbers of a list in what Markdown can write; 0 is the
// tree's mark of a list without numbers.
func listNumber(start, items int) int { return min(max(start, 1), maxNumber-items) }

func (s *storage) itemElement(e *element, st style) {
	s.within(&block{kind: item}, func() { s.walk(e, s.styled(e, st)) })
}

// intoItem puts what stands between items, mostly a list right inside a list,
// into the item before it, where browsers show it.
func (f *flow) intoItem(l *block, fill func()) {
	it := &block{kind: item}
	if n := len(l.blocks); n > 0 && f.stack[len(f.stack)-1] == l {
		it = l.blocks[n-1]
		l.blocks = l.blocks[:n-1]
	}
	f.within(it, fill)
}

// strayItem is an item outside a list.
func (s *storage) strayItem(e *element, st style) {
	s.within(&block{kind: list}, func() { s.itemElement(e, st) })
}

// taskList reads tasks, whose ids and states are elements too.
func (s *storage) taskList(e *element, st style) {
	s.within(&block{kind: list}, func() {
		for _, child := range e.children {
			if child.name != "ac:task" {
				s.element(child, st)
				continue
			}
			s.within(&block{kind: item, state: taskState(child)}, func() {
				for _, part := range child.children {
					if part.name == "ac:task-body" {
						s.walk(part, st)
					}
				}
			})
		}
	})
}

func taskState(task *element) state {
	if status := task.child("ac:task-status"); status != nil && strings.TrimSpace(status.innerText()) == "complete" {
		return done
	}
	return open
}
