package markdown

// listNode reads lists of all kinds.
func (a *adf) listNode(n node, st style) {
	l := &block{kind: list}
	if str(n, "type") == "orderedList" {
		l.numbered, l.level = true, 1
		if start := str(attrs(n), "order"); start != "" {
			l.level = a.listNumber(start, len(children(n)))
		}
	}
	a.within(l, func() { a.content(n, st) })
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
