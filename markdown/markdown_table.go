package markdown

import (
	"strconv"
	"strings"
)

// cellBreak parts the lines of a cell. It is the only HTML that is written. The
// blank keeps the words apart for those who take tags out.
const cellBreak = " <br>"

// table writes a grid. Markdown has no table without a header, so one without
// gets an empty header, rather than a first row that claims to be one.
func (w *markdownWriter) table(b *block) {
	g := w.collect(b, w.cell)
	if b.numbered {
		g.number(strconv.Itoa)
	}
	if g.columns == 0 {
		return
	}
	first := 0
	if g.headed {
		first = 1
		line := g.rows[0]
		for len(line) < g.columns {
			line = append(line, "")
		}
		w.row(line)
	} else {
		w.row(make([]string, g.columns))
	}
	w.line()
	w.out.WriteString("|" + strings.Repeat(" --- |", g.columns))
	for i := first; i < len(g.rows); i++ {
		w.line()
		w.row(g.padded(i))
	}
}

func (w *markdownWriter) row(cells []string) {
	w.out.WriteByte('|')
	for _, text := range cells {
		if text != "" {
			w.out.WriteString(" " + text)
		}
		w.out.WriteString(" |")
	}
	if len(cells) == 0 {
		w.out.WriteString(" |")
	}
}

// cell returns a cell's content as one line.
func (w *markdownWriter) cell(b *block) string {
	outer := w.cellStart
	w.cellStart = w.out.Len()
	w.cellBlocks(b.blocks, "")
	text := string(w.out.Bytes()[w.cellStart:])
	w.out.Truncate(w.cellStart)
	w.cellStart = outer
	return text
}

// cellBlocks writes blocks as lines of a cell, the first of them after lead.
func (w *markdownWriter) cellBlocks(blocks []*block, lead string) {
	for _, b := range blocks {
		w.cellBlock(b, lead)
		lead = ""
	}
}

func (w *markdownWriter) cellBlock(b *block, lead string) {
	switch b.kind {
	case paragraph:
		w.cellLine(lead)
		w.inline(w.resolve(b.runs), place{inCell: true})
	case heading:
		w.flattened("heading")
		w.cellLine(lead)
		w.inline(w.resolve(b.runs), place{inCell: true})
	case code:
		w.flattened("code")
		w.cellCode(b, lead)
	case rule:
		w.flattened("hr")
	case list:
		w.flattened("list")
		w.cellLists++
		for i, it := range b.blocks {
			w.cellItem(it, lead+cellMark(b, i, w.cellLists))
			lead = ""
		}
		w.cellLists--
	case table:
		w.flattened("table")
		for _, tr := range b.blocks {
			if len(tr.blocks) == 0 {
				continue
			}
			w.cellLine(lead)
			lead = ""
			for i, td := range tr.blocks {
				if i > 0 {
					w.out.WriteString(` \| `)
				}
				w.out.WriteString(w.cell(td))
			}
		}
	case quote:
		w.flattened("quote")
		w.cellBlocks(b.blocks, lead)
	default:
		w.cellBlocks(b.blocks, lead)
	}
}

func (w *markdownWriter) flattened(construct string) {
	w.warnings.add(Flattened, construct, "blocks in a table cell were written as lines of the cell")
}

// cellLine begins a line of a cell.
func (w *markdownWriter) cellLine(lead string) {
	if w.out.Len() > w.cellStart {
		w.out.WriteString(cellBreak)
	}
	w.out.WriteString(lead)
}

func (w *markdownWriter) cellItem(it *block, lead string) {
	if len(it.blocks) == 0 {
		w.cellLine(strings.TrimRight(lead, " "))
		return
	}
	w.cellBlocks(it.blocks, lead)
}

// cellMark is what an item in a cell starts with: a mark that is no markup, and
// since a cell has no indentation, one for each depth.
func cellMark(l *block, i, depth int) string {
	switch state := l.blocks[i].state; {
	case state == open:
		return "☐ "
	case state == done:
		return "☑ "
	case l.numbered:
		return strconv.Itoa(l.level+i) + ". "
	}
	if depth > 1 {
		return strings.Repeat("–", depth-1) + " " + boxes[l.blocks[i].state]
	}
	return "• " + boxes[l.blocks[i].state]
}

func (w *markdownWriter) cellCode(b *block, lead string) {
	for line := range strings.SplitSeq(b.text, "\n") {
		w.cellLine(lead)
		lead = ""
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			continue
		}
		w.inline([]span{{text: line, marks: codeMark}}, place{inCell: true})
	}
}
