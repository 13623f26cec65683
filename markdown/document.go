package markdown

// Document is a page body that has been read. It is not changed after parsing,
// so any number of goroutines may write it.
type Document struct {
	root       *block
	warnings   warnings
	references References
}

// References returns what the body refers to, each thing once, in the order of
// the text. The caller must not change it.
func (d *Document) References() References { return d.references }

// Empty tells whether the body shows nothing at all.
func (d *Document) Empty() bool { return len(d.root.blocks) == 0 }

// Result is a body in words.
type Result struct {
	// Text ends with a line break unless it is empty.
	Text string
	// Warnings name what the text lacks. None means that nothing was lost.
	Warnings []Warning
}

// Markdown writes the body as GitHub-flavoured Markdown.
func (d *Document) Markdown(r Resolver) Result {
	w := &markdownWriter{resolution: resolution{resolver: r, warnings: d.warnings.clone()}}
	w.blocks(d.root.blocks, false)
	return w.result(w.out.String())
}

// Text writes the body as plain text: lines, list marks and table rows stay, and
// emphasis does not, which goes without a warning. What a link leads to follows
// its label in parentheses, by name or else by address, unless the label says it:
// "the plan (Roadmap 2026)", "our site (https://acme.example)". An image is its
// description in brackets. A pipe within a table cell is written as \|, to tell it
// from the edge of one.
func (d *Document) Text(r Resolver) Result {
	w := &textWriter{resolution: resolution{resolver: r, warnings: d.warnings.clone()}}
	w.warnings.drop(FormattingLost)
	w.blocks(d.root.blocks, false)
	return w.result(w.out.String())
}
