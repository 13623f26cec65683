package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// resolution is the part that both writers share: it turns runs, which may
// point at things, into spans, which are plain words and addresses.
type resolution struct {
	resolver Resolver
	warnings warnings
	bold     bool // in a header cell that is written as one of the body
}

// span is a run whose targets are known.
type span struct {
	kind  runKind
	text  string
	marks mark
	link  *target // tells links apart that stand side by side
	href  string  // where the link leads; "" is no link
	image string  // the image's address
	title string  // what shows under the pointer at the image
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
	var link *target // of the run before, which mostly goes on
	href := ""
	markerBefore := false
	for i := range runs {
		s := r.shown(&runs[i])
		if runs[i].link != link {
			link, href = runs[i].link, ""
			if link != nil {
				href = r.safeAddress("link", link)
			}
		}
		if href != "" {
			s.link, s.href = link, href
		}
		marker := runs[i].kind == imageRun && s.kind == textRun
		if n := len(spans); n > 0 && (marker || markerBefore) && touches(&spans[n-1], &s) {
			spans = append(spans, span{text: " "})
		}
		markerBefore = marker
		if r.bold {
			s.marks |= strong
		}
		if s.text != "" || s.kind == breakRun {
			spans = append(spans, s)
		}
	}
	return spans
}

// touches tells whether nothing parts two spans.
func touches(a, b *span) bool {
	end, _ := utf8.DecodeLastRuneInString(a.text)
	start, _ := utf8.DecodeRuneInString(b.text)
	return a.kind != breakRun && b.kind != breakRun && a.text != "" && b.text != "" && !unicode.IsSpace(end) && !unicode.IsSpace(start)
}

// shown returns what shows of a run, whether or not it is in a link.
func (r *resolution) shown(from *run) span {
	s := span{kind: from.kind, text: from.text, marks: from.marks}
	switch from.kind {
	case labelRun:
		s.kind, s.text = textRun, r.label(from)
	case previewRun:
		s.kind = textRun
		if s.image = r.resolver.safe(r.resolver.Attachments[from.subject.attachment].URL); s.image != "" {
			s.kind, s.text = imageRun, r.resolver.label(from.subject)
		}
		s.text = collapse(s.text, true)
	case imageRun:
		if s.text == "" {
			s.text = r.label(from)
		}
		if s.image, s.title = r.safeAddress("image", from.subject), from.subject.title; s.image == "" {
			s.kind, s.text = textRun, "["+described(s.text, s.title)+"]"
		}
	}
	return s
}

// described adds what shows under the pointer to what is shown.
func described(text, title string) string {
	if title == "" {
		return text
	}
	return text + ", " + title
}

// safeAddress returns where a target is, and warns if that must not be followed.
// A Jira key without a Jira address leads nowhere either, which is no loss.
func (r *resolution) safeAddress(what string, t *target) string {
	address := r.resolver.address(t)
	if address == "" && t.url != "" {
		r.warnings.add(UnsafeLink, what, "an address that is not safe to follow was taken out")
	}
	return address
}

// label names what a run points at, in one line.
func (r *resolution) label(named *run) string {
	t := named.subject
	name := firstOf(r.resolver.label(t), named.text, t.space, t.jira, t.shortcut, t.url, t.anchor)
	if name == "" {
		name = r.id(t)
	}
	return r.inOneLine(name)
}

// inOneLine makes a name a text like others: one line, without control characters.
func (r *resolution) inOneLine(name string) string { return collapse(r.warnings.clean(name), true) }

// id stands for a name that is not known.
func (r *resolution) id(t *target) string {
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
