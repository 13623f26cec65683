package markdown

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addressAt finds a web address that readers would make a link; -1 if none.
func addressAt(text string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], "://")
		if i < 0 {
			return -1
		}
		i += from
		for _, scheme := range []string{"https", "http", "ftp"} {
			if strings.HasSuffix(text[:i], scheme) {
				return i - len(scheme)
			}
		}
		from = i + 3
	}
}

// addressEnd returns where an address at the start of the text ends: at a blank
// or an angle bracket, without the punctuation of the sentence around it.
func addressEnd(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '<' || r == '>' })
	if end < 0 {
		end = len(text)
	}
	trimmed := strings.TrimRight(text[:end], ".,:!?'\")]}*_~")
	return max(len(trimmed), strings.Index(text, "://")+3)
}

// maxChunk bounds how far is looked for the end of an address, as a text may
// hold any number of them without a blank.
const maxChunk = 2000

// bareAddress writes an address that stands in the text. Readers link such
// addresses by themselves and would show escapes in them, so one that needs
// escapes, or that something else follows at once, goes in angle brackets.
func (in *inlineWriter) bareAddress(address, text string, after rune) {
	chunk, follower := text, after // as far as readers look for more of the address
	if blank := strings.IndexFunc(text[:min(len(text), maxChunk)], unicode.IsSpace); blank >= 0 {
		chunk, follower = text[:blank], ' '
	} else if len(text) > maxChunk {
		follower = '['
	}
	escaped := in.escape(address, false, ' ')
	switch {
	case follower == ' ' && in.escape(chunk, false, ' ') == chunk && strings.Trim(chunk[len(address):], ".,:!?'\")") == "":
		in.out.WriteString(address)
	case strings.HasSuffix(address, "://") || in.inCell && strings.Contains(address, "|") || hasReference(address):
		// Not even angle brackets help where a row ends at a pipe or a character
		// reference is read.
		in.out.WriteString(strings.ReplaceAll(escaped, "://", "\\://"))
	default:
		in.out.WriteString("<" + address + ">")
	}
}

// destination writes the address of a link or image.
func (in *inlineWriter) destination(address string) string {
	var b strings.Builder
	b.Grow(len(address))
	for i, r := range address {
		switch {
		case r <= ' ' || r == 0x7F || r == '<' || r == '>' || unicode.IsSpace(r) || unicode.IsControl(r):
			var raw [utf8.UTFMax]byte
			for _, c := range raw[:utf8.EncodeRune(raw[:], r)] {
				b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
			}
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '&' && reference(address[i:]):
			b.WriteString("\\&")
		case r == '|' && in.inCell:
			b.WriteString("%7C")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// title writes what shows under the pointer at a link or image.
func (in *inlineWriter) title(title string) string {
	if title == "" {
		return ""
	}
	var b strings.Builder
	for i, r := range title {
		switch {
		case r == '"' || r == '\\' || r == '&' && reference(title[i:]):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '|' && in.inCell:
			b.WriteString(numericReference(r))
		default:
			b.WriteRune(r)
		}
	}
	return ` "` + b.String() + `"`
}

// guardMailbox writes the letter before code that holds a mail address as a
// reference: backticks may be in such an address, and readers that look for one
// first would find it start at the word before, also across other code.
func (in *inlineWriter) guardMailbox() {
	line := in.out.Bytes()[in.start:]
	word := bytes.TrimRight(line[:in.codes-in.start], "*_~")
	r, size := utf8.DecodeLastRune(word)
	if size == 0 || r > unicode.MaxASCII || !wordRune(r) && !strings.ContainsRune(".!$%&'+/=?^{|}-", r) || bytes.HasSuffix(word[:len(word)-size], []byte{'\\'}) {
		return
	}
	delimiters := string(line[len(word):])
	in.out.Truncate(in.start + len(word) - size)
	in.reference(r)
	in.out.WriteString(delimiters)
	in.codes = in.out.Len()
}
