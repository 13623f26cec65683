package markdown

import "strings"

// panelMacro is a framed text, whose kind the first line says.
func (f *flow) panelMacro(m *macro, name string, st style) {
	kind := name
	switch name {
	case "panel", "message-box":
		kind = ""
	case "alert", "auimessage", "ui-message":
		kind = m.param("type", "")
	}
	f.panel(kind, m.param("title"), m.body, st)
}

// expand is a text that a reader folds out. A quote shows where it ends.
func (f *flow) expand(title string, body func(style), st style) {
	f.within(&block{kind: quote}, func() { f.titled(title, body, st) })
}

// panel writes a quote that starts with its kind and title.
func (f *flow) panel(kind, title string, body func(style), st style) {
	label := title
	if kind != "" {
		label = strings.ToUpper(kind[:1]) + strings.ToLower(kind[1:])
		if title != "" {
			label += ": " + title
		}
	}
	f.within(&block{kind: quote}, func() { f.titled(label, body, st) })
}
