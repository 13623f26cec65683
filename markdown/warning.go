package markdown

import (
	"slices"
	"strings"
)

// Code tells what kind of loss a warning names.
type Code string

// The kinds of loss.
const (
	// Unsupported: a construct that cannot be shown. Its text is kept; where it
	// has none, a marker stands in its place. Construct is its name.
	Unsupported Code = "UNSUPPORTED"
	// DynamicContent: Confluence makes this part when a person looks at the page,
	// such as a list of children or another page's text. A marker stands there.
	DynamicContent Code = "DYNAMIC_CONTENT"
	// FormattingLost: the text is whole, but colour, size, underlining, raised or
	// lowered letters, alignment or a list's own numbering are gone. Plain text
	// never has this warning.
	FormattingLost Code = "FORMATTING_LOST"
	// Flattened: a block inside a table cell became lines of that cell, or what
	// stands inside code, such as a link or a person, became plain text.
	Flattened Code = "FLATTENED"
	// Unresolved: a person, page or file is shown by its id, since its name is
	// not known.
	Unresolved Code = "UNRESOLVED_REFERENCE"
	// AnchorLost: a place that links may point at cannot be marked.
	AnchorLost Code = "ANCHOR_LOST"
	// UnsafeLink: an address that could run code, or is none. Its label stays.
	UnsafeLink Code = "UNSAFE_LINK"
	// Malformed: the source breaks the rules of its format and was read as well
	// as could be.
	Malformed Code = "MALFORMED_SOURCE"
	// LimitExceeded: nesting, merged cells or list numbers beyond a limit were
	// brought within it.
	LimitExceeded Code = "LIMIT_EXCEEDED"
	// CharactersReplaced: bytes that are no text were taken out or replaced.
	CharactersReplaced Code = "CHARACTERS_REPLACED"
)

// Warning names one kind of loss.
type Warning struct {
	Code Code `json:"code"`
	// Construct is what was lost, by the source's own name: a macro, an element,
	// an ADF node. Example: "children".
	Construct string `json:"construct,omitempty"`
	// Count is how often, at least 1.
	Count int `json:"count"`
	// Message is one sentence for a person.
	Message string `json:"message"`
}

// warnings counts by code and construct, in order of first appearance.
type warnings struct {
	list  []Warning
	index map[warningKey]int
}

type warningKey struct {
	code      Code
	construct string
}

// maxWarnings bounds the distinct warnings of one body: construct names come
// from the page, and a hostile page may hold any number of them.
const maxWarnings = 200

func (w *warnings) add(code Code, construct, message string) {
	w.count(code, construct, message, 1)
}

// addAll adds what was counted elsewhere.
func (w *warnings) addAll(others warnings) {
	for _, other := range others.list {
		w.count(other.Code, other.Construct, other.Message, other.Count)
	}
}

func (w *warnings) count(code Code, construct, message string, times int) {
	key := warningKey{code, cut(strings.Join(strings.Fields(construct), " "), 80)}
	if _, known := w.index[key]; !known && len(w.list) >= maxWarnings {
		key.construct, message = "", "more constructs of this kind"
	}
	if i, ok := w.index[key]; ok {
		w.list[i].Count += times
		return
	}
	if w.index == nil {
		w.index = make(map[warningKey]int)
	}
	w.index[key] = len(w.list)
	w.list = append(w.list, Warning{Code: code, Construct: key.construct, Count: times, Message: message})
}

func (w *warnings) clone() warnings {
	c := warnings{list: slices.Clone(w.list), index: make(map[warningKey]int, len(w.list))}
	for i, warning := range c.list {
		c.index[warningKey{warning.Code, warning.Construct}] = i
	}
	return c
}

// drop forgets a kind of loss that the writer at hand does not count as one.
func (w *warnings) drop(code Code) {
	kept := slices.DeleteFunc(w.list, func(warning Warning) bool { return warning.Code == code })
	*w = warnings{list: kept}
	*w = w.clone()
}

// cut shortens a text to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
