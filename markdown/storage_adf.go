package markdown

import "strings"

// adfExtension is ADF inside storage format: what storage format has no element
// for, mostly with a fallback copy, of which one must show.
func (s *storage) adfExtension(e *element, st style) {
	fallback := e.child("ac:adf-fallback")
	for _, child := range e.children {
		if fallback != nil && child.name == "ac:adf-node" && adfVisitor(child) == nil {
			s.walk(fallback, st)
			return
		}
	}
	s.adfContent(e, st)
}

// adfContent walks what an extension or a node holds.
func (s *storage) adfContent(e *element, st style) {
	for _, child := range e.children {
		switch child.name {
		case "ac:adf-node":
			if v := adfVisitor(child); v != nil {
				v(s, child, st)
				continue
			}
			s.add(Unsupported, firstOf(child.attr("type"), child.name), "an unknown ADF node was left out and its content kept")
			s.adfExtension(child, st)
		case "ac:adf-content":
			s.adfContent(child, st)
		case "ac:adf-fallback", "ac:adf-attribute", "ac:adf-mark", "ac:adf-fragment-mark":
		default:
			s.element(child, st)
		}
	}
}

// adfVisitor finds how a node is read, by its type; nil if that is not known.
func adfVisitor(e *element) visit {
	switch e.attr("type") {
	case "panel":
		return func(s *storage, e *element, st style) {
			s.panel(panelKind(adfAttribute(e, "panel-type")), "", func(st style) { s.adfContent(e, st) }, st)
		}
	case "expand", "nested-expand":
		return func(s *storage, e *element, st style) {
			s.titled(adfAttribute(e, "title"), func(st style) { s.adfContent(e, st) }, st)
		}
	case "decision-list":
		return func(s *storage, e *element, st style) {
			s.within(&block{kind: list}, func() { s.adfContent(e, st) })
		}
	case "decision-item":
		return (*storage).decision
	}
	return nil
}

// decision is an item of a decision list. One that was never filled in shows
// nothing.
func (s *storage) decision(e *element, st style) {
	if e.child("ac:adf-content") == nil {
		return
	}
	it := &block{kind: item}
	if adfAttribute(e, "state") == "DECIDED" {
		it.state = decided
	}
	s.within(it, func() { s.adfContent(e, st) })
}

func adfAttribute(e *element, key string) string {
	for _, child := range e.children {
		if child.name == "ac:adf-attribute" && child.attr("key") == key {
			return strings.TrimSpace(child.innerText())
		}
	}
	return ""
}

// adfText is a whole ADF document as text.
func (s *storage) adfText(source string, st style) {
	if err := s.adf(source, st); err != nil {
		s.add(Malformed, "fab:adf", "ADF inside the page cannot be read")
		s.leaf(&block{kind: code, text: source})
	}
}
