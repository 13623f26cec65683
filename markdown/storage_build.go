package markdown

import "strings"

// readElements reads the source as XML, or, if it is none, tolerantly.
func readElements(source string, w *warnings) *element {
	source = cleanSource(strings.TrimPrefix(source, "\uFEFF"), w)
	var found warnings // which a reading in vain does not count
	root, err := readXML(source, &found)
	if err == nil {
		w.addAll(found)
		return root
	}
	w.add(Malformed, "", "the storage format is not well-formed XML ("+cut(err.Error(), 120)+") and was read tolerantly")
	return readTolerantly(source, w)
}

// elementBuilder nests elements, both for the strict reader and the tolerant.
type elementBuilder struct {
	*warnings
	tags []tag        // the start tags whose end has not been read
	open []unfinished // the open elements, root first, at most maxElementDepth
	read []*element   // the children of all open elements, those of the root first
	deep bool         // whether some nest beyond the limit
	// What is kept comes in large pieces, since there is so much of it.
	elements slab[element]
	children slab[*element]
	attrs    slab[attribute]
}

// tag is a start tag. One that is not counted has no element among the open: what
// stands in it is content of the element around.
type tag struct {
	name    string
	counted bool
}

// unfinished is an element whose end has not been read.
type unfinished struct {
	*element
	from int // where its children begin in what has been read
}

func newElementBuilder(w *warnings) *elementBuilder {
	return &elementBuilder{warnings: w, open: []unfinished{{element: &element{name: "body"}}}}
}

// child adds to the innermost open element.
func (b *elementBuilder) child(e element) *element {
	made := &b.elements.take(1)[0]
	*made = e
	b.read = append(b.read, made)
	return made
}

// start opens an element. It keeps a copy of the attributes.
func (b *elementBuilder) start(name string, attrs []attribute) {
	kept := b.attrs.take(len(attrs))
	copy(kept, attrs)
	e := b.child(element{name: name, attrs: kept})
	counted := len(b.open) < maxElementDepth
	if counted {
		b.open = append(b.open, unfinished{e, len(b.read)})
	} else {
		b.deep = true
	}
	b.tags = append(b.tags, tag{name, counted})
}

// end closes the innermost start tag.
func (b *elementBuilder) end() {
	last := b.tags[len(b.tags)-1]
	b.tags = b.tags[:len(b.tags)-1]
	if last.counted {
		b.finish()
	}
}

// literal writes a tag as text: one that is no element of storage format is most
// likely text that somebody forgot to escape, such as List<String>.
func (b *elementBuilder) literal(name, source string) {
	b.add(Malformed, name, "a tag that is no element of storage format was read as text")
	b.write(source)
}

func (b *elementBuilder) finish() {
	last := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	last.children = b.children.take(len(b.read) - last.from)
	copy(last.children, b.read[last.from:])
	b.read = b.read[:last.from]
}

func (b *elementBuilder) write(text string) {
	if text == "" {
		return
	}
	if n := len(b.read); n > b.open[len(b.open)-1].from {
		if last := b.read[n-1]; last.name == "" && len(last.text) < 1<<10 {
			last.text += text
			return
		}
	}
	b.child(element{text: text})
}

// done returns what was read.
func (b *elementBuilder) done() *element {
	if b.deep {
		b.add(LimitExceeded, "nesting", "elements nested too deep were read as text of the one at the limit")
	}
	root := b.open[0].element
	for len(b.open) > 0 {
		b.finish()
	}
	return root
}

// slab hands out parts of arrays, each twice as large as the one before up to a
// limit.
type slab[T any] struct {
	free []T
	size int
}

func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.size = min(2*s.size+8, 128)
		s.free = make([]T, max(n, s.size))
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}
