package markdown

// repaired returns content in the shape that ADF has: a list of nodes, of which
// only those of type text have text. What other programs write instead keeps its
// text, with a warning.
func (a *adf) repaired(content any) []any {
	switch content := content.(type) {
	case nil:
		return nil
	case []any:
		nodes := make([]any, 0, len(content))
		for _, v := range content {
			n, ok := v.(map[string]any)
			if !ok {
				if v != nil {
					a.misshapen("content")
				}
				nodes = append(nodes, node{"type": "text", "text": " "}) // so that words stay apart
				nodes = append(append(nodes, a.loose(v)...), node{"type": "text", "text": " "})
				continue
			}
			a.repair(n)
			nodes = append(nodes, n)
			if inner, _ := n["content"].([]any); len(inner) > 0 && childlessNode(str(n, "type")) {
				a.misshapen(str(n, "type"))
				delete(n, "content")
				nodes = append(nodes, inner...)
			}
		}
		return nodes
	}
	a.misshapen("content")
	return a.loose(content)
}

// loose makes nodes of a value that is none.
func (a *adf) loose(v any) []any {
	switch v := v.(type) {
	case nil, bool:
		return nil
	case map[string]any, []any:
		if n, ok := v.(map[string]any); ok {
			v = []any{n}
		}
		return a.repaired(v)
	}
	return []any{node{"type": "text", "text": str(node{"v": v}, "v")}}
}

// repair gives a node and those in it their shape.
func (a *adf) repair(n node) {
	kind := str(n, "type")
	if content, ok := n["content"]; ok {
		n["content"] = a.repaired(content)
	}
	text, ok := n["text"]
	if _, isText := text.(string); !ok || isText && kind == "text" {
		return
	}
	if kind == "text" {
		a.misshapen("text")
		n["text"] = textOf(node{"content": a.loose(text)})
		return
	}
	if a.visitor(kind) == nil { // which shows its text anyway
		return
	}
	delete(n, "text")
	if first := a.loose(text); len(first) > 0 && text != "" {
		a.misshapen(kind)
		inner, _ := n["content"].([]any)
		n["content"] = append(first, inner...)
	}
}

func (a *adf) misshapen(construct string) {
	a.add(Malformed, construct, "a node that breaks the rules of ADF; its text is kept")
}

// childlessNode tells the nodes that hold no others.
func childlessNode(kind string) bool {
	switch kind {
	case "text", "hardBreak", "rule", "mention", "emoji", "date", "status", "placeholder", "inlineCard", "blockCard", "embedCard",
		"applicationCard", "media", "mediaInline", "syncBlock":
		return true
	}
	return false
}
