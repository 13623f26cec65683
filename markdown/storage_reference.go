package markdown

import (
	"encoding/xml"
	"strconv"
	"strings"
	"unicode"
)

// maxReference bounds how far the end of a reference is looked for, as a text
// may hold any number of ampersands.
const maxReference = 32

// dereferenced returns a text of the source as it is meant: with references
// replaced and lines that end as the tree has it.
func (x *xmlReader) dereferenced(text string) string {
	text = normalLines(text)
	at := strings.IndexByte(text, '&')
	if at < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for ; at >= 0; at = strings.IndexByte(text, '&') {
		b.WriteString(text[:at])
		text = text[at:]
		meant, size := "&", 1
		if end := strings.IndexByte(text[:min(len(text), maxReference)], ';'); end > 0 {
			name := text[1:end]
			if found := entity(name); found != "" {
				meant, size = x.clean(found), end+1
				if found == "\uFFFD" && name != "#xFFFD" && name != "#65533" { // half of a pair, which is no character
					x.add(CharactersReplaced, "", "control characters were taken out")
				}
			}
		}
		b.WriteString(meant)
		text = text[size:]
	}
	b.WriteString(text)
	return b.String()
}

// entity returns what the name of a reference stands for; "" if it is none.
func entity(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	digits, numeric := strings.CutPrefix(name, "#")
	if !numeric {
		return xml.HTMLEntity[name]
	}
	base := 10
	if hex, found := strings.CutPrefix(digits, "x"); found {
		digits, base = hex, 16
	}
	if n, err := strconv.ParseUint(digits, base, 32); err == nil && n <= unicode.MaxRune {
		return string(rune(n))
	}
	return ""
}
