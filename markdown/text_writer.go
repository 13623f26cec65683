package markdown

import (
	"strconv"
	"strings"
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
	for _, s := range w.resolve(runs) {
		switch {
		case s.kind == breakRun:
			w.out.WriteString(lineBreak)
		case s.kind == imageRun:
			w.out.WriteString("[" + s.text + "]")
		default:
			w.out.WriteString(s.text)
		}
	}
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
		w.out.WriteString(label + boxes[it.state])
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
