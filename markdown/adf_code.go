package markdown

import "strings"

// codeNode is a block of code. What is no text in it is written as plain text.
func (a *adf) codeNode(n node, _ style) {
	a.leaf(&block{kind: code, text: normalLines(a.codeText(n)), language: fenceLanguage(str(attrs(n), "language"))})
}

func (a *adf) codeText(n node) string {
	var b strings.Builder
	for _, child := range children(n) {
		switch kind := str(child, "type"); kind {
		case "text":
			b.WriteString(str(child, "text"))
		case "hardBreak":
			b.WriteByte('\n')
		case "paragraph":
			ownLine(&b)
			b.WriteString(a.codeText(child))
		default:
			if kind != "emoji" && kind != "date" {
				a.flattened(firstOf(kind, "node"))
			}
			if a.flats >= maxFlats {
				a.add(LimitExceeded, "nesting", "what nests too deep in code was read as text")
				b.WriteString(textOf(child))
				continue
			}
			b.WriteString(a.flat(func(inner *flow) { (&adf{flow: inner, depth: a.depth}).node(child, style{}) }))
		}
	}
	return b.String()
}
