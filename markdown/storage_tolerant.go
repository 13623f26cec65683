package markdown

import (
	"fmt"
	"strings"
)

// faults is what a tolerant reading keeps in mind. The methods may be called on
// nil, which is a strict one.
type faults struct {
	open map[string]int  // how many elements of a name are open
	lack map[string]bool // what starts of sections have no end in all the rest
}

// readTolerantly reads source that is no XML, so that the text survives: a mark
// that cannot be read is text, an end without a start is skipped, and a start
// without an end lasts as long as what is around it.
func readTolerantly(source string, w *warnings) *element {
	// Space exports break up the end of a CDATA section this way.
	source = strings.ReplaceAll(source, "]] >", "]]>")
	x := xmlReader{elementBuilder: newElementBuilder(w), source: source, faults: &faults{open: map[string]int{}, lack: map[string]bool{}}}
	for x.at < len(source) {
		from := x.at
		if x.markup() == nil {
			continue
		}
		if content, cdata := strings.CutPrefix(source[from:], "<![CDATA["); cdata { // in which nothing is a mark
			x.write(normalLines(content))
			break
		}
		x.write(source[from : from+1])
		x.at = from + 1
	}
	return x.done()
}

// endless tells whether a section of this kind is known to have no end: looking
// again for each would take the square of the source's length.
func (f *faults) endless(start string) bool { return f != nil && f.lack[start] }

func (f *faults) noEnd(start string) error {
	if f != nil {
		f.lack[start] = true
	}
	return fmt.Errorf("%s has no end", start)
}

func (x *xmlReader) startTolerantly(name string, empty bool) {
	x.start(name, x.found)
	if empty || voidElement(name) {
		x.end()
		return
	}
	x.faults.open[name]++
}

// endNearest closes the innermost element of a name and what is open in it.
func (x *xmlReader) endNearest(name string) {
	for x.faults.open[name] > 0 {
		last := x.tags[len(x.tags)-1].name
		x.faults.open[last]--
		x.end()
		if last == name {
			return
		}
	}
}

// bareValue reads the value of an attribute that has no quotes, or, as HTML
// allows for some, no value at all.
func (x *xmlReader) bareValue(a *attribute, equal bool) bool {
	if !equal {
		a.value = a.local
		return switches(a.local)
	}
	rest := x.source[x.at:]
	end := strings.IndexAny(rest, " \t\r\n<>\"'=`")
	if end <= 0 || strings.IndexByte(" \t\r\n>", rest[end]) < 0 {
		return false
	}
	a.value = x.dereferenced(rest[:end])
	x.at += end
	return true
}

// switches tells the attributes of HTML that say all by being there. Any other
// word in a tag is more likely a word of the text.
func switches(name string) bool {
	switch name {
	case "async", "autoplay", "checked", "compact", "controls", "default", "defer", "disabled", "hidden", "loop", "multiple", "muted", "nohref",
		"noshade", "novalidate", "nowrap", "open", "readonly", "required", "reversed", "selected", "allowfullscreen":
		return true
	}
	return false
}

// voidElement tells the elements that never have an end in HTML.
func voidElement(name string) bool {
	switch name {
	case "br", "hr", "img", "col", "wbr", "input", "meta", "link", "area", "base", "param", "source", "track":
		return true
	}
	return false
}
