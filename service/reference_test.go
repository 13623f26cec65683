package service

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

var propertyRuns = flag.Int("policy-runs", 12, "random sites and policies that the broker is held against")

// thing is a page of a random site, with its one attachment att9ID.
type thing struct {
	id, space, label string
	restricted       bool
	parent           *thing
}

// rules is a random entry of a policy, as a filter over the whole site reads it:
// in the plainest words, and with nothing of package policy.
type rules struct {
	name, hiddenSpace, label, subtree string
	spaces                            []string // none: all
	restricted                        bool
}

// sees is the reference filter.
func (r rules) sees(x *thing) bool {
	if x.space == r.hiddenSpace || len(r.spaces) > 0 && !slices.Contains(r.spaces, x.space) || r.label != "" && x.label == r.label {
		return false
	}
	for at := x; at != nil; at = at.parent {
		if at.id == r.subtree || r.restricted && at.restricted {
			return false
		}
	}
	return true
}

func (r rules) entry() string {
	spaces := `"*"`
	if len(r.spaces) > 0 {
		spaces = strings.Join(r.spaces, ", ")
	}
	var except []string
	for _, e := range [][2]string{{"spaces", r.hiddenSpace}, {"labels", r.label}, {"subtrees", r.subtree}} {
		if e[1] != "" {
			except = append(except, e[0]+": ["+e[1]+"]")
		}
	}
	if r.restricted {
		except = append(except, "restricted: true")
	}
	return entry(r.name, "spaces: ["+spaces+"], raw_cql: true, except: {"+strings.Join(except, ", ")+"}")
}

// randomSite has pages in three spaces, each below one before it.
func randomSite(dice *rand.Rand) (things []*thing, fixture string) {
	var b strings.Builder
	head, _, _ := strings.Cut(hidingSite, "-- space DOC --")
	b.WriteString(head)
	spaces := []string{"AA", "AB", "CC"}
	for i, key := range spaces {
		fmt.Fprintf(&b, "-- space %s --\nid: %d\nname: %s\nhomepage: %d\nauthor: broker\n", key, 10+i, key, 1001+i)
	}
	for i := range 24 {
		x := &thing{id: fmt.Sprint(1001 + i)}
		if i < len(spaces) {
			x.space = spaces[i]
		} else {
			x.parent = things[dice.IntN(len(things))]
			x.space = x.parent.space
			x.label = []string{"", "", "red", "blue"}[dice.IntN(4)]
			x.restricted = dice.IntN(8) == 0
		}
		things = append(things, x)
		fmt.Fprintf(&b, "-- page %s --\nspace: %s\ntitle: Title %[1]s\nversion: 1 2026-02-01T09:00:00Z broker\n", x.id, x.space)
		if x.parent != nil {
			fmt.Fprintf(&b, "parent: %s\nposition: %d\n", x.parent.id, i)
		}
		if x.label != "" {
			fmt.Fprintf(&b, "labels: %s\n", x.label)
		}
		if x.restricted {
			b.WriteString("restricted-to: broker\n")
		}
		fmt.Fprintf(&b, "-- page %s storage --\n<p>common words</p>\n", x.id)
		fmt.Fprintf(&b, "-- attachment att9%s --\non: %[1]s\ntitle: file%[1]s.txt\nmedia-type: text/plain\nfile-id: 00000000-0000-4000-8000-00000000%[1]s\nversion: 1 2026-02-01T09:00:00Z broker\n-- attachment att9%[1]s data --\nbytes\n", x.id)
	}
	return things, b.String()
}

func randomRules(dice *rand.Rand, name string, things []*thing) rules {
	pick := func(of ...string) string { return of[dice.IntN(len(of))] }
	return rules{
		name: name, hiddenSpace: pick("", "", "CC", "AA"), label: pick("", "red", "blue"),
		subtree: pick("", things[dice.IntN(len(things))].id), restricted: dice.IntN(2) == 0,
		spaces: [][]string{nil, {"AA"}, {"AA", "CC"}, {"AB", "CC"}}[dice.IntN(4)],
	}
}

// TestCallersGetWhatAFilterOverTheWholeSiteLeaves holds random calls of several
// callers, in any order and with whatever is cached by then, against the reference
// filter: all that it leaves, and nothing else.
func TestCallersGetWhatAFilterOverTheWholeSiteLeaves(t *testing.T) {
	t.Parallel()
	for run := range *propertyRuns {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(uint64(run), 6))
			things, fixture := randomSite(dice)
			callers := []rules{{name: "all"}}
			var entries []string
			for i := range 3 {
				callers = append(callers, randomRules(dice, fmt.Sprintf("caller-%d", i), things))
			}
			for _, r := range callers {
				entries = append(entries, r.entry())
			}
			b := newBroker(t, withSite(t, fixture), withPolicy(t, entries...))
			for range 120 {
				r, x := callers[dice.IntN(len(callers))], things[dice.IntN(len(things))]
				checkCall(as(t.Context(), r.name), t, b, dice, r, x, things)
			}
		})
	}
}

// checkCall makes one random call about x.
func checkCall(ctx context.Context, t *testing.T, b *broker, dice *rand.Rand, r rules, x *thing, things []*thing) {
	t.Helper()
	want := codes.OK
	if !r.sees(x) {
		want = codes.NotFound
	}
	expect := func(what string, err error) {
		if status.Code(err) != want {
			t.Errorf("%s of %s, labelled %q, by %s: %v, want %v", what, x.id, x.label, r.entry(), err, want)
		}
	}
	switch dice.IntN(5) {
	case 0:
		req := byID(x.id)
		if dice.IntN(2) == 0 {
			req = byTitle(x.space, "title "+x.id)
		}
		if dice.IntN(2) == 0 {
			req.MaxAge = durationpb.New(0)
		}
		got, err := b.GetPage(ctx, req)
		expect("page", err)
		if parent := got.GetPage().GetParentId(); err == nil && x.parent != nil && (parent != "") != r.sees(x.parent) {
			t.Errorf("%s has parent %q, which %s sees: %t", x.id, parent, r.entry(), r.sees(x.parent))
		}
	case 1:
		expect("file", readFile(ctx, b, "att9"+x.id))
	case 2, 3:
		if want == codes.NotFound {
			expect("children", listBelow(ctx, b, brokerv1.ContentType_CONTENT_TYPE_PAGE, x.id))
			return
		}
		got, _ := walkChildren(ctx, t, b, &brokerv1.ListChildrenRequest{ParentId: x.id, PageSize: 1 + dice.Int32N(4)})
		same(t, r, "children of "+x.id, got, things, func(y *thing) bool { return y.parent == x }, "")
	case 4:
		kind := []string{"page", "attachment"}[dice.IntN(2)]
		req := byCQL("space = AA or type = " + kind + " and type = " + kind)
		req.PageSize = 1 + dice.Int32N(8)
		if dice.IntN(2) == 0 {
			req.SpaceKeys = []string{x.space}
		}
		prefix := map[string]string{"page": "", "attachment": "att9"}[kind]
		same(t, r, "search for "+kind, resultIDs(walkSearch(ctx, t, b, req)), things, func(y *thing) bool {
			return len(req.GetSpaceKeys()) == 0 || y.space == x.space
		}, prefix)
	}
}

// same holds ids that came against those of the things that belong to the answer
// and are seen.
func same(t *testing.T, r rules, what string, got []string, things []*thing, belongs func(*thing) bool, prefix string) {
	t.Helper()
	var want []string
	for _, y := range things {
		if belongs(y) && r.sees(y) {
			want = append(want, prefix+y.id)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("%s by %s (-want +got):\n%s", what, r.entry(), diff)
	}
}
