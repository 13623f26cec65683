package confluencetest

import (
	"strings"
	"testing"
)

const smallSite = `-- site --
cloud-id: 1
-- account a --
id: 1
email: a@acme.example
-- token t --
account: a
secret: x
unscoped: yes
-- space S --
id: 1
author: a
homepage: 1
-- page 1 --
space: S
title: Home
version: 1 2026-01-01T00:00:00Z a
`

func TestFixturesAreStrict(t *testing.T) {
	t.Parallel()
	if _, err := ParseSite("s.txtar", []byte(smallSite)); err != nil {
		t.Fatal(err)
	}
	const one = "\nversion: 1 2026-01-01T00:00:00Z a\n"
	for name, test := range map[string]struct{ more, want string }{
		"unknown key":                      {"-- page 2 --\nspace: S\ncolour: red" + one, `s.txtar:20: page 2: there is no key "colour"`},
		"key of another type":              {"-- page 2 --\nspace: S\nmedia-type: x" + one, `s.txtar:20: page 2: there is no key "media-type"`},
		"key twice":                        {"-- page 2 --\nspace: S\nspace: S" + one, `s.txtar:20: page 2: key space comes twice`},
		"dangling parent":                  {"-- page 2 --\nspace: S\nparent: 9" + one, `s.txtar:20: page 2: parent: there is no content "9"`},
		"its own parent":                   {"-- page 2 --\nspace: S\nparent: 2" + one, `s.txtar:20: page 2: parent`},
		"parents in a circle":              {"-- page 2 --\nspace: S\nparent: 3" + one + "-- page 3 --\nspace: S\nparent: 2" + one, `s.txtar:18: page 2: its parents go round in a circle`},
		"parent of another space":          {"-- space T --\nid: 2\nauthor: a\n-- page 2 --\nspace: T\nparent: 1" + one, `s.txtar:21: page 2: 1 above it`},
		"a token and a client of one name": {"-- client t --\naccount: a\nid: x\nsecret: y", `client t: comes twice, first in line`},
		"duplicate id":                     {"-- page 1 --\nspace: S" + one, `s.txtar:18: page 1: comes twice, first in line 14`},
		"duplicate id across types":        {"-- folder 1 --\nspace: S" + one, `s.txtar:18: folder 1: comes twice`},
		"duplicate space key":              {"-- space s --\nid: 2\nauthor: a\n", `s.txtar:18: space s: has the id or key of space S`},
		"unknown space":                    {"-- page 2 --\nspace: X" + one, `s.txtar:19: page 2: space: there is no space "X"`},
		"unknown account":                  {"-- page 2 --\nspace: S\nversion: 1 2026-01-01T00:00:00Z b\n", `there is no account "b"`},
		"no version":                       {"-- page 2 --\nspace: S\n", `s.txtar:18: page 2: has no version`},
		"versions backwards":               {"-- page 2 --\nspace: S\nversion: 2 2026-01-01T00:00:00Z a\nversion: 1 2026-01-01T00:00:00Z a\n", `s.txtar:21: page 2: version`},
		"a time that is none":              {"-- page 2 --\nspace: S\nversion: 1 yesterday a\n", `s.txtar:20: page 2: version`},
		"a status that is none":            {"-- page 2 --\nspace: S\nstatus: lost" + one, `s.txtar:20: page 2: status`},
		"an id that is none":               {"-- page x --\nspace: S" + one, `s.txtar:18: page x: "x" is no id of a page`},
		"a page with att":                  {"-- page att2 --\nspace: S" + one, `is no id of a page`},
		"a kind that is none":              {"-- thing 2 --\n", `s.txtar:18: thing 2: there is no kind "thing"`},
		"a line that is none":              {"-- page 2 --\nspace S\n", `s.txtar:19: page 2: "space S" is no line`},
		"a body of nothing":                {"-- page 2 storage --\n<p/>\n", `s.txtar:18: page 2 storage: there is no page 2`},
		"a body of no version":             {"-- page 1 storage v7 --\n<p/>\n", `there is no version v7`},
		"a form that is none":              {"-- page 1 markdown --\nx\n", `"markdown" is no form of a page`},
		"a body that is not UTF-8":         {"-- page 1 storage --\n<p>caf\xe9</p>\n", `s.txtar:18: page 1 storage: is not UTF-8`},
		"a title that is not UTF-8":        {"-- page 2 --\nspace: S\ntitle: caf\xe9" + one, `s.txtar:20: page 2: is not UTF-8`},
		"ADF that is no JSON":              {"-- page 1 adf --\n{\"type\":\n", `s.txtar:18: page 1 adf: is not JSON`},
		"base64 that is none":              {"-- attachment att2 --\non: 1" + one + "-- attachment att2 base64 --\n!\n", `s.txtar:21: attachment att2 base64: illegal base64`},
		"a token without secret":           {"-- token u --\naccount: a\nscopes: x\n", `s.txtar:18: token u: has no secret`},
		"an account without e-mail":        {"-- account b --\nid: 2\n", `s.txtar:18: account b: has no email`},
		"a reply to no comment":            {"-- comment 2 --\non: 1\nreply-to: 1" + one, `s.txtar:18: comment 2: it replies to 1`},
		"replies in a circle":              {"-- comment 2 --\non: 1\nreply-to: 3" + one + "-- comment 3 --\non: 1\nreply-to: 2" + one, `in a circle`},
		"a zone that is none":              {"-- account b --\nzone: Mars/Olympus\n", `s.txtar:19: account b: zone`},
	} {
		_, err := ParseSite("s.txtar", []byte(smallSite+test.more))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	_, err := ParseSite("s.txtar", []byte(smallSite+"-- page 2 --\nspace: X\ncolour: red\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("several faults: %v, want all of them", err)
	}
	if _, err := ParseSite("s.txtar", nil); err == nil {
		t.Error("an empty file is taken for a site")
	}
}

func TestGeneratedSitesAreDeepWideAndTheSame(t *testing.T) {
	t.Parallel()
	const pages = 2000
	site := Generate(pages, 42)
	c := callerOf(t, New(site))
	children, _ := c.walk("/wiki/api/v2/pages/1000/direct-children?limit=250")
	if len(children) != wide {
		t.Errorf("the home page has %d children, want %d", len(children), wide)
	}
	depth := 0
	sizes := map[int]bool{}
	for _, item := range site.ordered {
		depth = max(depth, depthOf(item))
		if item.kind == typePage && item.id != "1000" {
			sizes[len(item.current().body.storageFormat())>>14] = true
		}
	}
	if depth < deep {
		t.Errorf("the deepest page is %d steps down, want %d", depth, deep)
	}
	if len(sizes) < 3 {
		t.Errorf("bodies are of %d sizes", len(sizes))
	}
	again := Generate(pages, 42)
	other := Generate(pages, 43)
	const id = "101234"
	if a, b := site.contents[id], again.contents[id]; a.title != b.title || a.parent.id != b.parent.id || a.current().body.in("storage") != b.current().body.in("storage") {
		t.Error("the same seed gives another site")
	}
	if site.contents[id].current().body.in("storage") == other.contents[id].current().body.in("storage") {
		t.Error("another seed gives the same site")
	}
	word, _, _ := strings.Cut(sentence(0), " ")
	if got := c.search(`text ~ "`+word+`" and type = page`, "").results(t); len(got) == 0 {
		t.Errorf("nothing is found for %q", word)
	}
}

// depthOf is how many steps c lies below the top of its tree.
func depthOf(c *content) int {
	depth := 0
	for ; c.parent != nil; c = c.parent {
		depth++
	}
	return depth
}

func FuzzParseSite(f *testing.F) {
	f.Add([]byte(smallSite))
	f.Add([]byte(smallSite + "-- comment 2 --\non: 1\nreply-to: 2\nversion: 1 2026-01-01T00:00:00Z a\n-- attachment att3 --\non: 2\nversion: 1 5MiB 2026-01-01T00:00:00Z a\n-- attachment att3 base64 v1 --\nAA==\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		site, err := ParseSite("fuzz.txtar", data)
		if err != nil {
			return
		}
		c := callerOf(t, New(site))
		for _, path := range []string{"/wiki/api/v2/pages?body-format=storage", "/wiki/rest/api/search?cql=type+!=+user&expand=content.container", "/wiki/api/v2/attachments", "/wiki/api/v2/footer-comments"} {
			if got := c.get(path); got.status >= 500 || got.err != nil {
				t.Errorf("%s: %d %v", path, got.status, got.err)
			}
		}
	})
}
