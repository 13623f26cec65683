package service

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const maxQueryBytes = 8 << 10 // of the caller's part

// query is a CQL query in parts. CQL reads AND and OR from left to right, so
// what a caller wrote may only ever stand in brackets, behind the filters:
// whatever it says, it can but narrow them.
type query struct {
	filters []string // terms of our own making
	term    string   // the caller's part, complete in itself
	without []string // terms that only take away: CQL wants none of these first
	order   string   // what follows ORDER BY
}

// String returns the query as CQL.
func (q query) String() string {
	cql := strings.Join(slices.Concat(q.filters, []string{q.term}, q.without), " AND ")
	if q.order != "" {
		cql += " ORDER BY " + q.order
	}
	return cql
}

// quoted is s as a CQL string. Strings are always quoted: keys such as 2024 and
// words such as "and" mean something else without.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// anyOf is the term that field is one of values, or "" without values.
func anyOf(field string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	return field + " in " + quotedList(values)
}

func quotedList(values []string) string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = quoted(value)
	}
	return "(" + strings.Join(list, ",") + ")"
}

// Inside the string of "text ~" a second language applies, Lucene's. These are
// its signs; see
// https://developer.atlassian.com/cloud/confluence/performing-text-searches-using-cql/
const luceneSigns = `+-&|!(){}[]<>=^"~*?:\/`

// words makes the term for plain words: each as it is, all of them due.
func (v *violations) words(field, text string) string {
	if len(text) > maxQueryBytes {
		v.add(field, "has %d bytes, at most %d are allowed", len(text), maxQueryBytes)
		return ""
	}
	isBlank := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(luceneSigns, r)
	}
	var words []string
	for _, word := range strings.FieldsFunc(text, isBlank) {
		if !strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			continue // the index has no such words
		}
		switch word {
		case "AND", "OR", "NOT", "TO":
			word = strings.ToLower(word) // operators in capitals only
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		v.add(field, "has no word to look for: letters or digits are due")
		return ""
	}
	return "text ~ " + quoted(strings.Join(words, " "))
}

// cql makes the caller's CQL a term of its own, and returns what follows its
// ORDER BY apart, since that must stay outside the brackets.
func (v *violations) cql(field, raw string) (term, order string) {
	if len(raw) > maxQueryBytes {
		v.add(field, "has %d bytes, at most %d are allowed", len(raw), maxQueryBytes)
		return "", ""
	}
	end, rest, problem := scanCQL(raw)
	if problem != "" {
		v.add(field, "%s", problem)
		return "", ""
	}
	condition := strings.TrimSpace(raw[:end])
	order = strings.TrimSpace(raw[rest:])
	switch {
	case condition == "":
		v.add(field, "says nothing to look for")
	case end != rest && !orderPattern.MatchString(order):
		v.add(field, "has an ORDER BY that is not a list of fields, each with asc or desc behind it if need be")
	}
	return "(" + condition + ")", order
}

// Nothing but fields and directions may follow ORDER BY: it stands outside the
// brackets.
var orderPattern = regexp.MustCompile(`(?i)^[a-z][a-z0-9._]*(\s+(asc|desc))?(\s*,\s*[a-z][a-z0-9._]*(\s+(asc|desc))?)*$`)

var orderBy = regexp.MustCompile(`(?i)^order\s+by\b`)

// scanCQL reads CQL far enough to know that in brackets it stays there: quotes
// and brackets balance. It returns where the condition ends and where the part
// behind ORDER BY begins (both the length of cql when there is none), or what
// is wrong.
func scanCQL(cql string) (end, rest int, problem string) {
	depth := 0
	wordStart := true
	for i := 0; i < len(cql); i++ {
		switch c := cql[i]; {
		case c == '"' || c == '\'':
			length, problem := scanString(cql[i:])
			if problem != "" {
				return 0, 0, problem
			}
			i += length - 1
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return 0, 0, "closes a bracket that it did not open"
			}
		case c == '\\':
			return 0, 0, "has a backslash outside quotes"
		case c == 0:
			return 0, 0, "holds a NUL"
		case wordStart && depth == 0 && rest == 0:
			if match := orderBy.FindString(cql[i:]); match != "" {
				end, rest = i, i+len(match)
			}
		}
		wordStart = !isWord(cql[i])
	}
	switch {
	case depth > 0:
		return 0, 0, "opens a bracket that it does not close"
	case rest == 0:
		return len(cql), len(cql), ""
	}
	return end, rest, ""
}

func isWord(c byte) bool {
	return c >= 0x80 || c == '_' || c == '.' || c == '-' || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c))
}

// scanString returns the length of the string at the start of s, with its
// quotes. Whether an apostrophe opens a string is Confluence's to know. One is
// let through only where both readings have the same brackets.
func scanString(s string) (length int, problem string) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			if s[0] == '\'' && strings.ContainsAny(s[1:i], `"()\`) {
				return 0, `has a string in single quotes with a quote, bracket or backslash inside; use double quotes`
			}
			return i + 1, ""
		case s[i] == '\\':
			i++
		case s[i] == 0:
			return 0, "holds a NUL"
		}
	}
	return 0, "opens a quote that it does not close"
}
