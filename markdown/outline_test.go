package markdown

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// outline writes a tree in a form that two trees share if a reader can see no
// difference between them.
func outline(b *block, r Resolver) string {
	var o outliner
	o.resolver = r
	o.blocks(b.blocks, "")
	return o.out.String()
}

type outliner struct {
	resolution
	out     strings.Builder
	inTable bool
}

func (o *outliner) blocks(blocks []*block, indent string) {
	for _, b := range blocks {
		o.block(b, indent)
	}
}

func (o *outliner) block(b *block, indent string) {
	line := func(format string, args ...any) { o.out.WriteString(indent + fmt.Sprintf(format, args...) + "\n") }
	switch b.kind {
	case paragraph:
		if row := o.row(b.runs, " ⏎ "); row != "" {
			line("p %s", row)
		}
	case heading:
		line("h%d %s", b.level, o.row(b.runs, " "))
	case code:
		text := b.text
		if indent != "" { // goldmark empties blank lines of code inside lists
			text = blankLines.ReplaceAllString(text, "")
		}
		line("code %q %q", b.language, text)
	case rule:
		line("rule")
	case list:
		line("list %d %v", b.level, b.numbered)
		o.blocks(b.blocks, indent+"  ")
	case item:
		line("item %d", b.state)
		o.blocks(b.blocks, indent+"  ")
	case quote:
		line("quote")
		o.blocks(b.blocks, indent+"  ")
	case table:
		o.table(b, line)
	default:
		o.blocks(b.blocks, indent)
	}
}

// table compares shape and text. The cells of a tree of ours are flattened as
// the writer does it, since Markdown has no other form for them.
func (o *outliner) table(b *block, line func(string, ...any)) {
	o.inTable = true
	g := o.collect(b, o.cellRow)
	o.inTable = false
	if b.numbered {
		g.number(func(n int) string { return fmt.Sprint(n) })
	}
	if !g.headed {
		g.rows = append([][]string{nil}, g.rows...)
	}
	for i := range g.rows {
		cells := g.rows[i]
		for len(cells) < g.columns {
			cells = append(cells, "")
		}
		line("row %q", cells)
	}
}

// cellRow is the text of a cell, whatever blocks it has. Paragraphs are compared
// as they are; other blocks as the writer flattens them, with a warning.
func (o *outliner) cellRow(c *block) string {
	var rows []string
	for _, b := range c.blocks {
		if b.kind == paragraph {
			rows = append(rows, o.row(b.runs, " ⏎ "))
		}
	}
	if len(rows) == len(c.blocks) {
		return strings.Join(rows, " ⏎ ")
	}
	w := &markdownWriter{resolution: resolution{resolver: o.resolver, bold: o.bold}}
	line := w.cell(c)
	back := readBack(failNot{}, "| h |\n| --- |\n| "+line+" |\n")
	if line == "" {
		return ""
	}
	o.bold = false // which the line has said
	return o.cellRow(back.blocks[0].blocks[1].blocks[0])
}

type failNot struct{ testing.TB }

func (failNot) Helper()               {}
func (failNot) Errorf(string, ...any) {}

// row writes runs with a mark wherever the look changes. How blanks look cannot
// be seen.
func (o *outliner) row(runs []run, lineBreak string) string {
	var b strings.Builder
	look := ""
	set := func(next string) {
		if next != look {
			b.WriteString("{" + next + "}")
			look = next
		}
	}
	for _, s := range o.resolve(runs) {
		switch s.kind {
		case breakRun:
			b.WriteString(lineBreak)
			if lineBreak != " " {
				look = "" // so that lines compare alike, whatever parts them
			}
			continue
		case imageRun:
			set(fmt.Sprintf("image %s %q %s %d", decoded(s.image), s.title, pointsAt(s), s.marks&^codeMark))
			b.WriteString(s.text)
			set("")
			continue
		}
		if o.inTable && strings.Contains(s.text, "\\|") {
			s.marks &^= codeMark // which the writer names as flattened
			s.text = collapse(s.text, false)
		}
		for _, c := range s.text {
			if !unicode.IsSpace(c) {
				if s.marks == 0 && s.href == "" {
					set("")
				} else {
					set(fmt.Sprintf("%d %s", s.marks, pointsAt(s)))
				}
			}
			b.WriteRune(c)
		}
	}
	return blanks.ReplaceAllString(strings.TrimSpace(b.String()), " ⏎ ")
}

// pointsAt is where a span leads and what shows under the pointer.
func pointsAt(s span) string {
	if s.href == "" || s.link == nil || s.link.title == "" {
		return decoded(s.href)
	}
	return fmt.Sprintf("%s %q", decoded(s.href), s.link.title)
}

var blankLines = regexp.MustCompile(`(?m)^[ \t]+$`)

var blanks = regexp.MustCompile(`[ \t]*⏎[ \t]*`)

var percent = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// decoded makes two ways to write one address one.
func decoded(address string) string {
	return percent.ReplaceAllStringFunc(address, func(m string) string {
		plain, _ := url.PathUnescape(m)
		return plain
	})
}
