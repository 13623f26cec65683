package markdown

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// readBack reads Markdown with goldmark, which knows nothing of this package,
// and returns it as a tree of ours: what a reader of the Markdown sees.
func readBack(t testing.TB, source string) *block {
	t.Helper()
	src := []byte(source)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(src))
	r := &reader{t: t, src: src}
	root := &block{kind: group}
	r.blocks(root, doc)
	return root
}

type reader struct {
	t   testing.TB
	src []byte

	inCell bool
}

func (r *reader) blocks(parent *block, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b := &block{}
		switch c := c.(type) {
		case *ast.Paragraph, *ast.TextBlock:
			b.runs = r.runs(c, run{})
			if parent.kind == item && len(parent.blocks) == 0 && len(b.runs) > 0 {
				if rest, found := strings.CutPrefix(b.runs[0].text+" ", boxes[decided]); found && b.runs[0].kind == textRun {
					parent.state, b.runs[0].text = decided, strings.TrimSuffix(rest, " ")
				}
			}
			if box, ok := c.FirstChild().(*extast.TaskCheckBox); ok {
				parent.state = open
				if box.IsChecked {
					parent.state = done
				}
			}
		case *ast.Heading:
			b.kind, b.level, b.runs = heading, c.Level, r.runs(c, run{})
		case *ast.Blockquote:
			b.kind = quote
			r.blocks(b, c)
		case *ast.FencedCodeBlock:
			b.kind, b.language, b.text = code, string(c.Language(r.src)), r.lines(c)
		case *ast.ThematicBreak:
			b.kind = rule
		case *ast.List:
			b.kind, b.level, b.numbered = list, c.Start, c.IsOrdered()
			r.blocks(b, c)
		case *ast.ListItem:
			b.kind = item
			r.blocks(b, c)
		case *extast.Table:
			b.kind = table
			r.blocks(b, c)
		case *extast.TableRow, *extast.TableHeader:
			b.kind = row
			r.blocks(b, c)
		case *extast.TableCell:
			b.kind, b.header = cell, c.Parent().Kind() == extast.KindTableHeader
			r.inCell = true
			if runs := tidy(r.runs(c, run{})); len(runs) > 0 {
				b.blocks = []*block{{runs: runs}}
			}
			r.inCell = false
		default:
			r.t.Errorf("the Markdown holds a block that nobody wrote: %v\n%s", c.Kind(), r.src)
		}
		parent.blocks = append(parent.blocks, b)
	}
}

// lines returns a fence's content without its last line break.
func (r *reader) lines(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(r.src))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (r *reader) runs(n ast.Node, st run) []run {
	var runs []run
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		in := st
		switch c := c.(type) {
		case *ast.Text:
			in.text = unescape(string(c.Value(r.src)), c.IsRaw())
			runs = append(runs, in)
			if c.HardLineBreak() {
				runs = append(runs, run{kind: breakRun})
			} else if c.SoftLineBreak() {
				r.t.Errorf("the Markdown holds a soft line break\n%s", r.src)
			}
		case *ast.String:
			in.text = string(c.Value)
			runs = append(runs, in)
		case *ast.CodeSpan:
			in.marks |= codeMark
			for s := c.FirstChild(); s != nil; s = s.NextSibling() {
				in.text += string(s.(*ast.Text).Value(r.src))
			}
			if r.inCell {
				in.text = strings.ReplaceAll(in.text, "\\|", "|")
			}
			runs = append(runs, in)
		case *ast.Emphasis:
			in.marks |= emphasis
			if c.Level == 2 {
				in.marks = st.marks | strong
			}
			runs = append(runs, r.runs(c, in)...)
		case *extast.Strikethrough:
			in.marks |= strike
			runs = append(runs, r.runs(c, in)...)
		case *ast.Link:
			in.link = &target{url: unescape(string(c.Destination), false), title: unescape(string(c.Title), false)}
			runs = append(runs, r.runs(c, in)...)
		case *ast.AutoLink:
			in.text = string(c.Label(r.src))
			runs = append(runs, in)
		case *ast.Image:
			in.kind, in.subject = imageRun, &target{url: unescape(string(c.Destination), false), title: unescape(string(c.Title), false)}
			for _, alt := range r.runs(c, run{}) {
				in.text += alt.text
			}
			runs = append(runs, in)
		case *ast.RawHTML:
			if html := string(c.Segments.Value(r.src)); html != "<br>" {
				r.t.Errorf("the Markdown holds the HTML %q\n%s", html, r.src)
			}
			runs = append(runs, run{kind: breakRun})
		case *extast.TaskCheckBox:
		default:
			r.t.Errorf("the Markdown holds something that nobody wrote: %v\n%s", c.Kind(), r.src)
		}
	}
	for i := 1; i < len(runs); i++ { // goldmark ends a text where a link might begin
		a, b := &runs[i-1], runs[i]
		if a.kind == textRun && b.kind == textRun && a.marks == b.marks && a.link == b.link && a.marks&codeMark == 0 {
			a.text += b.text
			runs = slices.Delete(runs, i, i+1)
			i--
		}
	}
	return runs
}

var escapes = regexp.MustCompile(`\\[!-/:-@\[-\x60{-~]|&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z0-9]+);`)

// unescape reads backslash escapes and character references, once.
func unescape(s string, raw bool) string {
	if raw {
		return s
	}
	return escapes.ReplaceAllStringFunc(s, func(m string) string {
		if m[0] == '\\' {
			return m[1:]
		}
		return html.UnescapeString(m)
	})
}
