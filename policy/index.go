package policy

import (
	"iter"
	"strings"
)

// rule is one entry of a list of the policy file.
type rule struct {
	text    string // as it is written
	pattern string // in the form that is compared
	place   place
	owner   *Caller
	number  int // its place in the index
}

// index finds the rules that cover a text, however many there are: those
// without a star are looked up; those with one are kept by what stands before
// it, so that only rules whose beginning fits are tried.
type index struct {
	separators string
	fold       func(string) string // the form in which texts are compared

	rules   []*rule
	exact   map[string][]*rule
	starred map[string][]*rule
	longest int // of the keys of starred
}

func newIndex(separators string, fold func(string) string) *index {
	return &index{separators: separators, fold: fold, exact: map[string][]*rule{}, starred: map[string][]*rule{}}
}

// asWritten is the fold of what is compared byte for byte.
func asWritten(s string) string { return s }

// lowerASCII leaves other letters alone: the Kelvin sign is no k, though
// Unicode would have it so.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// add takes text in as a rule of owner, unless the owner has the same one
// already, which it returns.
func (x *index) add(text string, at place, owner *Caller) (twin *rule) {
	r := &rule{text: text, pattern: x.fold(text), place: at, owner: owner, number: len(x.rules)}
	shelf, key := x.exact, r.pattern
	if head, _, starred := strings.Cut(r.pattern, "*"); starred {
		shelf, key = x.starred, head
		x.longest = max(x.longest, len(head))
	}
	for _, other := range shelf[key] {
		if other.pattern == r.pattern && other.owner == owner {
			return other
		}
	}
	shelf[key] = append(shelf[key], r)
	x.rules = append(x.rules, r)
	return nil
}

// all yields the rules that cover text, those that say most of it first.
func (x *index) all(text string) iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		text := x.fold(text)
		for _, r := range x.exact[text] {
			if !yield(r) {
				return
			}
		}
		for r := range x.candidates(text) {
			if matches(r.pattern, text, x.separators) && !yield(r) {
				return
			}
		}
	}
}

// first is the rule that says most of text among those that cover it.
func (x *index) first(text string) (*rule, bool) {
	for r := range x.all(text) {
		return r, true
	}
	return nil, false
}

// candidates yields the rules with a star whose beginning text begins with.
func (x *index) candidates(text string) iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		for n := min(x.longest, len(text)); n >= 0; n-- {
			for _, r := range x.starred[text[:n]] {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// clashes yields the rules that cover some text which an earlier rule of
// another owner covers, with the first such.
func (x *index) clashes() iter.Seq2[*rule, *rule] {
	return func(yield func(_, earlier *rule) bool) {
		clash := map[*rule]*rule{}
		note := func(a, b *rule) {
			if a.number < b.number {
				a, b = b, a
			}
			if known, ok := clash[a]; a.owner != b.owner && (!ok || b.number < known.number) {
				clash[a] = b
			}
		}
		for _, r := range x.rules {
			head, _, _ := strings.Cut(r.pattern, "*")
			for _, other := range x.exact[r.pattern] {
				note(r, other)
			}
			for other := range x.candidates(head) {
				if overlap(r.pattern, other.pattern, x.separators) {
					note(r, other)
				}
			}
		}
		for _, r := range x.rules {
			if earlier, ok := clash[r]; ok && !yield(r, earlier) {
				return
			}
		}
	}
}
