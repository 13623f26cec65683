package markdown

func (a *adf) tableNode(n node, st style) {
	numbered, _ := attrs(n)["isNumberColumnEnabled"].(bool)
	a.within(&block{kind: table, numbered: numbered}, func() {
		for _, child := range children(n) {
			a.rowNode(child, st)
		}
	})
}

func (a *adf) rowNode(n node, st style) {
	a.within(&block{kind: row}, func() {
		if str(n, "type") != "tableRow" {
			a.cellNode(n, st)
			return
		}
		for _, child := range children(n) {
			a.cellNode(child, st)
		}
	})
}

func (a *adf) cellNode(n node, st style) {
	c := newCell()
	kind := str(n, "type")
	if kind != "tableCell" && kind != "tableHeader" {
		a.within(c, func() { a.node(n, st) })
		return
	}
	c.header = kind == "tableHeader"
	c.colspan, c.rowspan = spanNumber(attrs(n)["colspan"]), spanNumber(attrs(n)["rowspan"])
	a.within(c, func() { a.content(n, st) })
}

func spanNumber(v any) int {
	n, _ := number(v)
	return min(max(n, 1), maxSpan)
}

// strayCell is a part of a table outside of one.
func (a *adf) strayCell(n node, st style) {
	a.within(&block{kind: table}, func() { a.rowNode(n, st) })
}
