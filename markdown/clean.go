package markdown

import (
	"strings"
	"unicode/utf8"
)

// clean takes out characters that no text has. They reach this place through
// numeric references and JSON escapes.
func (w *warnings) clean(s string) string {
	if allText(s) {
		return s
	}
	w.add(CharactersReplaced, "", "control characters were taken out")
	return strings.Map(textOnly, s)
}

// allText tells whether a string holds nothing that textOnly takes out. It is on the way
// of every byte, so it looks at bytes.
func allText(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= ' ' && c < 0x7F, c == '\t', c == '\n', c == '\r', c > 0x7F && c != 0xEF:
		case c != 0xEF || strings.HasPrefix(s[i:], "\uFFFE") || strings.HasPrefix(s[i:], "\uFFFF"):
			return false
		}
	}
	return true
}

// textOnly returns -1 for the characters that XML 1.0 forbids, and for DEL.
func textOnly(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// cleanSource takes out what can be in no XML: broken UTF-8, control characters.
func cleanSource(source string, w *warnings) string {
	if utf8.ValidString(source) && allText(source) {
		return source
	}
	w.add(CharactersReplaced, "", "bytes that are no text were replaced")
	return strings.Map(textOnly, strings.ToValidUTF8(source, "\uFFFD"))
}
