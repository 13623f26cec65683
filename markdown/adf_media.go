package markdown

import "strings"

// mediaNode is an image or a file, by address or by file id.
func (a *adf) mediaNode(n node, st style) {
	st = a.marked(n, st)
	if t := media(attrs(n)); *t != (target{}) {
		a.image(t, str(attrs(n), "alt"), st)
	} else {
		a.nameless(n, st)
	}
}

// mediaGroup is a row of files, which the editor shows as cards.
func (a *adf) mediaGroup(n node, st style) {
	for _, child := range children(n) {
		a.block(true, func() {
			if str(child, "type") == "media" {
				a.mediaInline(child, st)
			} else {
				a.node(child, st)
			}
		})
	}
}

// mediaInline is a file inside a sentence.
func (a *adf) mediaInline(n node, st style) {
	if t := media(attrs(n)); str(attrs(n), "type") == "image" || *t == (target{}) {
		a.mediaNode(n, st)
	} else {
		a.named(t, str(attrs(n), "alt"), a.marked(n, st))
	}
}

// nameless is media that points at nothing.
func (a *adf) nameless(n node, st style) {
	a.add(Unsupported, str(n, "type"), "media without a file or an address")
	a.atom(run{text: "[" + firstOf(str(attrs(n), "alt"), "media") + "]"}, st)
}

func media(attrs node) *target {
	if address := str(attrs, "url"); address != "" {
		return &target{url: address}
	}
	file := AttachmentRef{FileID: str(attrs, "id"), FileName: str(attrs, "__fileName")}
	if file != (AttachmentRef{}) {
		file.Page.ID = ownerOf(str(attrs, "collection"))
	}
	return &target{attachment: file}
}

// ownerOf returns the id of the page that a media collection belongs to, which its
// name tells: contentId-1001.
func ownerOf(collection string) string {
	id, found := strings.CutPrefix(collection, "contentId-")
	if !found || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}

// cardNode is an address that the editor shows by its title.
func (a *adf) cardNode(n node, st style) {
	data, _ := attrs(n)["data"].(map[string]any)
	address := firstOf(str(attrs(n), "url"), str(data, "url"))
	a.block(str(n, "type") != "inlineCard", func() {
		if address == "" {
			a.add(Unsupported, str(n, "type"), "a card without an address")
			a.marker(firstOf(str(data, "name"), "card"), st)
			return
		}
		t := &target{url: address}
		a.note(*t)
		a.atom(run{kind: labelRun, subject: t, text: str(data, "name")}, st.to(t))
	})
}

// applicationCard is the card of an early app; its texts are kept.
func (a *adf) applicationCard(n node, st style) {
	attrs := attrs(n)
	a.add(Unsupported, "applicationCard", "the card's texts are kept")
	part := func(key string) node { m, _ := attrs[key].(map[string]any); return m }
	title := firstOf(str(part("title"), "text"), str(attrs, "text"), "card")
	a.block(true, func() {
		if address := firstOf(str(part("link"), "url"), str(attrs, "textUrl")); address != "" {
			st := st.to(&target{url: address})
			a.write(title, st)
		} else {
			a.write(title, st)
		}
	})
	a.block(true, func() { a.write(str(part("description"), "text"), st) })
	details, _ := attrs["details"].([]any)
	for _, v := range details {
		detail, _ := v.(map[string]any)
		lozenge, _ := detail["lozenge"].(map[string]any)
		for _, text := range []string{str(detail, "title"), str(detail, "text"), str(lozenge, "text")} {
			a.block(true, func() { a.write(text, st) })
		}
	}
	a.block(true, func() { a.write(str(part("context"), "text"), st) })
}
