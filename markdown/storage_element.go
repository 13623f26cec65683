package markdown

import (
	"math"
	"slices"
	"strings"
)

// element is a node of the XML: an element, or, without a name, a text.
type element struct {
	name     string // with its prefix, as ac:link
	text     string
	attrs    []attribute
	children []*element
}

// attribute is one of an element. Its prefix says nothing that its name does not.
type attribute struct{ local, value string }

// maxElementDepth bounds how deep elements nest. The content of deeper ones counts
// as content of the one at the limit.
const maxElementDepth = 200

// attr returns an attribute by its name without prefix, which old pages and
// hand-made ones now and then lack.
func (e *element) attr(local string) string {
	for i := range e.attrs {
		if e.attrs[i].local == local {
			return e.attrs[i].value
		}
	}
	return ""
}

// child returns the first child of one of the names, or nil.
func (e *element) child(names ...string) *element {
	for _, child := range e.children {
		for _, name := range names {
			if child.name == name {
				return child
			}
		}
	}
	return nil
}

// rest returns the children that show something and are no resource and none of
// the named elements: what stands there against the format, and still counts.
func (e *element) rest(names ...string) *element {
	rest := &element{name: e.name}
	for _, child := range e.children {
		blank := child.name == "" && strings.TrimSpace(child.text) == ""
		switch {
		case strings.HasPrefix(child.name, "ri:"):
			rest.children = append(rest.children, child.rest(names...).children...)
		case !blank && !slices.Contains(names, child.name):
			rest.children = append(rest.children, child)
		}
	}
	return rest
}

// empty tells whether the element shows no text and holds no other element.
func (e *element) empty() bool {
	for _, child := range e.children {
		if child.name != "" || strings.TrimSpace(child.text) != "" {
			return false
		}
	}
	return true
}

// inSentence tells whether what stands in the element is part of a sentence,
// rather than a block of its own.
func (e *element) inSentence(outer bool) bool {
	switch e.name {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary", "caption":
		return true
	case "body", "div", "li", "td", "th", "blockquote", "ac:layout-cell", "ac:rich-text-body", "ac:task-body":
		for _, child := range e.children {
			if child.name == "" && strings.TrimSpace(child.text) != "" {
				return true
			}
		}
		return false
	}
	return outer
}

// innerText returns all text in the element, with its blanks.
func (e *element) innerText() string {
	return e.textUpTo(math.MaxInt)
}

// textUpTo returns the text of as many nodes as begin in the first n bytes.
func (e *element) textUpTo(n int) string {
	var b strings.Builder
	e.appendText(&b, n)
	return b.String()
}

func (e *element) appendText(b *strings.Builder, n int) {
	b.WriteString(cut(e.text, n))
	if e.name == "br" {
		b.WriteByte('\n')
	}
	for _, child := range e.children {
		if b.Len() >= n {
			return
		}
		child.appendText(b, n)
	}
}
