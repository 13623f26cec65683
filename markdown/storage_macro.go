package markdown

import "strings"

// macroElement reads ac:structured-macro and its predecessor ac:macro.
func (s *storage) macroElement(e *element, st style) {
	m := &macro{name: e.attr("name")}
	for _, child := range e.children {
		switch child.name {
		case "ac:parameter", "ac:default-parameter":
			m.params = append(m.params, s.parameter(child))
		case "ac:plain-text-body":
			m.plain, m.coded = m.plain+s.codeText(child), true
		case "ac:rich-text-body":
			before := m.body // a second body is no valid page, but its text counts
			m.body = func(st style) {
				if before != nil {
					before(st)
				}
				s.walk(child, st)
			}
		}
	}
	s.flow.macro(m, st)
	for _, child := range e.children {
		if stray(child) {
			s.element(child, st)
		}
	}
}

// stray tells what does not belong inside a macro, such as what a broken end
// tag has left there.
func stray(e *element) bool {
	switch e.name {
	case "ac:parameter", "ac:default-parameter", "ac:plain-text-body", "ac:rich-text-body":
		return false
	case "":
		return strings.TrimSpace(e.text) != ""
	}
	return true
}

// parameter reads a parameter, which is a text or names something.
func (s *storage) parameter(e *element) param {
	p := param{name: e.attr("name")}
	for _, child := range e.children {
		if child.name == "ac:link" {
			for _, inner := range child.children {
				if t := resource(inner); t != nil {
					p.target = t
				}
			}
		} else if t := resource(child); t != nil {
			p.target = t
		}
	}
	if p.target == nil {
		p.text = strings.TrimSpace(s.codeText(e))
	} else {
		p.text = strings.TrimSpace(e.innerText())
	}
	return p
}
