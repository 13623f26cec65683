package policy

import "strings"

// matches tells whether pattern covers text. A * stands for any run of
// characters, the empty one included, but for those in separators; a pattern
// that is * alone covers everything. The time is linear in both lengths.
//
// Package path has a matcher, too, but it knows one separator only, and gives
// ? [ ] and \ a meaning, all of which occur in what is matched here.
func matches(pattern, text, separators string) bool {
	return pattern == "*" || bySegments(pattern, text, separators, covers)
}

// bySegments tells whether a and b have the same separators, and fit in all that
// lies between.
func bySegments(a, b, separators string, fit func(a, b string) bool) bool {
	for {
		i, j := strings.IndexAny(a, separators), strings.IndexAny(b, separators)
		if i < 0 || j < 0 {
			return i < 0 && j < 0 && fit(a, b)
		}
		if a[i] != b[j] || !fit(a[:i], b[:j]) {
			return false
		}
		a, b = a[i+1:], b[j+1:]
	}
}

// covers is matches where every * stands for anything.
func covers(pattern, text string) bool {
	prefix, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, prefix)
	for ok {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		// The first place will do: whatever fits behind a later one fits here.
		_, text, ok = strings.Cut(text, part)
		rest = after
	}
	return false
}

// overlap tells whether some text is covered by both patterns.
func overlap(a, b, separators string) bool {
	return a == "*" || b == "*" || bySegments(a, b, separators, meet)
}

// meet is overlap where every * stands for anything. Of two patterns with stars
// only the ends matter: between them one can take in all that the other wants.
func meet(a, b string) bool {
	switch {
	case !strings.Contains(a, "*"):
		return covers(b, a)
	case !strings.Contains(b, "*"):
		return covers(a, b)
	}
	aHead, _, _ := strings.Cut(a, "*")
	bHead, _, _ := strings.Cut(b, "*")
	aTail, bTail := a[strings.LastIndex(a, "*")+1:], b[strings.LastIndex(b, "*")+1:]
	return (strings.HasPrefix(aHead, bHead) || strings.HasPrefix(bHead, aHead)) &&
		(strings.HasSuffix(aTail, bTail) || strings.HasSuffix(bTail, aTail))
}
