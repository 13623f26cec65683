package markdown

import (
	"strconv"
	"strings"
)

// ParseStorage reads a body in storage format. It always returns a document:
// source that is no well-formed XML is read tolerantly, with a warning.
func ParseStorage(source string) *Document {
	f := newFlow()
	s := &storage{flow: f}
	s.walk(readElements(source, &f.warnings), style{})
	return f.document()
}

// storage walks the elements of storage format, which is XHTML with elements of
// Confluence's own.
type storage struct {
	*flow
	head bool // in a table's head, all of whose cells are headers
}

// visit reads one element.
type visit func(*storage, *element, style)

// visitor finds how an element is read: by its name, so that each construct has
// one place. What only groups others, and what is not known, shows its content.
func visitor(name string) visit {
	switch name {
	case "p", "div", "section", "article", "figure", "figcaption", "center", "address", "dl", "dd", "details", "caption", "form",
		"header", "footer", "main", "nav", "aside", "fieldset", "hgroup", "html", "head", "body", "xml", "title",
		"ac:layout", "ac:layout-section", "ac:layout-cell", "ac:caption", "ac:rich-text-body", "ac:task-body", "fab:media-single", "fab:media-group":
		return (*storage).blockElement
	case "dt", "summary":
		return func(s *storage, e *element, st style) { s.blockElement(e, st.with(strong)) }
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return (*storage).headingElement
	case "strong", "b":
		return func(s *storage, e *element, st style) { s.walk(e, st.with(strong)) }
	case "em", "i", "cite", "dfn", "var":
		return func(s *storage, e *element, st style) { s.walk(e, st.with(emphasis)) }
	case "s", "del", "strike":
		return func(s *storage, e *element, st style) { s.walk(e, st.with(strike)) }
	case "code", "tt", "kbd", "samp":
		return func(s *storage, e *element, st style) { s.walk(e, st.with(codeMark)) }
	case "u", "ins", "sub", "sup", "big", "small", "mark", "font":
		return (*storage).lostFormat
	case "abbr", "acronym":
		return (*storage).abbreviation
	case "span", "q", "label", "bdo", "bdi", "ruby", "rt", "rp", "wbr",
		"semantics", "mrow", "mi", "mo", "mn", "mtext", "mstyle", "msup", "msub", "msubsup", "msqrt", "mfrac", "mtable", "mtr",
		"mtd", "annotation", "mspace", "mover", "munder", "munderover", "mroot", "ac:link-body", "ac:plain-text-link-body", "ac:inline-comment-marker":
		return (*storage).inlineElement
	case "math":
		return (*storage).mathElement
	case "br":
		return func(s *storage, _ *element, st style) { s.run(run{kind: breakRun}, st) }
	case "hr":
		return func(s *storage, _ *element, _ style) { s.leaf(&block{kind: rule}) }
	case "pre":
		return (*storage).preElement
	case "blockquote":
		return func(s *storage, e *element, st style) { s.within(&block{kind: quote}, func() { s.walk(e, st) }) }
	case "ul", "ol":
		return (*storage).listElement
	case "li":
		return (*storage).itemElement
	case "ac:task-list":
		return func(s *storage, e *element, st style) { s.within(&block{kind: list}, func() { s.walk(e, st) }) }
	case "ac:task":
		return (*storage).taskElement
	case "table":
		return (*storage).tableElement
	case "thead", "tbody", "tfoot":
		return (*storage).rowGroup
	case "tr":
		return func(s *storage, e *element, st style) { s.within(&block{kind: row}, func() { s.walk(e, st) }) }
	case "td", "th":
		return (*storage).cellElement
	case "a":
		return (*storage).anchorElement
	case "img":
		return (*storage).imgElement
	case "time":
		return (*storage).timeElement
	case "ac:link":
		return (*storage).linkElement
	case "ri:page", "ri:blog-post", "ri:content-entity", "ri:attachment", "ri:space", "ri:user", "ri:url", "ri:shortcut":
		return (*storage).strayResource
	case "ac:image":
		return (*storage).imageElement
	case "fab:media":
		return (*storage).fabMedia
	case "ac:emoticon":
		return func(s *storage, e *element, st style) { s.write(emoji(e), st) }
	case "ac:placeholder":
		return (*storage).placeholder
	case "ac:structured-macro", "ac:macro":
		return (*storage).macroElement
	case "ac:adf-extension":
		return (*storage).adfExtension
	case "fab:adf":
		return func(s *storage, e *element, st style) { s.adfText(e.innerText(), st) }
	case "col", "colgroup", "fab:display-type", "fab:placeholder-url", "ac:parameter", "ac:default-parameter", "ac:task-id", "ac:task-uuid",
		"ac:task-status":
		return func(*storage, *element, style) {} // settings, which a reader does not see
	case "script", "style", "svg", "iframe", "object", "embed", "video", "audio", "canvas", "input", "button", "select", "textarea":
		return (*storage).unshown
	}
	return nil
}

// walk reads the content of an element.
func (s *storage) walk(e *element, st style) {
	outer := s.inline
	defer func() { s.inline = outer }()
	s.inline = e.inSentence(outer)
	var before *element
	for _, child := range e.children {
		if child.name != "span" || !drawnMath(before, child) {
			s.element(child, st)
		}
		before = child
	}
}

func (s *storage) element(e *element, st style) {
	if e.name == "" {
		s.flow.write(e.text, st)
		return
	}
	v := visitor(e.name)
	if v == nil {
		v = visitor(strings.ToLower(e.name)) // as HTML that was pasted has it
	}
	if v != nil {
		v(s, e, st)
		if childless(e.name) {
			s.walk(e, st) // what stands in it against the format
		}
		return
	}
	s.add(Unsupported, e.name, "an unknown element: only what stands in it is shown")
	s.walk(e, st)
}

// childless tells the elements that hold nothing.
func childless(name string) bool {
	switch name {
	case "br", "hr", "img", "col", "colgroup", "ac:emoticon", "fab:media":
		return true
	}
	return false
}

// blockElement ends the text before it and after it.
func (s *storage) blockElement(e *element, st style) {
	s.end()
	s.walk(e, s.styled(e, st))
	s.end()
}

func (s *storage) headingElement(e *element, st style) {
	level, _ := strconv.Atoi(e.name[1:])
	s.flow.heading(level)
	s.walk(e, s.styled(e, st))
	s.end()
}

// lostFormat is a look that Markdown has not.
func (s *storage) lostFormat(e *element, st style) {
	if e.name != "font" || len(e.attrs) > 0 {
		s.lost(e.name)
	}
	s.walk(e, s.styled(e, st))
}

func (f *flow) lost(construct string) {
	f.add(FormattingLost, construct, "the text is kept and its look is not")
}

// abbreviation writes what the letters stand for behind them.
func (s *storage) abbreviation(e *element, st style) {
	s.walk(e, st)
	if title := e.title(); title != "" {
		s.write(" ("+title+")", st)
	}
}

func (s *storage) inlineElement(e *element, st style) {
	if e.name == "ac:inline-comment-marker" {
		s.comment(e.attr("ref"), e.textUpTo(maxCommentText))
	}
	s.walk(e, s.styled(e, st))
}

// maxCommentText bounds how much of the commented text is listed: markers nest.
const maxCommentText = 1000

// comment lists a place that an inline comment is about.
func (f *flow) comment(ref, text string) {
	if ref != "" {
		f.referenceSet.list.Comments = append(f.referenceSet.list.Comments, CommentRef{Ref: ref, Text: f.clean(text)})
	}
}

// styled reads the looks that editors write as CSS.
func (s *storage) styled(e *element, st style) style {
	if align := strings.ToLower(e.attr("align")); align != "" && align != "left" && !e.empty() {
		s.lost("align")
	}
	if e.name != "a" && e.title() != "" {
		s.add(Unsupported, "title", "a text that shows under the pointer was left out")
	}
	css := strings.ToLower(e.attr("style"))
	if css == "" || e.empty() {
		return st
	}
	for declaration := range strings.SplitSeq(css, ";") {
		name, value, _ := strings.Cut(declaration, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case name == "text-decoration" && strings.Contains(value, "line-through"):
			st = st.with(strike)
		case name == "font-weight" && (strings.HasPrefix(value, "bold") || value >= "600" && value <= "900"):
			st = st.with(strong)
		case name == "font-style" && value == "italic":
			st = st.with(emphasis)
		case name == "text-align" && value != "left" && value != "start" && value != "inherit",
			name == "margin-left" && strings.Trim(value, "0.pxemt%") != "",
			name == "font-size":
			s.lost(name)
		case name == "color" || name == "background-color" || name == "text-decoration" && strings.Contains(value, "underline"):
			s.lost(name)
		}
	}
	return st
}

// placeholder is what a template says to its writer.
func (s *storage) placeholder(e *element, st style) {
	if text := strings.TrimSpace(s.codeText(e)); text != "" {
		s.marker(text, st)
	}
}

// unshown is active or drawn content. What stands in it for those who cannot see
// it is shown, unless it is source.
func (s *storage) unshown(e *element, st style) {
	s.add(Unsupported, e.name, "cannot be shown as text")
	source := e.name == "script" || e.name == "style" || e.name == "svg"
	s.block(!s.inline, func() {
		if source || strings.TrimSpace(e.innerText()) == "" {
			s.marker(e.name, st)
		} else {
			s.walk(e, st)
		}
	})
}

// timeElement is a date; its text, if any, is a local form of it.
func (s *storage) timeElement(e *element, st style) {
	if e.empty() {
		s.atom(run{text: e.attr("datetime")}, st)
	}
	s.walk(e, st)
}
