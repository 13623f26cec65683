package markdown

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// place tells what surrounds text, as that decides what must be escaped.
type place struct {
	inHeading bool
	inCell    bool
}

// inlineWriter opens and closes emphasis and links along a row of spans.
//
// CommonMark reads a delimiter as opening or closing by the characters beside
// it. Where they would make it mean nothing, such as in **note:**text, the
// neighbouring letter is written as a numeric reference: the reader sees the
// same letter, and the delimiter sees punctuation.
type inlineWriter struct {
	*markdownWriter
	place
	spans []span
	ends  [][layers]int // for each span and layer: the last span that still has it
	open  []opened      // innermost last
	start int           // where in out the line began
	// closed is the character before the delimiter that was just written as a
	// closing one; 0 if the last thing written was none.
	closed    rune
	closeChar byte
	// codes is where in out code starts that nothing but delimiters parts from more
	// code, up to codesEnd.
	codes, codesEnd int
}

// layer is what can be opened around text. The order is that of nesting where
// nothing else decides.
type layer int

const (
	linkLayer layer = iota
	strongLayer
	emphasisLayer
	strikeLayer
	layers
)

var layerMarks = [layers]mark{strongLayer: strong, emphasisLayer: emphasis, strikeLayer: strike}

type opened struct {
	layer     layer
	link      *target
	href      string
	delimiter string
}

// inline writes the spans of one text block.
func (w *markdownWriter) inline(spans []span, p place) {
	if spans = join(spans); w.plainCode(spans, p.inCell) {
		spans = join(spans)
	}
	in := inlineWriter{markdownWriter: w, place: p, spans: splitBlanks(spans), start: w.out.Len()}
	in.measure()
	for i := range in.spans {
		in.span(i)
	}
	in.closeTo(0)
}

// measure finds where each layer ends, from the last span to the first. Most text
// has none.
func (in *inlineWriter) measure() {
	if !slices.ContainsFunc(in.spans, func(s span) bool { return s.marks != 0 || s.link != nil }) {
		return
	}
	in.ends = make([][layers]int, len(in.spans))
	for i := len(in.spans) - 1; i >= 0; i-- {
		for l := range layers {
			in.ends[i][l] = i
			if i+1 < len(in.spans) && in.spans[i].has(l) && in.spans[i+1].has(l) &&
				(l != linkLayer || in.spans[i].link == in.spans[i+1].link) {
				in.ends[i][l] = in.ends[i+1][l]
			}
		}
	}
}

func (in *inlineWriter) span(i int) {
	s := &in.spans[i]
	keep := 0
	for keep < len(in.open) && s.has(in.open[keep].layer) && (in.open[keep].layer != linkLayer || in.open[keep].link == s.link) {
		keep++
	}
	in.closeTo(keep)
	switch {
	case s.kind == breakRun:
		in.lineBreak()
		return
	case s.blank():
		in.closed = 0
		in.out.WriteString(s.text)
		return
	}
	in.openFor(i)
	switch {
	case s.kind == imageRun:
		in.atom("![" + in.escape(s.text, true, ']') + "](" + in.destination(s.image) + in.title(s.title) + ")")
	case s.marks&codeMark != 0:
		in.codeSpan(s.text)
	default:
		in.words(i)
	}
}

// closeTo closes all but the outermost n.
func (in *inlineWriter) closeTo(n int) {
	for len(in.open) > n {
		o := in.open[len(in.open)-1]
		in.open = in.open[:len(in.open)-1]
		if o.layer == linkLayer {
			in.out.WriteString("](" + in.destination(o.href) + in.title(o.link.title) + ")")
			in.closed = 0
			continue
		}
		in.closed, in.closeChar = in.lastRune(), o.delimiter[0]
		in.out.WriteString(o.delimiter)
	}
}

func (in *inlineWriter) isOpen(l layer) bool {
	return slices.ContainsFunc(in.open, func(o opened) bool { return o.layer == l })
}

// openFor opens what a span has and is not open yet, the longest first.
func (in *inlineWriter) openFor(i int) {
	var missing []layer
	for l := range layers {
		if in.spans[i].has(l) && !in.isOpen(l) {
			missing = append(missing, l)
		}
	}
	slices.SortStableFunc(missing, func(a, b layer) int { return in.ends[i][b] - in.ends[i][a] })
	for k, l := range missing {
		o := opened{layer: l, link: in.spans[i].link, href: in.spans[i].href}
		switch l {
		case linkLayer:
			o.delimiter = "["
			in.atom(o.delimiter)
		default:
			o.delimiter = in.delimiter(l, i)
			first := in.firstRune(i)
			if k+1 < len(missing) {
				first = '*' // another delimiter follows
			}
			in.opener(o.delimiter, first)
		}
		in.open = append(in.open, o)
	}
}

// delimiter chooses the underscore for emphasis that meets bold text, since
// rows of asterisks are ambiguous, and the asterisk elsewhere, since only that
// works inside a word.
func (in *inlineWriter) delimiter(l layer, i int) string {
	switch l {
	case strongLayer:
		return "**"
	case strikeLayer:
		return "~~"
	}
	end, bold := in.ends[i][emphasisLayer], in.spans[i].has(strongLayer)
	for k := max(i-1, 0); k <= min(end+1, len(in.spans)-1); k++ {
		if in.spans[k].has(strongLayer) != bold {
			return "_"
		}
	}
	// Bold text around it is cut where something else ends, and so meets it there.
	cut := func(l layer) bool { return in.spans[end].has(l) && in.ends[end][l] == end }
	if bold && (!in.isOpen(strongLayer) || in.lastRune() == '*' || cut(linkLayer) || cut(strongLayer) || cut(strikeLayer)) {
		return "_"
	}
	return "*"
}

// opener writes a delimiter so that it opens.
func (in *inlineWriter) opener(delimiter string, next rune) {
	before := in.lastRune()
	if maybeLetter(before) && (punctuation(next) || delimiter == "_") {
		in.out.Truncate(in.out.Len() - utf8.RuneLen(before))
		in.reference(before)
	}
	in.settle(rune(delimiter[0]))
	in.out.WriteString(delimiter)
}

// settle must be called with the next character to be written. It tells
// whether that must become a reference, so that the delimiter before it closes.
func (in *inlineWriter) settle(next rune) bool {
	before := in.closed
	in.closed = 0
	return before != 0 && maybeLetter(next) && (punctuation(before) || in.closeChar == '_')
}

// atom writes markup that starts with punctuation.
func (in *inlineWriter) atom(markup string) {
	in.settle('[')
	in.out.WriteString(markup)
}

func (in *inlineWriter) reference(r rune) { in.out.WriteString(numericReference(r)) }

// lastRune returns the last character of this text block; a blank at its start.
func (in *inlineWriter) lastRune() rune {
	if in.out.Len() <= in.start {
		return ' '
	}
	r, _ := utf8.DecodeLastRune(in.out.Bytes())
	return r
}

// firstRune returns the character that a span's markup starts with.
func (in *inlineWriter) firstRune(i int) rune {
	s := &in.spans[i]
	if s.kind == imageRun || s.marks&codeMark != 0 {
		return '`'
	}
	if strings.HasPrefix(s.text, "http") || strings.HasPrefix(s.text, "ftp") {
		return '<' // as an address may start
	}
	r, size := utf8.DecodeRuneInString(s.text)
	if size == len(s.text) && i+1 < len(in.spans) && !in.spans[i+1].blank() && in.spans[i+1].marks&^s.marks != 0 {
		return '&' // as the opener after it may write it
	}
	return r
}

func (in *inlineWriter) lineBreak() {
	in.closed = 0
	switch {
	case in.inCell:
		in.out.WriteString(cellBreak)
	case in.inHeading:
		in.out.WriteByte(' ') // a heading has one line
	default:
		if in.lastRune() == '\\' { // an escaped one; readers differ on three in a row
			in.out.Truncate(in.out.Len() - 2)
			in.reference('\\')
		}
		in.out.WriteByte('\\')
		in.line()
		in.start = in.out.Len()
	}
}

// letter tells a character that is neither blank nor punctuation, by
// CommonMark's rules.
func letter(r rune) bool { return !unicode.IsSpace(r) && !punctuation(r) }

// maybeLetter tells a character that some reader takes for a letter: symbols
// beyond ASCII, such as emoji, are punctuation only since CommonMark 0.31.
func maybeLetter(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.IsPunct(r) && (r > unicode.MaxASCII || !unicode.IsSymbol(r))
}

func punctuation(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
