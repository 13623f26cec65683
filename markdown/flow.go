package markdown

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds how deep blocks nest. Deeper ones are shown at this depth.
const maxDepth = 40

// flow builds a tree from what a parser meets in reading order. Text goes into
// the text block at hand; a block ends it. So a parser need not know whether a
// macro stands in a paragraph or between two.
type flow struct {
	warnings
	referenceSet
	stack []*block // the open containers, outermost first
	text  block    // the text block at hand: a paragraph or a heading
	runs  slab[run]
	// inline tells that the parser is in a sentence, which a macro that shows
	// one line should not break.
	inline bool
	// flats is how many texts that hold nothing else are open.
	flats int
	// atomic tells that the run before was an atom.
	atomic bool
}

func newFlow() *flow { return &flow{stack: []*block{{kind: group}}} }

// document ends the flow.
func (f *flow) document() *Document {
	f.end()
	return &Document{root: f.stack[0], warnings: f.warnings, references: f.referenceSet.list}
}

// write adds text to the text block at hand.
func (f *flow) write(s string, st style) { f.run(run{kind: textRun, text: s}, st) }

// run adds a run to the text block at hand.
func (f *flow) run(r run, st style) {
	if r.text == "" && r.kind == textRun {
		return
	}
	r.text = f.clean(r.text)
	r.marks, r.link = st.marks, st.link
	if first, _ := utf8.DecodeRuneInString(r.text); f.atomic && r.kind == textRun && letter(first) {
		f.text.runs = append(f.text.runs, run{text: " "})
	}
	f.atomic = false
	if n := len(f.text.runs); n > 0 && r.kind == textRun {
		if last := &f.text.runs[n-1]; last.kind == textRun && last.marks == r.marks && last.link == r.link && len(last.text) < 1<<10 {
			last.text += r.text // bounded, so that many small pieces stay linear
			return
		}
	}
	f.text.runs = append(f.text.runs, r)
}

// atom adds a run that Confluence shows as a thing of its own, such as a person
// or a date. Blanks keep it apart from words right beside it.
func (f *flow) atom(r run, st style) {
	if n := len(f.text.runs); n > 0 {
		last := &f.text.runs[n-1]
		end, _ := utf8.DecodeLastRuneInString(last.text)
		if last.kind == labelRun || last.kind == textRun && letter(end) {
			f.write(" ", style{})
		}
	}
	f.run(r, st)
	f.atomic = true
}

// marker stands for something that cannot be shown.
func (f *flow) marker(text string, st style) { f.write("["+text+"]", st) }

// heading makes what follows, up to end, a heading.
func (f *flow) heading(level int) {
	f.end()
	f.text.kind, f.text.level = heading, level
}

// end closes the text block at hand. Nothing comes of one that shows nothing.
func (f *flow) end() {
	if runs := tidy(f.text.runs); len(runs) > 0 {
		kept := f.runs.take(len(runs))
		copy(kept, runs)
		f.append(&block{kind: f.text.kind, level: f.text.level, runs: kept})
	}
	f.text = block{runs: f.text.runs[:0]}
	f.atomic = false
}

// leaf adds a block that holds no others.
func (f *flow) leaf(b *block) {
	f.end()
	b.text = f.clean(b.text)
	f.append(b)
}

// within opens a container for what fill adds. A frame without content is left
// out, unless its place counts, as in lists and tables.
func (f *flow) within(b *block, fill func()) {
	// An inner block does not end a heading: what is left of it is one still.
	kind, level := f.text.kind, f.text.level
	f.end()
	if len(f.stack) >= maxDepth && !f.fits(b) {
		f.add(LimitExceeded, "nesting", "blocks nested too deep were shown at a lesser depth")
		fill()
		f.end()
		return
	}
	f.stack = append(f.stack, b)
	fill()
	f.end()
	f.stack = f.stack[:len(f.stack)-1]
	if b.kind == table && !slices.ContainsFunc(b.blocks, func(tr *block) bool { return len(tr.blocks) > 0 }) {
		b.blocks = nil
	}
	if len(b.blocks) > 0 || b.kind == item || b.kind == cell || b.kind == row && f.parent().kind == table {
		f.append(b)
	}
	f.text.kind, f.text.level = kind, level
}

func (f *flow) parent() *block { return f.stack[len(f.stack)-1] }

// fits tells whether a block is the part that the open list, table or row is
// made of.
func (f *flow) fits(b *block) bool {
	parent := f.parent().kind
	return parent == list && b.kind == item || parent == table && b.kind == row || parent == row && b.kind == cell
}

// append adds a block where it is met. A part of a list or table that stands
// elsewhere gets the frame it lacks, and what stands between the parts of a list
// or table, mostly a list between two items, goes into the part before it or
// becomes one, as browsers show it.
func (f *flow) append(b *block) {
	parent := f.parent()
	if parent.kind == table && b.kind == cell {
		b = &block{kind: row, blocks: []*block{b}}
	}
	if !f.fits(b) {
		b = framedPart(b)
		switch parent.kind {
		case list:
			if n := len(parent.blocks); n > 0 {
				parent = parent.blocks[n-1]
			} else {
				b = &block{kind: item, blocks: []*block{b}}
			}
		case row:
			b = cellOf(b)
		case table:
			b = &block{kind: row, blocks: []*block{cellOf(b)}}
		}
	}
	parent.blocks = append(parent.blocks, b)
}

// framedPart puts a part of a list or table into one of its own.
func framedPart(b *block) *block {
	switch b.kind {
	case item:
		return &block{kind: list, blocks: []*block{b}}
	case row:
		return &block{kind: table, blocks: []*block{b}}
	case cell:
		return framedPart(&block{kind: row, blocks: []*block{b}})
	}
	return b
}

func newCell() *block { return &block{kind: cell, colspan: 1, rowspan: 1} }

func cellOf(b *block) *block {
	c := newCell()
	c.blocks = []*block{b}
	return c
}

// tidy returns the runs with blanks as a browser shows them: each stretch of
// blanks is one, and none is left at the start or end of a line.
//
// It works in place.
func tidy(runs []run) []run {
	kept := runs[:0]
	blank := true // a blank here would not show
	for _, r := range runs {
		switch {
		case r.kind == textRun && r.marks&codeMark != 0:
			if strings.ContainsAny(r.text, "\r\n") {
				r.text = oneLine.Replace(r.text)
			}
		case r.kind == textRun:
			r.text = collapse(r.text, blank)
			if r.text == "" {
				continue
			}
		}
		if r.kind == breakRun {
			kept = trimEnd(kept)
		}
		blank = r.kind == breakRun || r.kind == textRun && strings.HasSuffix(r.text, " ")
		kept = append(kept, r)
	}
	for len(kept) > 0 && kept[0].kind == breakRun {
		kept = kept[1:]
	}
	for kept = trimEnd(kept); len(kept) > 0 && kept[len(kept)-1].kind == breakRun; {
		kept = trimEnd(kept[:len(kept)-1])
	}
	shows := func(r run) bool { return r.kind != textRun || strings.ContainsFunc(r.text, visible) }
	if !slices.ContainsFunc(kept, shows) {
		return nil
	}
	return kept
}

// oneLine makes blanks of line breaks, as browsers do in code too.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

func visible(r rune) bool { return !unicode.IsSpace(r) }

// collapse makes each stretch of blanks one. The no-break space is no blank.
func collapse(s string, blank bool) string {
	if !strings.ContainsAny(s, "\t\n\r\f") && !strings.Contains(s, "  ") {
		if blank {
			return strings.TrimLeft(s, " ")
		}
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r', '\f':
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
		default:
			b.WriteByte(s[i])
			blank = false
		}
	}
	return b.String()
}

// trimEnd takes the blanks off the end of a line.
func trimEnd(runs []run) []run {
	for len(runs) > 0 {
		last := &runs[len(runs)-1]
		if last.kind != textRun || last.marks&codeMark != 0 {
			break
		}
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			break
		}
		runs = runs[:len(runs)-1]
	}
	return runs
}
