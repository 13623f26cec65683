package markdown

import "strings"

// resolution is the part that both writers share: it turns runs, which may
// point at things, into spans, which are plain words and addresses.
type resolution struct {
	resolver Resolver
	warnings warnings
}

// span is a run whose targets are known.
type span struct {
	kind  runKind
	text  string
	marks mark
	link  *target // tells links apart that stand side by side
	href  string  // where the link leads; "" is no link
	image string  // the image's address
}

func (r *resolution) result(text string) Result {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return Result{Text: text, Warnings: r.warnings.list}
}

// resolve looks up what runs point at.
func (r *resolution) resolve(runs []run) []span {
	spans := make([]span, 0, len(runs))
	href := "" // of the run before
	for i := range runs {
		s := span{kind: runs[i].kind, text: runs[i].text, marks: runs[i].marks}
		switch {
		case s.kind == labelRun:
			s.kind, s.text = textRun, r.label(&runs[i])
		case s.kind == previewRun:
			if s.image = r.resolver.safe(r.resolver.Attachments[runs[i].subject.attachment].URL); s.image != "" {
				s.kind, s.text = imageRun, r.label(&runs[i])
			} else {
				s.kind = textRun
			}
		case s.kind == imageRun:
			s.image = r.resolver.address(runs[i].subject)
			if s.text = firstOf(s.text, r.resolver.label(runs[i].subject)); s.text == "" {
				s.text = r.label(&runs[i])
			}
			if s.image == "" {
				r.unsafe("image", runs[i].subject)
				s.kind = textRun
			}
		}
		if link := runs[i].link; link != nil {
			if s.link = link; i > 0 && runs[i-1].link == link {
				s.href = href
			} else {
				s.href = r.resolver.address(link)
			}
			href = s.href
			if s.href == "" {
				s.link = nil
				if i == 0 || runs[i-1].link != link {
					r.unsafe("link", link)
				}
			}
		}
		if s.text != "" || s.kind == breakRun {
			spans = append(spans, s)
		}
	}
	return spans
}

// unsafe warns of an address that must not be followed. A Jira key without a
// Jira address is none.
func (r *resolution) unsafe(what string, t *target) {
	if t.url != "" {
		r.warnings.add(UnsafeLink, what, "an address that is not safe to follow was taken out")
	}
}

// label names what a run points at, by its id where there is no name.
func (r *resolution) label(named *run) string {
	t := named.subject
	if text := collapse(firstOf(r.resolver.label(t), named.text, t.space, t.jira, t.shortcut, t.url, t.anchor), true); text != "" {
		return text
	}
	switch {
	case t.account != "" || t.user != "":
		r.warnings.add(Unresolved, "user", "a person is shown by account id, since the name is not known")
		return "@" + firstOf(t.account, t.user)
	case t.attachment != AttachmentRef{}:
		r.warnings.add(Unresolved, "attachment", "a file is shown by its id, since the name is not known")
		return firstOf(t.attachment.FileID, "attachment")
	}
	r.warnings.add(Unresolved, "page", "a page is shown by its id, since the title is not known")
	return firstOf(t.page.ID, "page")
}
