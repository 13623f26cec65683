package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confluence-broker/confluence-broker/caller"
)

// BenchmarkRules shows that a look-up costs the same among 100 rules as among
// 10,000: exact keys, patterns with beginnings of their own, and identities.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		text := manyRules(n)
		p := mustParse(b, text)
		c := p.Callers()[0]
		evidence := caller.Evidence{Certificate: &caller.Certificate{URIs: []string{fmt.Sprintf("spiffe://acme.example/ns/%d/sa/x", n/2)}}}
		x := Content{ID: "7", AncestorIDs: []string{"1", "2", "3"}, Known: Facts{Ancestors: true}}
		b.Run(fmt.Sprintf("parse/%d", n), func(b *testing.B) {
			for b.Loop() {
				mustParse(b, text)
			}
		})
		b.Run(fmt.Sprintf("caller/%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := p.Caller(evidence); err != nil {
					b.Fatal(err)
				}
			}
		})
		for name, key := range map[string]string{"key": fmt.Sprintf("K%d", n/2), "pattern": fmt.Sprintf("P%dx", n/2), "none": "NONE"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				x.SpaceKey = key
				for b.Loop() {
					if c.Content(x).Allowed == (name == "none") {
						b.Fatal(c.Content(x))
					}
				}
			})
		}
	}
}

// manyRules is a policy with one caller of n rules, and n more of one rule each.
func manyRules(n int) string {
	var spaces, subtrees, others strings.Builder
	for i := range n / 2 {
		fmt.Fprintf(&spaces, "      - K%d\n      - P%d*\n", i+1, i+1)
		fmt.Fprintf(&subtrees, "        - %d\n", 1_000_000+i)
	}
	for i := range n {
		fmt.Fprintf(&others, "  - name: c%d\n    tls: {uris: ['spiffe://acme.example/ns/%d/sa/*']}\n", i, i)
	}
	return "callers:\n  - name: all\n    spaces:\n" + spaces.String() + "    except:\n      subtrees:\n" + subtrees.String() + others.String()
}

// TestTenThousandRulesAreLookedUpAndNotSearched counts the rules that a look-up
// tries, since time on a busy machine proves nothing.
func TestTenThousandRulesAreLookedUpAndNotSearched(t *testing.T) {
	t.Parallel()
	c := mustParse(t, manyRules(10_000)).Callers()[0]
	if got := len(c.spaces.rules); got != 10_000 {
		t.Fatalf("the caller has %d rules, so this checks nothing", got)
	}
	for _, key := range []string{"K17", "P17x", "P4999x", "NONE"} {
		tried := 0
		for range c.spaces.candidates(lowerASCII(key)) {
			tried++
		}
		if tried > 4 {
			t.Errorf("a look-up of %s tries %d of 10,000 patterns, want those with the same beginning", key, tried)
		}
	}
}
