package markdown

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// element is a node of the XML: an element, or, without a name, a text.
type element struct {
	name     string // with its prefix, as ac:link
	text     string
	attrs    []xml.Attr
	children []*element
}

// maxElementDepth bounds how deep elements nest. The content of deeper ones counts
// as content of the one at the limit.
const maxElementDepth = 200

// attr returns an attribute by its name without prefix, which old pages and
// hand-made ones now and then lack.
func (e *element) attr(local string) string {
	for i := range e.attrs {
		if e.attrs[i].Name.Local == local {
			return e.attrs[i].Value
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

// readElements reads the source as XML, or, if it is none, tolerantly.
func readElements(source string, w *warnings) *element {
	source = cleanSource(strings.TrimPrefix(source, "\uFEFF"), w)
	root, err := readXML(source, w)
	if err == nil {
		return root
	}
	w.add(Malformed, "", "the storage format is not well-formed XML ("+cut(err.Error(), 120)+") and was read tolerantly")
	return readTolerantly(source, w)
}

// cleanSource takes out what can be in no XML: broken UTF-8, control characters.
func cleanSource(source string, w *warnings) string {
	if utf8.ValidString(source) && allText(source) {
		return source
	}
	w.add(CharactersReplaced, "", "bytes that are no text were replaced")
	return strings.Map(func(r rune) rune {
		if noText(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(source, "\uFFFD"))
}

// elementBuilder nests elements, both for the strict reader and the tolerant.
type elementBuilder struct {
	root  *element
	stack []*element // the open elements, root first, at most maxElementDepth
	names []string   // the names of all open elements
	deep  bool       // whether some nest beyond the limit
	free  []element  // made in numbers, since there are so many
}

func newElementBuilder() *elementBuilder {
	root := &element{name: "body"}
	return &elementBuilder{root: root, stack: []*element{root}}
}

func (b *elementBuilder) element(e element) *element {
	if len(b.free) == 0 {
		b.free = make([]element, 16)
	}
	b.free[0] = e
	made := &b.free[0]
	b.free = b.free[1:]
	return made
}

func (b *elementBuilder) top() *element { return b.stack[len(b.stack)-1] }

func (b *elementBuilder) start(name string, attrs []xml.Attr) {
	e := b.element(element{name: name, attrs: attrs})
	b.top().children = append(b.top().children, e)
	b.names = append(b.names, name)
	if len(b.stack) < maxElementDepth {
		b.stack = append(b.stack, e)
	} else {
		b.deep = true
	}
}

// done returns what was read.
func (b *elementBuilder) done(w *warnings) *element {
	if b.deep {
		w.add(LimitExceeded, "nesting", "elements nested too deep were read as text of the one at the limit")
	}
	return b.root
}

// end closes the innermost element.
func (b *elementBuilder) end() {
	b.names = b.names[:len(b.names)-1]
	if len(b.names) < len(b.stack)-1 {
		b.stack = b.stack[:len(b.stack)-1]
	}
}

func (b *elementBuilder) write(text string) {
	top := b.top()
	if n := len(top.children); n > 0 && top.children[n-1].name == "" && len(top.children[n-1].text) < 1<<10 {
		top.children[n-1].text += text
		return
	}
	top.children = append(top.children, b.element(element{text: text}))
}

// readXML reads well-formed XML with the entity names of HTML. Prefixes need no
// declaration, several roots are fine, unknown entities stay as they are
// written, and a document type is skipped, so nothing is ever loaded or
// expanded.
func readXML(source string, w *warnings) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(source))
	d.Strict = false // for unknown entities alone: nesting is checked below
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // it is UTF-8, whatever it says
	names := make(map[xml.Name]string)
	b := newElementBuilder()
	for {
		from := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			b.start(fullName(names, token.Name), token.Attr)
		case xml.EndElement:
			name := fullName(names, token.Name)
			if len(b.names) == 0 || b.names[len(b.names)-1] != name {
				line, column := d.InputPos()
				return nil, fmt.Errorf("line %d, column %d: unexpected end of %s", line, column, cut(name, 40))
			}
			b.end()
		case xml.CharData:
			text := source[from:d.InputOffset()]
			if strings.ContainsAny(text, "<&\r") { // there is something to read in it
				text = string(token)
			}
			b.write(text)
		}
	}
	if len(b.names) > 0 {
		return nil, fmt.Errorf("%s is not closed", cut(b.names[len(b.names)-1], 40))
	}
	return b.done(w), nil
}

// fullName joins prefix and name, once for each pair.
func fullName(names map[xml.Name]string, n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	full, ok := names[n]
	if !ok {
		full = n.Space + ":" + n.Local
		names[n] = full
	}
	return full
}
