package markdown

import "strings"

// jiraMacro is one issue, or a table that Jira fills.
func (f *flow) jiraMacro(m *macro, st style) {
	if key := m.param("key", "issuekey"); key != "" {
		t := &target{jira: key}
		f.note(*t)
		f.atom(run{kind: labelRun, subject: t}, st.to(t))
		return
	}
	f.add(DynamicContent, m.name, "Jira makes this part when the page is looked at")
	text := "Jira issues"
	if query := m.param("jqlQuery", "jql", "url", ""); query != "" {
		text += ": " + query
	}
	f.block(!f.inline, func() { f.marker(text, st) })
}

// fileMacro shows the content of a file; here it is a link to it.
func (f *flow) fileMacro(m *macro, st style) {
	written := false
	for i := range m.params {
		if t := m.params[i].target; t != nil {
			f.block(!f.inline, func() { f.named(t, "", st) })
			written = true
		}
	}
	name := m.param("name", "file", "")
	switch {
	case written:
	case name != "" && !strings.Contains(name, "/"):
		f.block(!f.inline, func() { f.named(&target{attachment: AttachmentRef{FileName: name}}, "", st) })
	default:
		f.kept(m, st, Unsupported, "a file that is not named")
	}
}

// profileMacro shows a person.
func (f *flow) profileMacro(m *macro, st style) {
	for i := range m.params {
		if t := m.params[i].target; t != nil && (t.account != "" || t.user != "") {
			f.note(*t)
			f.block(!f.inline, func() { f.atom(run{kind: labelRun, subject: t}, st) })
			return
		}
	}
	if user := m.param("user", "username", ""); user != "" {
		f.block(!f.inline, func() { f.atom(run{kind: labelRun, subject: &target{user: user}}, st) })
		return
	}
	f.kept(m, st, DynamicContent, "Confluence makes this part when the page is looked at")
}

// imgMacro is an app's image.
func (f *flow) imgMacro(m *macro, st style) {
	for i := range m.params {
		if t := m.params[i].target; t != nil {
			f.image(t, m.param("alt", "title"), st)
			return
		}
	}
	if address := m.param("src", "url", ""); address != "" {
		f.image(&target{url: address}, m.param("alt", "title"), st)
		return
	}
	f.kept(m, st, Unsupported, "an image without a source")
}
