package service

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestWordsMakeOneQuotedTermOfPlainWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"one word", "runbook", `text ~ "runbook"`},
		{"several words", "run  book\n2024", `text ~ "run book 2024"`},
		{"signs of Lucene's language are blanks", "C#ess: BBQ (grill) +x [a]", `text ~ "C#ess BBQ grill x a"`},
		{"quotes cannot end the string", `x" OR type = page OR text ~ "`, `text ~ "x or type page or text"`},
		{"a backslash cannot hide the end of the string", `x\`, `text ~ "x"`},
		{"wildcards and fuzziness mean nothing", "a* b~ c?d -e !f", `text ~ "a b c d e f"`},
		{"operators are words", "this AND that OR NOT TO", `text ~ "this and that or not to"`},
		{"words with operators inside stay as they are", "ANDROID Order", `text ~ "ANDROID Order"`},
		{"apostrophes and foreign letters stay", "l'été Müller 検索", `text ~ "l'été Müller 検索"`},
		{"words without a letter or digit are left out", "a # -- … b", `text ~ "a b"`},
		{"control characters are blanks", "a\x00b\x1bc", `text ~ "a b c"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v violations
			if got := v.words("text", test.text); got != test.want || v.err() != nil {
				t.Errorf("words(%q) = %s, %v, want %s", test.text, got, v.err(), test.want)
			}
		})
	}
}

func TestWordsRefuseTextWithoutWords(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "  ", `""`, "***", "# -- !", "\x00", strings.Repeat("a", maxQueryBytes+1)} {
		var v violations
		if got := v.words("text", text); v.err() == nil {
			t.Errorf("words(%.20q) = %s, want a violation", text, got)
		}
	}
}

func TestQueryKeepsTheCallersPartInsideTheFilters(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, cql, want string }{
		{
			"OR stays in brackets", `space = "SEC" OR type = page`,
			`space in ("DOC") AND (space = "SEC" OR type = page)`,
		},
		{
			"ORDER BY moves out of the brackets", "type = page order  BY created DESC, title",
			`space in ("DOC") AND (type = page) ORDER BY created DESC, title`,
		},
		{
			"ORDER BY in a string is text", `title = "a order by b"`,
			`space in ("DOC") AND (title = "a order by b")`,
		},
		{
			"ORDER BY as a part of words is none", "label = border and title ~ order_by",
			`space in ("DOC") AND (label = border and title ~ order_by)`,
		},
		{
			"brackets in strings do not count", `title = ")" AND text ~ "\")("`,
			`space in ("DOC") AND (title = ")" AND text ~ "\")(")`,
		},
		{
			"functions and nested brackets pass", `(created > now("-4w") OR (id in (1,2)))`,
			`space in ("DOC") AND ((created > now("-4w") OR (id in (1,2))))`,
		},
		{
			"plain strings in single quotes pass", `title = 'plan b'`,
			`space in ("DOC") AND (title = 'plan b')`,
		},
		{
			"apostrophes within double quotes pass", `title = "don't (yet"`,
			`space in ("DOC") AND (title = "don't (yet")`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v violations
			q := query{filters: []string{anyOf("space", []string{"DOC"})}}
			q.term, q.order = v.cql("cql", test.cql)
			if got := q.String(); got != test.want || v.err() != nil {
				t.Errorf("cql(%q) = %s, %v, want %s", test.cql, got, v.err(), test.want)
			}
		})
	}
}

func TestCQLThatCouldLeaveItsBracketsIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, cql string }{
		{"blank", " \t"},
		{"nothing but an order", "ORDER BY created"},
		{"closes the broker's bracket", `type = page) OR (space = "SEC"`},
		{"opens a bracket for good", "(type = page"},
		{"opens a string for good", `title = "a`},
		{"ends a string by a backslash", `title = "a\"`},
		{"opens a single-quoted string for good", "title = don't"},
		{"has brackets in single quotes, which may be no quotes", `title = '(') OR (space = "SEC" AND title = ')'`},
		{"has double quotes in single quotes", `title = '"' ) or (space = '"'`},
		{"has a backslash outside strings", `type = page \) OR (x = y`},
		{"holds a NUL", "type = page\x00"},
		{"holds a NUL in a string", "title = \"a\x00\""},
		{"has a condition behind ORDER BY", `type = page ORDER BY created OR space = "SEC"`},
		{"has a function behind ORDER BY", `type = page ORDER BY now()`},
		{"has nothing behind ORDER BY", "type = page ORDER BY"},
		{"is too long", "type = page and " + strings.Repeat(" ", maxQueryBytes)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v violations
			if term, order := v.cql("cql", test.cql); v.err() == nil {
				t.Errorf("cql(%q) = %s, %s, want a violation", test.cql, term, order)
			}
		})
	}
}

func TestFilterValuesAreAlwaysQuoted(t *testing.T) {
	t.Parallel()
	if got, want := anyOf("space", []string{"~712020abc", "2024", "and"}), `space in ("~712020abc","2024","and")`; got != want {
		t.Errorf("anyOf = %s, want %s", got, want)
	}
	if got, want := anyOf("label", []string{`a"b\`}), `label in ("a\"b\\")`; got != want {
		t.Errorf("anyOf = %s, want %s", got, want)
	}
	if got := anyOf("space", nil); got != "" {
		t.Errorf("anyOf of nothing = %s, want nothing", got)
	}
}

func TestTimeBoundsHoldInEveryZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 30, 1, 0, time.UTC)
	if got, want := modifiedSince(at), `lastmodified >= "2026-02-28 12:30"`; got != want {
		t.Errorf("modifiedSince = %s, want %s", got, want)
	}
	if got, want := modifiedUntil(at), `lastmodified <= "2026-03-01 14:31"`; got != want {
		t.Errorf("modifiedUntil = %s, want %s", got, want)
	}
	if got, want := modifiedUntil(at.Truncate(time.Minute)), `lastmodified <= "2026-03-01 14:30"`; got != want {
		t.Errorf("modifiedUntil a full minute = %s, want %s", got, want)
	}
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	if got, want := modifiedSince(first), `lastmodified >= "0001-01-01 00:00"`; got != want {
		t.Errorf("modifiedSince(%v) = %s, want %s", first, got, want)
	}
	if got, want := modifiedUntil(last), `lastmodified <= "9999-12-31 23:59"`; got != want {
		t.Errorf("modifiedUntil(%v) = %s, want %s", last, got, want)
	}
	// The whole range of zones that a literal can be read in.
	for offset := -12 * 60; offset <= 14*60; offset += 15 {
		zone := time.FixedZone("", offset*60)
		since, _ := time.ParseInLocation(`lastmodified >= "2006-01-02 15:04"`, modifiedSince(at), zone)
		until, _ := time.ParseInLocation(`lastmodified <= "2006-01-02 15:04"`, modifiedUntil(at), zone)
		if since.After(at) || until.Before(at) {
			t.Errorf("at %v: bounds %v and %v leave out %v", zone, since, until, at)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`x" OR type = page OR text ~ "`)
	f.Add(`a\" AND b`)
	f.Fuzz(func(t *testing.T, text string) {
		var v violations
		term := v.words("text", text)
		if v.err() != nil {
			return
		}
		inner, ok := strings.CutPrefix(term, `text ~ "`)
		inner, ok2 := strings.CutSuffix(inner, `"`)
		if !ok || !ok2 || strings.ContainsAny(inner, luceneSigns) || strings.ContainsFunc(inner, unicode.IsControl) {
			t.Errorf("words(%q) = %s: more than one string of plain words", text, term)
		}
		for _, word := range strings.Fields(inner) {
			if slices.Contains([]string{"AND", "OR", "NOT", "TO"}, word) {
				t.Errorf("words(%q) = %s has an operator", text, term)
			}
		}
	})
}

func FuzzCQL(f *testing.F) {
	f.Add(`type = page OR space = "SEC" ORDER BY created`)
	f.Add(`title = '(') OR (x = ')'`)
	f.Add(`a = "\") or (" order by b`)
	f.Fuzz(func(t *testing.T, raw string) {
		var v violations
		q := query{filters: []string{anyOf("space", []string{"DOC"})}}
		if q.term, q.order = v.cql("cql", raw); v.err() != nil {
			return
		}
		rest, ok := strings.CutPrefix(q.String(), `space in ("DOC") AND (`)
		if !ok {
			t.Fatalf("%q became %s: the filter is not in front", raw, q)
		}
		for _, apostrophes := range []bool{false, true} {
			tail, ok := closing(rest, apostrophes)
			if !ok || (tail != "" && tail != " ORDER BY "+q.order) {
				t.Errorf("%q became %s (apostrophes quote: %v): the caller's part leaves its brackets, rest %q", raw, q, apostrophes, tail)
			}
		}
	})
}

// closing returns what follows the bracket that closes the one before s. It is
// a reading of its own, as simple as can be, to judge scanCQL by.
func closing(s string, apostrophes bool) (string, bool) {
	depth, quote := 1, rune(0)
	escaped := false
	for i, r := range s {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"', apostrophes && r == '\'':
			quote = r
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth == 0 {
				return s[i+1:], true
			}
		}
	}
	return "", false
}
