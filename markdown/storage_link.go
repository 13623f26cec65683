package markdown

import "strings"

// anchorElement is a link to an address, or the name of a place.
func (s *storage) anchorElement(e *element, st style) {
	href := strings.TrimSpace(e.attr("href"))
	switch {
	case href == "":
		if e.attr("name") != "" || e.attr("id") != "" {
			s.anchor()
		}
		s.walk(e, st)
	case href[0] == '#' && e.empty(): // the handle of a heading, which shows nothing
		s.walk(e, st)
	case href[0] == '#' && len(href) > 1:
		s.labelled(e, &target{anchor: href[1:], title: e.title()}, st)
	default:
		t := &target{url: href, title: e.title()}
		s.note(*t)
		if e.attr("data-card-appearance") != "" && strings.TrimSpace(e.textUpTo(len(href)+1)) == href {
			s.named(t, "", st) // a card without a label of the author's, which shows the title
			return
		}
		s.labelled(e, t, st)
	}
}

// title returns what shows under the pointer; "" if the element's text says it.
func (e *element) title() string {
	title := strings.Join(strings.Fields(e.attr("title")), " ")
	if title == "" || title == strings.TrimSpace(e.textUpTo(maxTitle)) {
		return ""
	}
	return title
}

// maxTitle bounds how much of an element's text is compared with its title.
const maxTitle = 1000

// anchor is a place that links point at.
func (f *flow) anchor() {
	f.add(AnchorLost, "anchor", "a place that links point at cannot be marked")
}

// labelled writes a link around the content of an element, or around its own
// name if it has none.
func (s *storage) labelled(label *element, t *target, st style) {
	if label.empty() {
		s.named(t, "", st)
		return
	}
	s.walk(label, s.styled(label, st.to(t)))
}

// named writes a link that is called like what it leads to.
func (f *flow) named(t *target, name string, st style) {
	f.note(*t)
	f.run(run{kind: labelRun, subject: t, text: name}, st.to(t))
}

// linkElement is Confluence's own link: a resource, an anchor and a label, each
// of which may be missing.
func (s *storage) linkElement(e *element, st style) {
	t := &target{}
	for _, child := range e.children {
		if found := resource(child); found != nil {
			t = found
		} else if strings.HasPrefix(child.name, "ri:") {
			s.add(Unsupported, child.name, "a link to something that is not known")
		}
	}
	t.anchor = e.attr("anchor")
	label := e.label()
	if *t == (target{}) { // a link to nowhere
		s.walk(label, st)
		return
	}
	t.title = strings.Join(strings.Fields(e.attr("tooltip")), " ")
	s.note(*t)
	if t.shortcut != "" {
		s.add(Unresolved, "ri:shortcut", "a link by a short form that only the site can follow")
	}
	switch {
	case t.account != "" || t.user != "":
		s.mention(t, label, st)
	case label.empty():
		s.named(t, "", st)
	default:
		s.walk(label, st.to(t))
	}
}

// label returns what stands in a link: its body, and what is beside it against
// the format.
func (e *element) label() *element {
	label := &element{name: e.name}
	for _, child := range e.rest().children {
		if child.name == "ac:link-body" || child.name == "ac:plain-text-link-body" {
			label.children = append(label.children, child.children...)
		} else {
			label.children = append(label.children, child)
		}
	}
	return label
}

// mention names a person.
func (s *storage) mention(t *target, label *element, st style) {
	if !label.empty() {
		s.walk(label, st)
		return
	}
	s.atom(run{kind: labelRun, subject: t}, st)
}

// strayResource is a resource outside of a link or image.
func (s *storage) strayResource(e *element, st style) {
	if t := resource(e); t != nil {
		s.note(*t)
		s.named(t, "", st)
	}
	s.walk(e, st)
}

// resource returns what an ri: element names, or nil if it is none.
func resource(e *element) *target {
	switch e.name {
	case "ri:page":
		return &target{page: PageRef{ID: e.attr("content-id"), SpaceKey: e.attr("space-key"), Title: e.attr("content-title")}}
	case "ri:blog-post":
		return &target{page: PageRef{SpaceKey: e.attr("space-key"), Title: e.attr("content-title"), PostingDay: e.attr("posting-day")}}
	case "ri:content-entity":
		return &target{page: PageRef{ID: e.attr("content-id")}}
	case "ri:attachment":
		t := &target{attachment: AttachmentRef{FileName: e.attr("filename")}}
		for _, owner := range e.children {
			if page := resource(owner); page != nil {
				t.attachment.Page = page.page
			}
		}
		return t
	case "ri:space":
		return &target{space: e.attr("space-key")}
	case "ri:user":
		return &target{account: e.attr("account-id"), user: firstOf(e.attr("userkey"), e.attr("username"))}
	case "ri:url":
		return &target{url: e.attr("value")}
	case "ri:shortcut":
		return &target{shortcut: firstOf(e.attr("parameter"), e.attr("key"))}
	}
	return nil
}
