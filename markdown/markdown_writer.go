package markdown

import (
	"bytes"
	"strconv"
	"strings"
)

// markdownWriter writes blocks. Between two of them the cursor stands at the
// end of the last one's last line.
type markdownWriter struct {
	resolution
	out bytes.Buffer
	// prefix is what each line of the open quotes and lists starts with.
	prefix string
	// last is the block just written, and mark what its items had, if it was a
	// list: the next list must look different, or the two would be one.
	last *block
	mark byte
	// cellStart is where the cell at hand starts, and cellLists how many lists of
	// it are open.
	cellStart, cellLists int
}

// blocks writes blocks, with an empty line between two unless they are tight.
func (w *markdownWriter) blocks(blocks []*block, tight bool) {
	w.last = nil
	for i, b := range blocks {
		if i > 0 {
			w.line()
			if !tight || needsBlank(b) {
				w.emptyLine()
			}
		}
		w.block(b)
		w.last = b
	}
}

func (w *markdownWriter) block(b *block) {
	switch b.kind {
	case paragraph:
		w.inline(w.resolve(b.runs), place{})
		if len(b.runs) == 0 { // only after a box, which some readers take for text if nothing follows
			w.out.WriteString(noBreakSpace)
		}
	case heading:
		w.out.WriteString(strings.Repeat("#", min(max(b.level, 1), 6)) + " ")
		w.inline(w.resolve(b.runs), place{inHeading: true})
	case quote:
		w.framed(b, "> ", "> ")
	case code:
		w.code(b)
	case rule:
		w.out.WriteString("___") // "---" and "***" could be taken for list marks
	case list:
		w.list(b)
	case table:
		w.table(b)
	default:
		w.blocks(b.blocks, false)
	}
}

// line begins a new line.
func (w *markdownWriter) line() {
	w.out.WriteByte('\n')
	w.out.WriteString(w.prefix)
}

// emptyLine turns the line just begun into an empty one.
func (w *markdownWriter) emptyLine() {
	w.trimLine()
	w.line()
}

// trimLine takes the blanks off the end of the line.
func (w *markdownWriter) trimLine() {
	w.out.Truncate(len(bytes.TrimRight(w.out.Bytes(), " ")))
}

// framed writes a container: its first line starts with one text, the others
// with another of the same width.
func (w *markdownWriter) framed(b *block, first, others string) {
	outer := w.prefix
	w.out.WriteString(first)
	w.prefix += others
	w.blocks(b.blocks, b.kind == item && tightItem(b))
	w.prefix = outer
}

// code writes a fence that is longer than any the content holds.
func (w *markdownWriter) code(b *block) {
	fence := strings.Repeat("`", max(3, longestRun(b.text, '`')+1))
	w.out.WriteString(fence + b.language)
	if b.text != "" {
		for line := range strings.SplitSeq(b.text, "\n") {
			w.line()
			if line == "" {
				w.trimLine()
			}
			w.out.WriteString(line)
		}
	}
	w.line()
	w.out.WriteString(fence)
}

// list writes items, each under a mark that the list before has not.
func (w *markdownWriter) list(b *block) {
	marks := [2]byte{'-', '*'}
	if b.numbered {
		marks = [2]byte{'.', ')'}
	}
	mark := marks[0]
	if w.mark == mark && w.last != nil && w.last.kind == list {
		mark = marks[1]
	}
	tight := tightList(b)
	for i, it := range b.blocks {
		if i > 0 {
			w.line()
			if !tight {
				w.emptyLine()
			}
		}
		label := string(mark) + " "
		if b.numbered {
			label = strconv.Itoa(b.level+i) + label
		}
		if it.state != noBox && (len(it.blocks) == 0 || it.blocks[0].kind != paragraph) {
			// A box is read only at the start of a paragraph, so it gets one.
			it = &block{kind: item, state: it.state, blocks: append([]*block{{}}, it.blocks...)}
		}
		w.framed(it, label+boxes[it.state], strings.Repeat(" ", len(label)))
		if len(it.blocks) == 0 {
			w.emptyItem(label, w.prefix == "" || tight && i+1 < len(b.blocks))
		}
	}
	w.mark = mark
}

// noBreakSpace is a blank that keeps a mark without content one.
const noBreakSpace = "&nbsp;"

// emptyItem ends an item without content. Where that is safe, its mark stands alone;
// not behind others, where "- - -" would be a rule, and not deep within others
// before an empty line, where readers do not agree on what goes on.
func (w *markdownWriter) emptyItem(label string, safe bool) {
	line := w.out.Bytes()[bytes.LastIndexByte(w.out.Bytes(), '\n')+1:]
	if safe && string(line) == w.prefix+label {
		w.trimLine()
		return
	}
	w.out.WriteString(noBreakSpace)
}

// boxes are written before an item's text.
var boxes = [...]string{noBox: "", open: "[ ] ", done: "[x] ", decided: "✔ "}

// tightList tells whether no item needs empty lines.
func tightList(b *block) bool {
	for _, it := range b.blocks {
		if !tightItem(it) {
			return false
		}
	}
	return true
}

// tightItem tells whether an item is at most a line and lists below it.
func tightItem(b *block) bool {
	for i, inner := range b.blocks {
		if inner.kind != list && (i > 0 || inner.kind != paragraph) || inner.kind == list && !tightList(inner) {
			return false
		}
		if i > 0 && (needsBlank(inner) || b.blocks[i-1].kind == list) {
			return false
		}
	}
	return true
}

// needsBlank tells whether a list could not be told from the text right before
// it: CommonMark lets only a list that starts at 1, and with an item that is not
// empty, follow a paragraph's line.
func needsBlank(b *block) bool {
	return b.kind == list && (b.numbered && b.level != 1 || len(b.blocks[0].blocks) == 0 && b.blocks[0].state == noBox)
}

// longestRun returns the length of the longest stretch of one byte.
func longestRun(s string, c byte) int {
	longest, current := 0, 0
	for i := range len(s) {
		if s[i] != c {
			current = 0
			continue
		}
		current++
		longest = max(longest, current)
	}
	return longest
}
