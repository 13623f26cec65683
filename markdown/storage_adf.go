package markdown

import (
	"slices"
	"strings"
)

// adfExtension is ADF inside storage format: what storage format has no element
// for, mostly with a fallback copy, of which one must show.
func (s *storage) adfExtension(e *element, st style) {
	fallback := e.child("ac:adf-fallback")
	if fallback == nil {
		s.adfContent(e, st)
		return
	}
	for _, child := range e.children {
		if child.name == "ac:adf-node" && adfVisitor(child) == nil {
			s.walk(fallback, st)
			return
		}
	}
	if !adfShows(e) {
		s.walk(fallback, st)
		return
	}
	s.adfContent(e, st)
}

// adfShows tells whether there is anything to see in a node.
func adfShows(e *element) bool {
	return slices.ContainsFunc(e.children, func(child *element) bool {
		switch child.name {
		case "":
			return strings.TrimSpace(child.text) != ""
		case "ac:adf-fallback", "ac:adf-mark", "ac:adf-fragment-mark":
			return false
		case "ac:adf-attribute":
			return child.attr("key") == "title" && !child.empty()
		case "ac:image", "ac:link", "ac:emoticon", "ac:structured-macro", "img", "time", "hr":
			return true
		}
		return adfShows(child)
	})
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
			s.add(Unsupported, firstOf(child.attr("type"), child.name), "an unknown ADF node: only what stands in it is shown")
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
			s.expand(adfAttribute(e, "title"), func(st style) { s.adfContent(e, st) }, st)
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
