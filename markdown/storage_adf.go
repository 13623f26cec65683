package markdown

import "strings"

// adfExtension is ADF inside storage format: what storage format has no element
// for, mostly with a fallback copy, of which one must show.
func (s *storage) adfExtension(e *element, st style) {
	known := false
	for _, child := range e.children {
		if child.name == "ac:adf-node" && s.adfNode(child, st) {
			known = true
		}
	}
	if known {
		return
	}
	for _, child := range e.children {
		switch child.name {
		case "ac:adf-fallback":
			s.walk(child, st)
			return
		}
	}
	for _, child := range e.children {
		switch child.name {
		case "ac:adf-node":
			s.add(Unsupported, firstOf(child.attr("type"), child.name), "an unknown ADF node was left out and its content kept")
			s.adfContent(child, st)
		case "ac:adf-mark", "ac:adf-fragment-mark", "ac:adf-fragment-mark-detail", "ac:adf-attribute":
		default:
			s.element(child, st)
		}
	}
}

// adfNode writes a node of a known type.
func (s *storage) adfNode(e *element, st style) bool {
	content := func(st style) { s.adfContent(e, st) }
	switch e.attr("type") {
	case "panel":
		s.panel(panelKind(adfAttribute(e, "panel-type")), "", content, st)
	case "expand", "nested-expand":
		s.titled(adfAttribute(e, "title"), content, st)
	case "decision-list":
		s.within(&block{kind: list}, func() { content(st) })
	case "decision-item":
		it := &block{kind: item}
		if adfAttribute(e, "state") == "DECIDED" {
			it.state = decided
		}
		if e.child("ac:adf-content") != nil { // an item that was never filled in shows nothing
			s.within(it, func() { content(st) })
		}
	default:
		return false
	}
	return true
}

// adfContent walks what a node holds.
func (s *storage) adfContent(e *element, st style) {
	for _, child := range e.children {
		switch child.name {
		case "ac:adf-attribute", "ac:adf-mark":
		case "ac:adf-content":
			s.adfContent(child, st)
		case "ac:adf-node":
			if !s.adfNode(child, st) {
				s.add(Unsupported, firstOf(child.attr("type"), child.name), "an unknown ADF node was left out and its content kept")
				s.adfContent(child, st)
			}
		default:
			s.element(child, st)
		}
	}
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
