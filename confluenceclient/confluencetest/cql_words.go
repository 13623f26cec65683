package confluencetest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// tokens splits text into the words of the index: letters and digits, in lower
// case. Scripts without spaces between words are indexed sign by sign.
func tokens(text string) []string {
	var all []string
	var current []rune
	flush := func() {
		if len(current) > 0 {
			all = append(all, string(current))
			current = current[:0]
		}
	}
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			flush()
			all = append(all, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			current = append(current, r)
		default:
			flush()
		}
	}
	flush()
	return all
}

// matcher tells whether the words of a text fit.
type matcher func(words []string) bool

// words reads the second language, Lucene's, that stands inside the string of
// "~": words that must all occur, "phrases", * and ? (but not in front), word~
// for similar ones, -word and NOT for absence, and OR.
func (p *cqlParser) words(text string) (matcher, error) {
	parts := luceneParts(text)
	if len(parts) == 0 {
		return nil, fmt.Errorf("an empty text cannot be searched for")
	}
	var all [][]matcher // all of them have to fit; of each, any does
	negated, joined := false, false
	for _, part := range parts {
		switch part {
		case "AND", "&&":
			continue
		case "OR", "||":
			joined = len(all) > 0
			continue
		case "NOT", "!":
			negated = true
			continue
		}
		match, err := p.wordMatcher(part, &negated)
		if err != nil {
			return nil, err
		}
		if joined {
			all[len(all)-1] = append(all[len(all)-1], match)
		} else {
			all = append(all, []matcher{match})
		}
		negated, joined = false, false
	}
	return func(words []string) bool {
		for _, any := range all {
			if !slices.ContainsFunc(any, func(m matcher) bool { return m(words) }) {
				return false
			}
		}
		return true
	}, nil
}

// luceneParts splits at spaces outside quotes. Brackets do not group here.
func luceneParts(text string) []string {
	quoted := false
	escaped := false
	return strings.FieldsFunc(text, func(r rune) bool {
		switch {
		case escaped:
			escaped = false
			return false
		case r == '\\':
			escaped = true
			return false
		case r == '"':
			quoted = !quoted
			return false
		}
		return !quoted && (unicode.IsSpace(r) || strings.ContainsRune("()[]{}", r))
	})
}

var fuzzy = regexp.MustCompile(`^(.+)~([012]?)$`)

func (p *cqlParser) wordMatcher(part string, negated *bool) (matcher, error) {
	if strings.HasPrefix(part, "-") || strings.HasPrefix(part, "!") {
		*negated = true
	}
	part = strings.TrimLeft(part, "+-!")
	var match matcher
	switch {
	case strings.HasPrefix(part, "*") || strings.HasPrefix(part, "?"):
		return nil, fmt.Errorf("'*' or '?' is not allowed as the first sign of a word")
	case strings.ContainsAny(part, "*?") && !strings.Contains(part, `"`):
		pattern := wildcard(part)
		match = func(words []string) bool { return slices.ContainsFunc(words, pattern.MatchString) }
	case fuzzy.MatchString(part) && !strings.Contains(part, `"`):
		word := strings.ToLower(fuzzy.FindStringSubmatch(part)[1])
		match = func(words []string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return distance(w, word) <= 2 })
		}
	default:
		phrase := tokens(strings.ReplaceAll(part, `\`, ""))
		p.query.words = append(p.query.words, phrase...)
		match = func(words []string) bool { return containsPhrase(words, phrase) }
	}
	if *negated {
		inner := match
		match = func(words []string) bool { return !inner(words) }
	}
	return match, nil
}

func wildcard(part string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.ToLower(part))
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`^` + quoted + `$`)
}

// containsPhrase tells whether the phrase occurs, word after word. A phrase of
// nothing but signs is in every text.
func containsPhrase(words, phrase []string) bool {
	for i := 0; i+len(phrase) <= len(words); i++ {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return len(phrase) == 0
}

// distance is Levenshtein's.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
