// Package markdown turns the bodies of Confluence pages into words: storage
// format and the Atlassian Document Format (ADF) go in, GitHub-flavoured
// Markdown or plain text comes out.
//
//	storage ──▶ elements ─┐
//	                      ├─▶ Document ──▶ Markdown
//	ADF ──────▶ JSON ─────┘   (one tree)   plain text
//
// Text survives. What a writer cannot show leaves a marker in its place, in
// brackets, and a [Warning] in the [Result]; a result without warnings has
// lost nothing that a reader would miss.
//
// The tree has nested blocks, and in each text block a flat row of runs that
// carry their marks, as ADF has it. That suits both sources: emphasis that
// crosses a comment marker, a link or a macro needs no repair, and the Markdown
// writer decides itself where to open and close what.
//
// Parsing asks nobody. What a body refers to (pages by title, attachments,
// people) is listed by [Document.References], so that a caller can look all of
// it up in one batch and hand the answers to the writer as a [Resolver]. The
// zero Resolver writes addresses made of what the body itself says.
//
// What is bounded: nesting, the numbers of merged cells and the bytes repeated
// for them. Work and memory grow in line with the input.
//
// The Markdown holds no HTML but <br> between the lines of a table cell, for
// which GitHub's Markdown has no other form. It reads back, with any CommonMark
// parser that knows tables and strikethrough, as exactly the text of the page.
package markdown
