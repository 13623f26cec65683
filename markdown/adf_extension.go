package markdown

import (
	"maps"
	"slices"
)

// extensionNode is a macro, by its key.
func (a *adf) extensionNode(n node, st style) {
	attrs := attrs(n)
	parameters, _ := attrs["parameters"].(map[string]any)
	m := &macro{name: firstOf(str(attrs, "extensionKey"), str(n, "type"))}
	values, _ := parameters["macroParams"].(map[string]any)
	if values == nil {
		values = parameters
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := str(values, name)
		if wrapped, ok := values[name].(map[string]any); ok {
			text = str(wrapped, "value")
		}
		if name == "__bodyContent" { // a plain-text body
			m.plain, m.coded = text, true
			continue
		}
		m.params = append(m.params, param{name: name, text: text})
	}
	if len(children(n)) > 0 {
		m.body = func(st style) { a.content(n, st) }
	} else if text := str(attrs, "text"); text != "" {
		m.params = append(m.params, param{name: "text", text: text})
	}
	inline := str(n, "type") == "inlineExtension"
	outer := a.inline
	a.inline = inline
	a.block(!inline, func() { a.macro(m, st) })
	a.inline = outer
}
