package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const decisions = `
callers:
  - name: a
    methods: [GetPage, Search]
    spaces: [DOC, "TEAM*", 2024, and, ~712020abc]
    except:
      spaces: [TEAMHR, "TEAMX*"]
      labels: [Secret, "hr-*"]
      subtrees: [1001]
      restricted: true
    body_formats: [markdown]
    max_attachment_bytes: 100
  - name: open
    methods: ["*"]
    spaces: ["*"]
    body_formats: ["*"]
    raw_cql: true
  - name: closed
    body_formats: []
`

func named(t *testing.T, p *Policy, name string) *Caller {
	t.Helper()
	c, ok := p.Named(name)
	if !ok {
		t.Fatalf("there is no caller %q", name)
	}
	return c
}

func TestADecisionNamesItsRule(t *testing.T) {
	t.Parallel()
	p := mustParse(t, decisions)
	a, open, closed := named(t, p, "a"), named(t, p, "open"), named(t, p, "closed")
	known := Facts{Ancestors: true, Labels: true, Restrictions: true}
	page := func(change func(*Content)) Content {
		x := Content{SpaceKey: "DOC", ID: "7", Known: known}
		change(&x)
		return x
	}
	for _, test := range []struct {
		name string
		got  Decision
		want Decision
	}{
		{"a method that is listed", a.Method("GetPage"), Decision{true, `a: methods "GetPage" (line 4)`}},
		{"a method that is not", a.Method("Diagnose"), Decision{false, "a: no entry of methods covers it (line 3)"}},
		{"methods are compared as written", a.Method("getpage"), Decision{false, "a: no entry of methods covers it (line 3)"}},
		{"all methods", open.Method("Diagnose"), Decision{true, `open: methods "*" (line 14)`}},
		{"no methods", closed.Method("GetPage"), Decision{false, "closed: no entry of methods covers it (line 18)"}},

		{"a format that is listed", a.BodyFormat("markdown"), Decision{true, `a: body_formats "markdown" (line 11)`}},
		{"a format that is not", a.BodyFormat("storage"), Decision{false, "a: no entry of body_formats covers it (line 3)"}},
		{"no body", closed.BodyFormat("none"), Decision{true, "closed: answers without a body are always allowed (line 18)"}},
		{"no format", open.BodyFormat(""), Decision{false, "open: the body format is not known (line 13)"}},
		{"all formats", open.BodyFormat("adf"), Decision{true, `open: body_formats "*" (line 16)`}},
		{"an empty list of formats", closed.BodyFormat("text"), Decision{false, "closed: no entry of body_formats covers it (line 18)"}},

		{"an attachment as large as allowed", a.AttachmentSize(100), Decision{true, "a: max_attachment_bytes 100 (line 12)"}},
		{"one byte more", a.AttachmentSize(101), Decision{false, "a: max_attachment_bytes 100 (line 12)"}},
		{"no limit", open.AttachmentSize(1 << 60), Decision{true, "open: max_attachment_bytes sets no limit (line 13)"}},
		{"CQL", open.CQL(), Decision{true, "open: raw_cql true (line 17)"}},
		{"no CQL", a.CQL(), Decision{false, "a: raw_cql false (line 3)"}},

		{"a space that is listed", a.Space("DOC"), Decision{true, `a: spaces "DOC" (line 5)`}},
		{"case is one in space keys", a.Space("doc"), Decision{true, `a: spaces "DOC" (line 5)`}},
		{"a space by pattern", a.Space("TeamA"), Decision{true, `a: spaces "TEAM*" (line 5)`}},
		{"a pattern covers its own beginning", a.Space("TEAM"), Decision{true, `a: spaces "TEAM*" (line 5)`}},
		{"a pattern is no search", a.Space("MYTEAM"), Decision{false, "a: no entry of spaces covers it (line 3)"}},
		{"a key that is a number", a.Space("2024"), Decision{true, `a: spaces "2024" (line 5)`}},
		{"a key that is a word of CQL", a.Space("AND"), Decision{true, `a: spaces "and" (line 5)`}},
		{"a personal space", a.Space("~712020abc"), Decision{true, `a: spaces "~712020abc" (line 5)`}},
		{"a letter that only folds to the same", a.Space("tea\u212a"), Decision{false, "a: no entry of spaces covers it (line 3)"}},
		{"an exception", a.Space("teamhr"), Decision{false, `a: except spaces "TEAMHR" (line 7)`}},
		{"an exception by pattern", a.Space("TEAMX1"), Decision{false, `a: except spaces "TEAMX*" (line 7)`}},
		{"no space", open.Space(""), Decision{false, "open: the space is not known (line 13)"}},
		{"no spaces", closed.Space("DOC"), Decision{false, "closed: no entry of spaces covers it (line 18)"}},

		{"content", a.Content(page(func(*Content) {})), Decision{true, `a: spaces "DOC" (line 5)`}},
		{"content of an unknown space", a.Content(page(func(x *Content) { x.SpaceKey = "" })), Decision{false, "a: the space is not known (line 3)"}},
		{"content of another space", a.Content(page(func(x *Content) { x.SpaceKey = "SEC" })), Decision{false, "a: no entry of spaces covers it (line 3)"}},
		{"the page of a hidden subtree", a.Content(page(func(x *Content) { x.ID = "1001" })), Decision{false, `a: except subtrees "1001" (line 9)`}},
		{"a page below it", a.Content(page(func(x *Content) { x.AncestorIDs = []string{"5", "1001", "6"} })), Decision{false, `a: except subtrees "1001" (line 9)`}},
		{"a hidden label", a.Content(page(func(x *Content) { x.Labels = []string{"x", "secret"} })), Decision{false, `a: except labels "Secret" (line 8)`}},
		{"a hidden label by pattern", a.Content(page(func(x *Content) { x.Labels = []string{"HR-2024"} })), Decision{false, `a: except labels "hr-*" (line 8)`}},
		{"a restricted page", a.Content(page(func(x *Content) { x.Restricted = true })), Decision{false, "a: except restricted \"true\" (line 10)"}},
		{"ancestors that nobody looked up", a.Content(page(func(x *Content) { x.Known.Ancestors = false })), Decision{false, "a: its ancestors are not known, and a rule asks for them (line 9)"}},
		{"an id that nobody knows", a.Content(page(func(x *Content) { x.ID = "" })), Decision{false, "a: its ancestors are not known, and a rule asks for them (line 9)"}},
		{"labels that nobody looked up", a.Content(page(func(x *Content) { x.Known.Labels = false })), Decision{false, "a: its labels are not known, and a rule asks for them (line 8)"}},
		{"restrictions that nobody looked up", a.Content(page(func(x *Content) { x.Known.Restrictions = false })), Decision{false, "a: its restrictions are not known, and a rule asks for them (line 10)"}},
		{"facts that no rule asks for", open.Content(Content{SpaceKey: "SEC"}), Decision{true, `open: spaces "*" (line 15)`}},
		{"nothing at all", open.Content(Content{}), Decision{false, "open: the space is not known (line 13)"}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestACallerTellsWhatHasToBeKnown(t *testing.T) {
	t.Parallel()
	p := mustParse(t, decisions)
	if got, want := named(t, p, "a").Needs(), (Facts{Ancestors: true, Labels: true, Restrictions: true}); got != want {
		t.Errorf("Needs() of a = %+v, want %+v", got, want)
	}
	if got, want := named(t, p, "open").Needs(), (Facts{}); got != want {
		t.Errorf("Needs() of open = %+v, want %+v", got, want)
	}
}

func TestACallerTellsWhereToSearch(t *testing.T) {
	t.Parallel()
	p := mustParse(t, decisions)
	type scope struct {
		Exact, Patterns             []string
		All                         bool
		ExceptSpaces, Labels, Pages []string
	}
	ask := func(name string) (s scope) {
		c := named(t, p, name)
		s.Exact, s.Patterns, s.All = c.SpaceKeys()
		s.ExceptSpaces, s.Labels, s.Pages = c.Exceptions()
		return s
	}
	for name, want := range map[string]scope{
		"a": {
			Exact: []string{"DOC", "2024", "and", "~712020abc"}, Patterns: []string{"TEAM*"},
			ExceptSpaces: []string{"TEAMHR"}, Labels: []string{"Secret"}, Pages: []string{"1001"},
		},
		"open":   {Patterns: []string{"*"}, All: true},
		"closed": {},
	} {
		if diff := cmp.Diff(want, ask(name)); diff != "" {
			t.Errorf("where %s may search (-want +got):\n%s", name, diff)
		}
	}
}

func TestWithoutAFileAnonymousCallersMayDoEverything(t *testing.T) {
	t.Parallel()
	p := Open()
	c, ok := p.Anonymous()
	if !ok || len(p.Callers()) != 0 {
		t.Fatalf("Open() has callers %v, and an anonymous one: %t", p.Callers(), ok)
	}
	for _, d := range []Decision{
		c.Method("GetPage"), c.BodyFormat("adf"), c.CQL(), c.AttachmentSize(1 << 60), c.Space("SEC"),
		c.Content(Content{SpaceKey: "SEC", Restricted: true}),
	} {
		if !d.Allowed {
			t.Errorf("Open() denies: %s", d.Rule)
		}
	}
	if c.Content(Content{}).Allowed {
		t.Error("Open() allows content of an unknown space")
	}
}
