package markdown

import "strings"

// imageElement is an image from this page, another page, or anywhere.
func (s *storage) imageElement(e *element, st style) {
	var t *target
	for _, child := range e.children {
		if found := resource(child); found != nil {
			t = found
		}
	}
	if t == nil || *t == (target{}) {
		s.add(Unsupported, "ac:image", "an image without a source")
		s.atom(run{text: "[" + firstOf(e.attr("alt"), "image") + "]"}, st)
	} else {
		around := st
		if href := strings.TrimSpace(e.attr("href")); href != "" {
			around = st.to(&target{url: href})
		}
		s.titledImage(t, e, around)
	}
	s.walk(e.rest("ac:adf-mark"), st) // the caption
}

// titledImage writes an image that is called by its description, or else by what
// shows under the pointer.
func (s *storage) titledImage(t *target, e *element, st style) {
	title := e.title()
	alt := firstOf(e.attr("alt"), title)
	if title != strings.TrimSpace(alt) {
		t.title = title
	}
	s.image(t, alt, st)
}

// image writes an image. Without a description it is called like its file.
func (f *flow) image(t *target, alt string, st style) {
	f.note(*t)
	if alt == "" && t.url != "" {
		alt = fileOf(t.url)
	}
	f.run(run{kind: imageRun, subject: t, text: strings.Join(strings.Fields(alt), " ")}, st)
}

// fileOf returns the last part of an address's path.
func fileOf(address string) string {
	path, _, _ := strings.Cut(address, "?")
	path, _, _ = strings.Cut(path, "#")
	path = strings.TrimRight(path, "/")
	if (&Resolver{}).safe(path) == "" {
		return "image" // what is in such an address is no name
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

func (s *storage) imgElement(e *element, st style) {
	if e.attr("src") == "" {
		s.add(Unsupported, "img", "an image without a source")
		s.atom(run{text: "[" + firstOf(e.attr("alt"), "image") + "]"}, st)
		return
	}
	s.titledImage(&target{url: e.attr("src")}, e, st)
}

// fabMedia is an image of the early new editor.
func (s *storage) fabMedia(e *element, st style) {
	s.end()
	s.image(&target{attachment: AttachmentRef{FileName: e.attr("file-name"), FileID: e.attr("media-id")}}, "", st)
	s.end()
}
