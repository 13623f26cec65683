package policy

import (
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The test policies and contents are made of few words, so that rules and
// contents meet often.
var (
	someSpaces  = []string{"DOC", "TEAM", "TEAMHR", "team1", "2024", "~a", "SEC"}
	somePattern = []string{"*", "TEAM*", "*HR", "~*", "T*M*", "D*", "doc", "DOC", "SEC", "2024", "~a", "TEAM1"}
	someLabels  = []string{"secret", "Secret", "hr-1", "public", "x"}
	labelRules  = []string{"SECRET", "hr-*", "x", "*c", "*"}
	someIDs     = []string{"1", "2", "3", "4", "5"}
)

// model is a caller as the reference reads it: the lists as they are written.
type model struct {
	spaces, exceptSpaces, labels, subtrees []string
	restricted                             bool
}

func (m model) yaml() string {
	list := func(items []string) string {
		quoted := make([]string, len(items))
		for i, item := range items {
			quoted[i] = fmt.Sprintf("%q", item)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	except := fmt.Sprintf("restricted: %t", m.restricted)
	for name, rules := range map[string][]string{"spaces": m.exceptSpaces, "labels": m.labels, "subtrees": m.subtrees} {
		if len(rules) > 0 { // empty lists are refused
			except += ", " + name + ": " + list(rules)
		}
	}
	return fmt.Sprintf("callers: [{name: a, spaces: %s, except: {%s}}]", list(m.spaces), except)
}

// allows is the reference: every rule is tried, patterns as regular expressions
// of their own, facts that are not known count as the worst.
func (m model) allows(x Content) bool {
	covered := func(rules []string, text string) bool {
		return slices.ContainsFunc(rules, func(rule string) bool {
			return regexp.MustCompile("(?is)^" + strings.ReplaceAll(regexp.QuoteMeta(rule), `\*`, ".*") + "$").MatchString(text)
		})
	}
	if x.SpaceKey == "" || !covered(m.spaces, x.SpaceKey) || covered(m.exceptSpaces, x.SpaceKey) {
		return false
	}
	for _, label := range x.Labels {
		if covered(m.labels, label) {
			return false
		}
	}
	for _, id := range m.subtrees {
		if x.ID == id || slices.Contains(x.AncestorIDs, id) {
			return false
		}
	}
	return (len(m.labels) == 0 || x.Known.Labels) &&
		(len(m.subtrees) == 0 || x.Known.Ancestors && x.ID != "") &&
		(!m.restricted || x.Known.Restrictions && !x.Restricted)
}

// some picks up to most of words, each once; the fold of an earlier one is left
// out, since Parse takes it for the same.
func some(r *rand.Rand, words []string, most int) (picked []string) {
	for range r.IntN(most + 1) {
		word := words[r.IntN(len(words))]
		if !slices.ContainsFunc(picked, func(p string) bool { return strings.EqualFold(p, word) }) {
			picked = append(picked, word)
		}
	}
	return picked
}

func randomModel(r *rand.Rand) model {
	return model{
		spaces: some(r, somePattern, 4), exceptSpaces: some(r, somePattern[1:], 2), labels: some(r, labelRules, 2),
		subtrees: some(r, someIDs, 2), restricted: r.IntN(3) == 0,
	}
}

func randomContent(r *rand.Rand) Content {
	x := Content{
		SpaceKey: someSpaces[r.IntN(len(someSpaces))], ID: someIDs[r.IntN(len(someIDs))],
		AncestorIDs: some(r, someIDs, 2), Labels: some(r, someLabels, 2), Restricted: r.IntN(4) == 0,
		Known: Facts{Ancestors: r.IntN(8) > 0, Labels: r.IntN(8) > 0, Restrictions: r.IntN(8) > 0},
	}
	if r.IntN(20) == 0 {
		x.SpaceKey = ""
	}
	if r.IntN(20) == 0 {
		x.ID = ""
	}
	return x
}

// random is a source whose seed is told when the test fails.
func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func theCaller(t *testing.T, m model) *Caller {
	t.Helper()
	return mustParse(t, m.yaml()).Callers()[0]
}

func TestDecisionsAgreeWithAReferenceThatIsWrittenOtherwise(t *testing.T) {
	t.Parallel()
	r := random(t)
	allowed, asked := 0, 0
	for range 500 {
		m := randomModel(r)
		c := theCaller(t, m)
		for range 40 {
			x := randomContent(r)
			d, want := c.Content(x), m.allows(x)
			if d.Allowed != want {
				t.Fatalf("Content(%+v) = %+v by %s, want %t", x, d, m.yaml(), want)
			}
			if !strings.HasPrefix(d.Rule, "a: ") || !strings.Contains(d.Rule, "(line 1)") {
				t.Fatalf("Content(%+v) names the rule %q", x, d.Rule)
			}
			asked++
			if want {
				allowed++
			}
		}
	}
	if allowed < asked/50 || allowed > asked*49/50 {
		t.Errorf("%d of %d contents are allowed, so this compares little", allowed, asked)
	}
}

func TestARuleMoreOnlyEverMovesItsOwnWay(t *testing.T) {
	t.Parallel()
	r := random(t)
	changed := 0
	for range 500 {
		m := randomModel(r)
		narrower, wider := m, m
		switch r.IntN(4) {
		case 0:
			narrower.exceptSpaces = appendNew(m.exceptSpaces, somePattern[r.IntN(len(somePattern))])
		case 1:
			narrower.labels = appendNew(m.labels, labelRules[r.IntN(len(labelRules))])
		case 2:
			narrower.subtrees = appendNew(m.subtrees, someIDs[r.IntN(len(someIDs))])
		case 3:
			narrower.restricted = true
		}
		wider.spaces = appendNew(m.spaces, somePattern[r.IntN(len(somePattern))])
		before, less, more := theCaller(t, m), theCaller(t, narrower), theCaller(t, wider)
		for range 20 {
			x := randomContent(r)
			was, now, then := before.Content(x).Allowed, less.Content(x).Allowed, more.Content(x).Allowed
			if now && !was {
				t.Fatalf("%s denies %+v; with one more exception it is allowed: %s", m.yaml(), x, narrower.yaml())
			}
			if was && !then {
				t.Fatalf("%s allows %+v; with one more space it is denied: %s", m.yaml(), x, wider.yaml())
			}
			if now != was || then != was {
				changed++
			}
		}
	}
	if changed == 0 {
		t.Error("no rule changed anything, so this checks nothing")
	}
}

func appendNew(rules []string, rule string) []string {
	if slices.ContainsFunc(rules, func(r string) bool { return strings.EqualFold(r, rule) }) {
		return rules
	}
	return append(slices.Clone(rules), rule)
}

// randomWord is a word of up to five of the letters.
func randomWord(r *rand.Rand, letters string) string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteByte(letters[r.IntN(len(letters))])
	}
	return b.String()
}

func TestPatternsAgreeWithPathMatch(t *testing.T) {
	t.Parallel()
	r := random(t)
	matched := 0
	for range 50000 {
		pattern, text := randomWord(r, "ab/**"), randomWord(r, "aab/")
		if pattern == "*" {
			continue // everything, unlike in package path
		}
		want, err := path.Match(pattern, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := matches(pattern, text, "/"); got != want {
			t.Fatalf("matches(%q, %q) = %t, want %t", pattern, text, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 100 {
		t.Errorf("only %d patterns matched", matched)
	}
}

// TestPatternsOverlapWhereATextIsBoth tries all short texts.
func TestPatternsOverlapWhereATextIsBoth(t *testing.T) {
	t.Parallel()
	r := random(t)
	texts := []string{""}
	for begin, length := 0, 0; length < 6; length++ {
		end := len(texts)
		for _, text := range texts[begin:end] {
			texts = append(texts, text+"a", text+"b", text+"/")
		}
		begin = end
	}
	for range 3000 {
		a, b := randomWord(r, "ab/*"), randomWord(r, "ab/*")
		if len(a) > 4 || len(b) > 4 {
			continue // what they have in common might be longer than the texts
		}
		want := slices.ContainsFunc(texts, func(text string) bool { return matches(a, text, "/") && matches(b, text, "/") })
		if got := overlap(a, b, "/"); got != want {
			t.Fatalf("overlap(%q, %q) = %t, want %t", a, b, got, want)
		}
	}
}

func TestAnIndexFindsWhatTryingEveryRuleFinds(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 500 {
		x := newIndex("/", lowerASCII)
		for range 10 {
			x.add(randomWord(r, "aAb/*"), place{1, 1}, nil)
		}
		for range 20 {
			text := randomWord(r, "aAb/")
			want := map[*rule]bool{}
			for _, rule := range x.rules {
				if matches(strings.ToLower(rule.text), strings.ToLower(text), "/") {
					want[rule] = true
				}
			}
			got := 0
			for rule := range x.all(text) {
				if got++; !want[rule] {
					t.Fatalf("all(%q) yields %q", text, rule.text)
				}
			}
			if got != len(want) {
				t.Fatalf("all(%q) yields %d rules, want %d", text, got, len(want))
			}
		}
	}
}
