package markdown

import "strings"

// preElement is text whose blanks count.
func (s *storage) preElement(e *element, _ style) {
	language := languageOf(e)
	if only := e.child("code"); language == "" && only != nil {
		language = languageOf(only)
	}
	s.leaf(&block{kind: code, text: normalLines(s.codeText(e)), language: fenceLanguage(language)})
}

// languageOf reads the classes that pages on the web name a language with.
func languageOf(e *element) string {
	for class := range strings.FieldsSeq(e.attr("class")) {
		for _, prefix := range []string{"language-", "lang-"} {
			if name, found := strings.CutPrefix(class, prefix); found {
				return name
			}
		}
	}
	return ""
}

// codeText returns the content of an element byte for byte. Looks do not count
// there; links, people, macros and the like are written as plain text.
func (s *storage) codeText(e *element) string {
	var b strings.Builder
	s.appendCode(&b, e)
	return b.String()
}

func (s *storage) appendCode(b *strings.Builder, e *element) {
	for i, child := range e.children {
		switch {
		case child.name == "":
			b.WriteString(child.text)
		case child.name == "br":
			b.WriteByte('\n')
			s.appendCode(b, child)
		case child.name == "a" || child.name == "ac:link" && !child.label().empty():
			if child.name != "a" || child.attr("href") != "" {
				s.flattened(child.name)
			}
			s.appendCode(b, child.label())
		case s.flats >= maxFlats:
			s.add(LimitExceeded, "nesting", "what nests too deep in code was read as text")
			s.appendCode(b, child)
		case visitor(child.name) == nil: // such as <T> in code that someone typed in
			s.add(Unsupported, child.name, "an unknown element: only what stands in it is shown")
			s.appendCode(b, child)
		case oneText(child.name):
			if child.name == "ac:inline-comment-marker" {
				s.comment(child.attr("ref"), child.textUpTo(maxCommentText))
			}
			s.appendCode(b, child)
		case lines(child.name):
			ownLine(b)
			s.appendCode(b, child)
			if i+1 < len(e.children) && !strings.HasPrefix(e.children[i+1].text, "\n") {
				ownLine(b)
			}
		default:
			if !wholeText(child.name) {
				s.flattened(child.name)
			}
			b.WriteString(s.flat(func(inner *flow) { (&storage{flow: inner}).element(child, style{}) }))
		}
	}
}

// oneText tells the elements that only give text a look.
func oneText(name string) bool {
	switch name {
	case "strong", "b", "em", "i", "u", "s", "del", "ins", "strike", "sub", "sup", "code", "tt", "kbd", "samp", "var", "cite", "dfn",
		"span", "font", "big", "small", "mark", "label", "ac:link-body", "ac:plain-text-link-body", "ac:inline-comment-marker":
		return true
	}
	return false
}

// wholeText tells the elements that plain text shows as well as Markdown does.
func wholeText(name string) bool {
	return name == "ac:emoticon" || name == "time" || name == "ac:placeholder"
}

// lines tells the elements that start a line.
func lines(name string) bool {
	switch name {
	case "p", "div", "pre", "body":
		return true
	}
	return false
}

func ownLine(b *strings.Builder) {
	if text := b.String(); text != "" && !strings.HasSuffix(text, "\n") {
		b.WriteByte('\n')
	}
}
