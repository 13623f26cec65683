package markdown

import (
	"encoding/json"
	"maps"
	"slices"
)

// unknownNode is one that this package has no form for.
func (a *adf) unknownNode(n node, st style) {
	kind := str(n, "type")
	text := firstOf(str(n, "text"), str(attrs(n), "text"), str(attrs(n), "title"))
	if kind == "" {
		a.add(Malformed, "node", "an object without a type: only the nodes and the text in it are shown")
	} else {
		a.add(Unsupported, kind, "an unknown node: what it holds is shown, or else a marker")
		if text == "" && len(children(n)) == 0 {
			text = "[" + kind + "]"
		}
	}
	a.block(!a.sentence, func() {
		if text != "" {
			a.atom(run{text: text}, st)
		}
		a.block(!a.sentence && text != "", func() { a.content(n, st) })
	})
	if n["content"] == nil && kind == "" {
		a.wrapped(n, st)
	}
}

// wrapped looks for nodes in an object that is none, such as an answer of an API
// around a document.
func (a *adf) wrapped(n node, st style) {
	for _, key := range slices.Sorted(maps.Keys(n)) {
		value := n[key]
		if text, ok := value.(string); ok && key == "value" {
			if json.Unmarshal([]byte(text), &value) != nil {
				a.write(text, st)
				continue
			}
		}
		switch value := value.(type) {
		case map[string]any:
			a.repair(value)
			a.node(value, st)
		case []any:
			a.content(node{"content": a.repaired(value)}, st)
		}
	}
}

// unsupportedNode is what an editor could not show. Confluence's keeps the
// storage format of it, others the node that it was.
func (a *adf) unsupportedNode(n node, st style) {
	source := str(attrs(n), "cxhtml")
	original, _ := attrs(n)["originalValue"].(map[string]any)
	switch {
	case source != "":
		s := &storage{flow: a.flow}
		s.inline = str(n, "type") == "confluenceUnsupportedInline"
		s.walk(readElements(source, &a.warnings), st)
	case original != nil:
		a.repair(original)
		a.node(original, st)
	default:
		a.unknownNode(n, st)
	}
}
