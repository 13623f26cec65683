package markdown

import (
	"strings"
)

// macro is a call of a macro, from storage format or from an ADF extension.
type macro struct {
	name   string
	params []param
	plain  string // the plain-text body
	body   func(style)
	// coded tells that there is a plain-text body, which may be empty, and which
	// has not been written yet.
	coded bool
}

// param is one parameter; the name of the unnamed one is empty.
type param struct {
	name, text string
	target     *target // if it names a page, a file, …
}

// param returns the first of the named parameters that is not blank.
func (m *macro) param(names ...string) string {
	for _, name := range names {
		for i := range m.params {
			if strings.EqualFold(m.params[i].name, name) && strings.TrimSpace(m.params[i].text) != "" {
				return strings.TrimSpace(m.params[i].text)
			}
		}
	}
	return ""
}

// macro writes what a macro shows, and after it the body, if the macro is one
// that has none: no text is lost for standing in the wrong place.
func (f *flow) macro(m *macro, st style) {
	body, shown := m.body, false
	if body != nil {
		m.body = func(st style) { shown = true; body(st) }
	}
	f.dispatch(m, st)
	if body != nil && !shown {
		f.block(true, func() { body(st) })
	}
	if m.coded && strings.TrimSpace(m.plain) != "" {
		f.leaf(&block{kind: code, text: normalLines(m.plain)})
	}
}

// dispatch finds how a macro is written, by its name. The names are Confluence's
// own and those of the apps that are met most; all others are kept as well as
// they can be.
func (f *flow) dispatch(m *macro, st style) {
	switch name := strings.ToLower(m.name); name {
	case "code", "noformat", "code-block", "codeblock", "paste-code-macro", "html", "html-include", "markdown", "sql":
		f.codeMacro(m, name)
	case "mathblock", "mathinline", "math", "latex", "latexformatting", "mathjax-block-macro", "mathjax-inline-macro",
		"eazy-math-block", "eazy-math-inline", "easy-math-block", "easy-math-inline", "katex", "unit":
		f.mathMacro(m, name, st)
	case "plantuml", "plantumlrender", "plantumlcloud", "mermaid", "mermaid-macro", "mermaid-cloud", "mermaiddiagram", "graphviz", "flowchart",
		"drawio", "drawio-sketch", "inc-drawio", "gliffy", "lucidchart", "balsamiq":
		f.diagramMacro(m, st)
	case "info", "note", "warning", "tip", "success", "error", "panel", "alert", "auimessage", "message-box", "ui-message":
		f.panelMacro(m, name, st)
	case "expand", "ui-expand":
		f.expand(m.param("title", ""), m.body, st)
	case "section", "column", "excerpt", "details", "center", "div", "span", "align", "page-properties":
		f.transparent(m, st)
	case "status":
		f.atom(run{text: m.param("title", "colour", "color", "")}, st)
	case "time":
		if day := m.param("datetime", ""); day != "" {
			f.atom(run{text: day}, st)
		} else {
			f.kept(m, st, Unsupported, "a date that is not said")
		}
	case "anchor":
		f.anchor()
	case "jira", "jiraissues":
		f.jiraMacro(m, st)
	case "view-file", "viewfile", "viewpdf", "viewdoc", "viewppt", "viewxls", "viewdocx", "viewxlsx", "multimedia":
		f.fileMacro(m, st)
	case "profile", "profile-picture":
		f.profileMacro(m, st)
	case "img", "image":
		f.imgMacro(m, st)
	case "toc", "toc-zone", "children", "pagetree", "pagetreesearch", "recently-updated", "recently-updated-dashboard", "include",
		"excerpt-include", "include-page", "excerpt-include-macro", "multiexcerpt-include", "multiexcerpt-include-macro",
		"multiexcerpt-fast-include-block-macro", "multiexcerpt-fast-include-inline-macro", "detailssummary", "page-properties-report", "content-report-table",
		"contentbylabel", "content-by-user", "content-by-label", "listlabels", "popular-labels", "related-labels",
		"recently-used-labels", "attachments", "space-attachments", "gallery", "contributors", "contributors-summary", "livesearch",
		"search", "blog-posts", "spaces", "space-details", "global-reports", "favpages", "network", "index", "navmap", "change-history",
		"tasks-report-macro", "status-list", "outgoing-links", "rw-pagetree", "calendar", "userlister", "rss", "gadget", "user-list":
		f.kept(m, st, DynamicContent, "Confluence makes this part when the page is looked at")
	default:
		f.kept(m, st, Unsupported, "the macro is not known: its body is shown, or else a marker")
	}
}

// transparent shows a macro that only groups its body. Around one that is
// inline, the sentence goes on.
func (f *flow) transparent(m *macro, st style) {
	inline := strings.EqualFold(m.param("atlassian-macro-output-type"), "inline") || strings.EqualFold(m.name, "span")
	f.block(!inline, func() {
		if m.body != nil {
			m.body(st)
		}
	})
}

// block runs fill, as a block of its own if asked to.
func (f *flow) block(own bool, fill func()) {
	if own {
		f.end()
		defer f.end()
	}
	fill()
}

// titled writes a title over blocks that follow it, of which it is no heading.
func (f *flow) titled(title string, body func(style), st style) {
	f.end()
	f.write(title, style{marks: strong})
	f.end()
	if body != nil {
		body(st)
	}
	f.end()
}

// kept writes what can be had of a macro: its title and body, or, without one,
// a marker that names it and what it points at.
func (f *flow) kept(m *macro, st style, code Code, message string) {
	f.add(code, firstOf(m.name, "macro"), message)
	title := m.param("title", "name", "text", "label", "linktext", "caption", "")
	if m.body == nil && !m.coded {
		f.block(!f.inline, func() { f.macroMarker(m, title, st) })
		return
	}
	if title != "" {
		f.titled(title, nil, st)
	}
	f.block(m.body != nil, func() {
		if m.body != nil {
			m.body(st)
		}
	})
	for i := range m.params {
		if t := m.params[i].target; t != nil {
			f.note(*t)
		}
	}
}

// macroMarker writes [name: title, links].
func (f *flow) macroMarker(m *macro, title string, st style) {
	f.write("["+firstOf(m.name, "macro"), st)
	separator := ": "
	if title != "" {
		f.write(separator+title, st)
		separator = ", "
	}
	for i := range m.params {
		if t := m.params[i].target; t != nil && (title == "" || m.params[i].text != title) {
			f.write(separator, st)
			f.named(t, "", st)
			separator = ", "
		}
	}
	f.write("]", st)
}
