package markdown

import (
	"strconv"
	"strings"
	"unicode"
)

// textWriter writes blocks as plain lines.
type textWriter struct {
	resolution
	out    strings.Builder
	prefix string // what each line of the open lists starts with
}

func (w *textWriter) blocks(blocks []*block, tight bool) {
	for i, b := range blocks {
		if i > 0 {
			w.next(tight)
		}
		w.block(b)
	}
}

func (w *textWriter) block(b *block) {
	switch b.kind {
	case paragraph, heading:
		w.inline(b.runs, "\n"+w.prefix)
	case code:
		w.code(b.text)
	case rule:
		w.out.WriteString("---")
	case list:
		w.list(b)
	case table:
		w.table(b)
	default:
		w.blocks(b.blocks, false)
	}
}

func (w *textWriter) line() { w.out.WriteString("\n" + w.prefix) }

// next begins a new line, with an empty one before it unless the blocks are tight.
func (w *textWriter) next(tight bool) {
	if !tight {
		w.out.WriteByte('\n')
	}
	w.line()
}

// code keeps lines as they are, without a prefix that nobody sees on empty ones.
func (w *textWriter) code(text string) {
	for i, line := range strings.Split(text, "\n") {
		switch {
		case i > 0 && line == "":
			w.out.WriteByte('\n')
		case i > 0:
			w.line()
		}
		w.out.WriteString(line)
	}
}

func (w *textWriter) inline(runs []run, lineBreak string) {
	spans := splitBlanks(w.resolve(runs))
	label := 0 // where that of the link at hand starts
	for i := range spans {
		s := &spans[i]
		if i == 0 || spans[i-1].link != s.link {
			label = w.out.Len()
		}
		switch {
		case s.kind == breakRun:
			w.out.WriteString(lineBreak)
		case s.kind == imageRun:
			w.out.WriteString("[" + described(s.text, s.title) + "]")
		default:
			w.out.WriteString(s.text)
		}
		if s.link != nil && (i+1 == len(spans) || spans[i+1].link != s.link) {
			w.beside(s, w.out.String()[label:])
		}
	}
}

// beside writes behind a link's label, in parentheses, what that leaves out: what
// the link leads to, by its name or else its address, and what shows under the
// pointer. Places within the page cannot be gone to in plain text.
func (w *textWriter) beside(s *span, label string) {
	t := s.link
	name := w.inOneLine(w.resolver.label(t))
	to := firstOf(name, w.inOneLine(t.space), w.inOneLine(t.jira))
	if t.url != "" || to == "" {
		to = oneWord(strings.TrimPrefix(s.href, "mailto:"))
	}
	if says(label, to) || says(label, name) || says(label, t.url) || says(label, t.attachment.FileID) || *t == (target{anchor: t.anchor, title: t.title}) {
		to = ""
	}
	if to != "" || t.title != "" {
		w.out.WriteString(" (" + strings.Trim(described(to, t.title), ", ") + ")")
	}
}

// says tells whether a label is a name or an address, as people write them.
func says(label, name string) bool {
	bare := func(s string) string {
		s = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "/"))
		for _, scheme := range []string{"https://", "http://", "mailto:", "tel:"} {
			s = strings.TrimPrefix(s, scheme)
		}
		return s
	}
	return name != "" && bare(label) == bare(name)
}

// oneWord takes the blanks out of an address.
func oneWord(address string) string {
	blank := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return strings.Join(strings.FieldsFunc(address, blank), "%20")
}

func (w *textWriter) list(b *block) {
	tight := tightList(b)
	for i, it := range b.blocks {
		if i > 0 {
			w.next(tight)
		}
		label := "- "
		if b.numbered {
			label = strconv.Itoa(b.level+i) + ". "
		}
		mark := label + boxes[it.state]
		if len(it.blocks) == 0 {
			mark = strings.TrimRight(mark, " ")
		}
		w.out.WriteString(mark)
		outer := w.prefix
		w.prefix += strings.Repeat(" ", len(label))
		w.blocks(it.blocks, tight)
		w.prefix = outer
	}
}

// table writes a row per line, since people search and cut by lines.
func (w *textWriter) table(b *block) {
	g := w.collect(b, w.cell)
	if b.numbered {
		g.number(strconv.Itoa)
	}
	for i := range g.rows {
		if i > 0 {
			w.line()
		}
		w.out.WriteString(strings.TrimRight(strings.Join(g.padded(i), " | "), " "))
	}
}

// cell returns a cell's content as one line.
func (w *textWriter) cell(b *block) string {
	inner := textWriter{resolution: w.resolution}
	inner.blocks(b.blocks, true)
	w.warnings = inner.warnings
	var lines []string
	for line := range strings.SplitSeq(inner.out.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), "|", "\\|") // which tells it from the edge of a cell
}
