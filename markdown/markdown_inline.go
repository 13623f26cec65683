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

// splitBlanks makes the blanks at the edges of spans spans of their own, which
// look only like what both neighbours look like. So no emphasis starts or ends
// with a blank, which CommonMark would not take for emphasis.
func splitBlanks(spans []span) []span {
	out := make([]span, 0, len(spans)+4)
	for _, s := range spans {
		if s.kind != textRun || s.marks&codeMark != 0 {
			out = append(out, s)
			continue
		}
		inner := strings.TrimLeftFunc(s.text, unicode.IsSpace)
		lead := s.text[:len(s.text)-len(inner)]
		core := strings.TrimRightFunc(inner, unicode.IsSpace)
		for _, text := range []string{lead, core, inner[len(core):]} {
			if text != "" {
				s.text = text
				out = append(out, s)
			}
		}
	}
	// What is right of a blank, and then what is left of it too.
	right := span{}
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].blank() {
			out[i].marks, out[i].link, out[i].href = right.marks&^codeMark, right.link, right.href
		} else {
			right = out[i]
		}
	}
	left := span{}
	for i := range out {
		if !out[i].blank() {
			left = out[i]
			continue
		}
		out[i].marks &= left.marks
		if out[i].link != left.link {
			out[i].link = nil
		}
	}
	return out
}

// join makes neighbours that look alike one. What is markup depends on what is
// beside it, and two code spans side by side would be one with backticks in it.
func join(spans []span) []span {
	if len(spans) < 2 {
		return spans
	}
	out := make([]span, 0, len(spans))
	for i := 0; i < len(spans); {
		s, end := spans[i], i+1
		for end < len(spans) && s.kind == textRun && spans[end].kind == textRun && spans[end].marks == s.marks && spans[end].link == s.link {
			end++
		}
		if end > i+1 {
			var text strings.Builder
			for _, piece := range spans[i:end] {
				text.WriteString(piece.text)
			}
			s.text = text.String()
		}
		out = append(out, s)
		i = end
	}
	return out
}

// blank tells whether nothing of a span shows.
func (s *span) blank() bool {
	return s.kind == breakRun || s.kind == textRun && s.marks&codeMark == 0 && !strings.ContainsFunc(s.text, visible)
}

func (s *span) has(l layer) bool {
	if l == linkLayer {
		return s.link != nil
	}
	return s.marks&layerMarks[l] != 0
}

// measure finds where each layer ends, from the last span to the first.
func (in *inlineWriter) measure() {
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
		in.atom("![" + in.escape(s.text, true, ']') + "](" + in.destination(s.image) + ")")
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
			in.out.WriteString("](" + in.destination(o.href) + ")")
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
	if letter(before) && (punctuation(next) || delimiter == "_") {
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
	return before != 0 && letter(next) && (punctuation(before) || in.closeChar == '_')
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
	r, _ := utf8.DecodeRuneInString(s.text)
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

func punctuation(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
