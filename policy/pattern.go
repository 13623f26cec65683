package policy

import "strings"

// matches tells whether pattern covers text. A * stands for any run of
// characters, the empty one included, but for those in separators; a pattern
// that is * alone covers everything. The time is linear in both lengths.
//
// Package path has a matcher, too, but it knows one separator only, and gives
// ? [ ] and \ a meaning, all of which occur in what is matched here.
func matches(pattern, text, separators string) bool {
	if pattern == "*" {
		return true
	}
	for {
		p, t := strings.IndexAny(pattern, separators), strings.IndexAny(text, separators)
		if p < 0 || t < 0 {
			return p < 0 && t < 0 && covers(pattern, text)
		}
		if pattern[p] != text[t] || !covers(pattern[:p], text[:t]) {
			return false
		}
		pattern, text = pattern[p+1:], text[t+1:]
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
	if a == "*" || b == "*" {
		return true
	}
	for {
		i, j := strings.IndexAny(a, separators), strings.IndexAny(b, separators)
		if i < 0 || j < 0 {
			return i < 0 && j < 0 && meet(a, b)
		}
		if a[i] != b[j] || !meet(a[:i], b[:j]) {
			return false
		}
		a, b = a[i+1:], b[j+1:]
	}
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
