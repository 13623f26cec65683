package markdown

// listNode reads lists of all kinds. A list right inside a list belongs to the
// item before it.
func (a *adf) listNode(n node, st style) {
	l := &block{kind: list}
	if str(n, "type") == "orderedList" {
		start, ok := number(attrs(n)["order"])
		if !ok {
			start = 1
		}
		l.level = listNumber(start, len(children(n)))
	}
	a.within(l, func() {
		for _, child := range children(n) {
			switch str(child, "type") {
			case "listItem", "taskItem", "blockTaskItem", "decisionItem":
				a.itemNode(child, st)
			default:
				a.intoItem(l, func() { a.node(child, st) })
			}
		}
	})
}

func (a *adf) itemNode(n node, st style) {
	it := &block{kind: item}
	switch kind, state := str(n, "type"), str(attrs(n), "state"); {
	case kind == "decisionItem" && state == "DECIDED":
		it.state = decided
	case kind == "listItem" || kind == "decisionItem":
	case state == "DONE":
		it.state = done
	default:
		it.state = open
	}
	a.within(it, func() { a.content(n, st) })
	a.link = nil
}
