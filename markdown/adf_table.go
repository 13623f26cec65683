package markdown

func (a *adf) tableNode(n node, st style) {
	numbered, _ := attrs(n)["isNumberColumnEnabled"].(bool)
	a.within(&block{kind: table, numbered: numbered}, func() { a.content(n, st) })
}

func (a *adf) cellNode(n node, st style) {
	c := newCell()
	c.header = str(n, "type") == "tableHeader"
	c.colspan, c.rowspan = a.columns(spanNumber(attrs(n)["colspan"])), spanNumber(attrs(n)["rowspan"])
	a.within(c, func() { a.content(n, st) })
}

func spanNumber(v any) int {
	n, _ := number(v)
	return max(n, 1)
}
