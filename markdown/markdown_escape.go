package markdown

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// words writes the text of a span.
func (in *inlineWriter) words(i int) {
	text := in.spans[i].text
	lineStart := in.out.Len() == in.start && !in.inHeading && !in.inCell
	first, size := utf8.DecodeRuneInString(text)
	// A link called x at the start of an item would be the box of a task.
	box := (text == "x" || text == "X") && in.out.Len() == in.start+1 && in.lastRune() == '['
	if in.settle(first) || box {
		in.reference(first)
		text = text[size:]
		lineStart = false
	}
	if lineStart {
		text = in.guardLine(text)
	}
	inLabel := in.isOpen(linkLayer)
	after := ' ' // what follows the span: a blank or markup
	if next := i + 1; next < len(in.spans) && (!in.spans[next].blank() || in.spans[next].kind == breakRun) || in.closesAfter(i) {
		after = '['
	}
	for !inLabel { // links are made in no label
		n := addressAt(text)
		if n < 0 {
			break
		}
		in.out.WriteString(in.escape(text[:n], inLabel, '<'))
		end := n + addressEnd(text[n:])
		in.bareAddress(text[n:end], text[n:], after)
		text = text[end:]
	}
	in.out.WriteString(in.escape(text, inLabel, after))
	if in.inHeading && i == len(in.spans)-1 {
		in.guardHeadingEnd()
	}
}

// closesAfter tells whether something that is open ends with a span.
func (in *inlineWriter) closesAfter(i int) bool {
	for _, o := range in.open {
		if in.ends[i][o.layer] == i {
			return true
		}
	}
	return false
}

// guardLine writes the start of a line so that it is no list mark, heading,
// quote, underline of a heading or table. It returns the rest of the text.
func (in *inlineWriter) guardLine(text string) string {
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	if digits > 0 && digits < 10 && digits < len(text) && (text[digits] == '.' || text[digits] == ')') {
		if rest := text[digits+1:]; rest == "" || rest[0] == ' ' || rest[0] == '\t' {
			in.out.WriteString(text[:digits] + "\\")
			in.out.WriteByte(text[digits])
			return rest
		}
	}
	next, _ := utf8.DecodeRuneInString(text[1:])
	wordFollows := len(text) > 1 && letter(next)
	switch text[0] {
	case '>', '=', '|', '*':
	case '#', '-', '+', ':':
		if wordFollows {
			return text
		}
	default:
		return text
	}
	in.out.WriteByte('\\')
	in.out.WriteByte(text[0])
	return text[1:]
}

// guardHeadingEnd keeps a heading's own # at its end, where Markdown would take
// it for a closing mark.
func (in *inlineWriter) guardHeadingEnd() {
	if b := in.out.Bytes(); b[len(b)-1] == '#' {
		in.out.Truncate(len(b) - 1)
		in.out.WriteString("\\#")
	}
}

// escape returns text in which nothing is markup. The character after it
// decides how its last one is read.
func (in *inlineWriter) escape(text string, label bool, after rune) string {
	if !strings.ContainsAny(text, "\\`*_[]<&~!|@") && !strings.Contains(text, "www.") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 8)
	before := in.lastRune()
	mailbox := unicode.IsSpace(before) // the text since the last blank could be one
	for i, r := range text {
		next := after
		if size := utf8.RuneLen(r); r != utf8.RuneError && i+size < len(text) {
			var width int
			next, width = utf8.DecodeRuneInString(text[i+size:])
			if after == '[' && i+size+width == len(text) {
				next = '&' // what the last letter may become, see opener
			}
		}
		switch {
		case r == '|' && before == '\\':
			if in.inCell {
				b.WriteString(numericReference(r)) // table rows are split before escapes are read
				break
			}
			b.WriteRune(r)
		case r == '~' && next == '[' && i+1 == len(text):
			b.WriteString(numericReference(r)) // not even an escaped one may touch a strike mark
		case r == '@' && !mailbox && !label:
			b.WriteString("\\@") // a reader would take marks before it for part of a mail address
		case r == '&':
			if reference(text[i:]) { // it ends within the text, or markup ends it
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		case in.markup(r, before, next):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '.' && before == 'w' && !label && strings.HasSuffix(text[:i], "www"):
			// Readers make links of www. addresses and then show escapes inside them.
			b.WriteString("\\.")
		default:
			b.WriteRune(r)
		}
		before = r
		mailbox = unicode.IsSpace(r) || mailbox && (wordRune(r) && r != '#' || strings.ContainsRune(".+-_", r))
	}
	return b.String()
}

// markup tells whether a character could be read as markup where it stands.
func (in *inlineWriter) markup(r, before, next rune) bool {
	switch r {
	case '\\', '`', '[', ']', '~':
		return true
	case '*':
		return !unicode.IsSpace(before) || !unicode.IsSpace(next)
	case '_':
		return !letter(before) || !letter(next)
	case '<':
		return !unicode.IsSpace(next) && !unicode.IsDigit(next) && next != '='
	case '!':
		return next == '['
	case '|':
		return in.inCell
	}
	return false
}

// reference tells whether a text could start with a character reference.
func reference(s string) bool {
	end := strings.IndexByte(s[:min(len(s), 40)], ';')
	return end > 1 && strings.TrimFunc(s[1:end], wordRune) == ""
}

// wordRune tells the characters that the names of references are made of.
func wordRune(r rune) bool {
	return r == '#' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func hasReference(s string) bool {
	for i := range len(s) {
		if s[i] == '&' && reference(s[i:]) {
			return true
		}
	}
	return false
}

func numericReference(r rune) string { return "&#" + strconv.Itoa(int(r)) + ";" }

// plainCode makes text of code that Markdown cannot hold where it is. A table row
// is split at pipes before code is read, and a backslash before a pipe escapes
// it. A line that starts with [label]: is a definition, whatever is in the label.
func (w *markdownWriter) plainCode(spans []span, inCell bool) (changed bool) {
	for i := range spans {
		s := &spans[i]
		if s.marks&codeMark != 0 && (inCell && strings.Contains(s.text, "\\|") || s.link != nil && strings.Contains(s.text, "]:")) {
			w.warnings.add(Flattened, "code", "code in a table cell or a link was written as text")
			s.marks &^= codeMark
			s.text = collapse(s.text, false) // as in all text
			changed = true
		}
	}
	return changed
}

// codeSpan writes text as code, between more backticks than it holds.
func (in *inlineWriter) codeSpan(text string) {
	if in.inCell {
		text = strings.ReplaceAll(text, "|", "\\|")
	}
	if in.codesEnd == 0 || len(bytes.TrimRight(in.out.Bytes()[in.codesEnd:], "*_~")) > 0 {
		in.codes = in.out.Len()
	}
	if strings.Contains(text, "@") {
		in.guardMailbox()
	}
	ticks := strings.Repeat("`", longestRun(text, '`')+1)
	pad := ""
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") ||
		strings.HasPrefix(text, " ") && strings.HasSuffix(text, " ") && strings.Trim(text, " ") != "" {
		pad = " "
	}
	in.atom(ticks + pad + text + pad + ticks)
	in.codesEnd = in.out.Len()
}
