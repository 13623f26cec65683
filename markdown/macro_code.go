package markdown

import "strings"

// codeMacro is a block of code, or source in a language that Confluence renders.
func (f *flow) codeMacro(m *macro, name string) {
	language := m.param("language", "lang", "")
	if name == "html" || name == "markdown" || name == "sql" {
		language = name
		if name != "sql" {
			f.add(Unsupported, m.name, "text in another markup language is kept as its source")
		}
	}
	f.titled(m.param("title"), nil, style{})
	if !m.coded && m.body != nil { // some apps and old pages have a rich body here
		m.body(style{})
		f.end()
	}
	if m.coded || m.body == nil {
		f.leaf(&block{kind: code, text: normalLines(m.plain), language: fenceLanguage(language)})
		m.coded = false
	}
}

// normalLines gives each line the end that the tree uses.
func normalLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// fenceLanguage returns a language name that can stand behind a fence, or "".
func fenceLanguage(name string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+-#._", r))
	}
	if strings.ContainsFunc(name, odd) || len(name) > 40 {
		return ""
	}
	return name
}

// mathMacro is TeX: a reader sees its source.
func (f *flow) mathMacro(m *macro, name string, st style) {
	source := firstOf(m.plain, m.param("body", "equation", "latex", ""))
	if source != "" {
		m.coded = false
	}
	switch {
	case source == "" && m.body != nil:
		f.transparent(m, st)
	case source == "":
		f.kept(m, st, Unsupported, "a formula without source")
	case strings.Contains(name, "inline") || name == "unit":
		f.write(source, st.with(codeMark))
	default:
		f.leaf(&block{kind: code, text: normalLines(source), language: "math"})
	}
}

// diagramMacro is a picture that is drawn from source, or one that an app keeps
// as an attachment beside its preview.
func (f *flow) diagramMacro(m *macro, st style) {
	if m.coded && strings.TrimSpace(m.plain) != "" {
		language := strings.ToLower(m.name)
		for _, known := range []string{"plantuml", "mermaid"} {
			if strings.Contains(language, known) {
				language = known
			}
		}
		if language != "mermaid" { // which GitHub draws
			f.add(Unsupported, m.name, "a diagram is kept as its source")
		}
		f.titled(m.param("title"), nil, st)
		f.leaf(&block{kind: code, text: normalLines(m.plain), language: fenceLanguage(language)})
		m.coded = false
		return
	}
	f.add(Unsupported, m.name, "a diagram cannot be shown as text")
	name := m.param("diagramName", "diagramDisplayName", "name", "filename", "title", "")
	if name == "" {
		f.block(!f.inline, func() { f.marker(m.name+" diagram", st) })
		return
	}
	file := name
	if !strings.HasSuffix(file, ".png") {
		file += ".png" // what draw.io and Gliffy call their previews
	}
	t := &target{attachment: AttachmentRef{FileName: file}}
	f.note(*t)
	f.block(!f.inline, func() {
		f.run(run{kind: previewRun, subject: t, text: "[" + m.name + " diagram: " + name + "]"}, st)
	})
}
