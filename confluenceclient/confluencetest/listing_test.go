package confluencetest

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTreeShowsEachTypeInOrder(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	var got []string
	for _, child := range c.get("/wiki/api/v2/pages/1000/direct-children").results(t) {
		got = append(got, child["type"].(string)+" "+child["id"].(string))
		if child["_links"] != nil || child["childPosition"] == nil {
			t.Errorf("child %v has an address, or no position", child)
		}
	}
	want := []string{"page 1001", "folder 5005", "whiteboard 5101", "database 5102", "embed 5103", "page 1002"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
	if got := ids(c.get("/wiki/api/v2/pages/1000/children").results(t)); !slices.Equal(got, []string{"1001", "1002"}) {
		t.Errorf("the deprecated listing has %v, want pages alone", got)
	}
	for path, want := range map[string][]string{
		"/wiki/api/v2/folders/5005/direct-children":     {"1003", "1004", "5006"},
		"/wiki/api/v2/whiteboards/5101/direct-children": {"1007"},
		"/wiki/api/v2/databases/5102/direct-children":   {"1008"},
		"/wiki/api/v2/embeds/5103/direct-children":      {"1009"},
		"/wiki/api/v2/pages/2000/direct-children":       {"2002"}, // 3003 is restricted
	} {
		if got := ids(c.get(path).results(t)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := c.get("/wiki/api/v2/folders/1001/direct-children"); got.status != 404 || !strings.Contains(got.body, "Content with id: [1001] not found") {
		t.Errorf("a page as a folder: %d %s", got.status, got.body)
	}
}

func TestDescendantsEndAtTheirDepthWithoutAWord(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for query, want := range map[string]int{"depth=1": 6, "": 13, "depth=2": 13, "depth=3": 16, "depth=10": 16} {
		items, _ := c.walk("/wiki/api/v2/pages/1000/descendants?" + query)
		if len(items) != want {
			t.Errorf("%q: %d descendants, want %d: %v", query, len(items), want, ids(items))
		}
	}
	if got := c.get("/wiki/api/v2/pages/1000/descendants?depth=11"); got.status != 400 {
		t.Errorf("depth=11: %d, want 400", got.status)
	}
	above := c.as("reader").get("/wiki/api/v2/pages/9007199254740993/ancestors").results(t)
	if got := ids(above); !slices.Equal(got, []string{"1000", "5005", "5006"}) {
		t.Errorf("ancestors = %v, want the topmost first", got)
	}
}

func TestWalksGiveEachItemOnce(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]Option{nil, {With(EmptyPages)}} {
		c := callerOf(t, New(Generate(900, 7), opts...))
		items, sizes := c.walk("/wiki/api/v2/pages?limit=50")
		if got := ids(items); len(got) != 901 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 901 {
			t.Errorf("the walk gives %d items", len(got))
		}
		if short := slices.Min(sizes[1 : len(sizes)-1]); short == 50 || (opts != nil) != (short == 0) {
			t.Errorf("pages have %v items: short ones are due in the middle, and empty ones with the quirk", sizes)
		}
	}
}

func TestNextLinksAreOfTwoKinds(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	v2 := c.get("/wiki/api/v2/pages?limit=2")
	links := v2.json(t)["_links"].(object)
	next, _ := links["next"].(string)
	if !strings.HasPrefix(next, "/wiki/api/v2/pages?") || links["base"] != "https://acme.example/wiki" {
		t.Errorf("v2: _links = %v", links)
	}
	if want := "<" + next + `>; rel="next", <https://acme.example/wiki>; rel="base"`; v2.header.Get("Link") != want {
		t.Errorf("v2: Link = %s, want %s", v2.header.Get("Link"), want)
	}
	v1 := c.get("/wiki/rest/api/search?cql=type=page&limit=2&excerpt=none&expand=content.space").json(t)["_links"].(object)
	next, _ = v1["next"].(string)
	query, _ := url.ParseQuery(next[strings.Index(next, "?")+1:])
	if !strings.HasPrefix(next, "/rest/api/search?") || v1["context"] != "/wiki" || query.Get("next") != "true" || query.Has("excerpt") || query.Get("cql") != "type=page" {
		t.Errorf("v1: _links = %v", v1)
	}
	if got := newCaller(t, With(GatewayBase)).get("/wiki/api/v2/pages").json(t)["_links"].(object)["base"]; !strings.HasPrefix(got.(string), GatewayURL) {
		t.Errorf("with GatewayBase: base = %v", got)
	}
	if got := newCaller(t, With(NoLinkHeader)).get("/wiki/api/v2/pages?limit=2"); got.header.Get("Link") != "" || got.next(t) == "" {
		t.Errorf("with NoLinkHeader: Link = %q", got.header.Get("Link"))
	}
}

func TestCursorsAreGoodForTheirOwnListingAlone(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	cursor := url.QueryEscape(c.get("/wiki/api/v2/pages/1000/direct-children?limit=1").next(t))
	for name, got := range map[string]reply{
		"junk":           c.get("/wiki/api/v2/pages/1000/direct-children?cursor=junk"),
		"altered":        c.get("/wiki/api/v2/pages/1000/direct-children?cursor=x" + cursor),
		"another parent": c.get("/wiki/api/v2/pages/1001/direct-children?cursor=" + cursor),
		"another filter": c.get("/wiki/api/v2/pages/1000/direct-children?sort=id&cursor=" + cursor),
		"another server": newCaller(t).get("/wiki/api/v2/pages/1000/direct-children?cursor=" + cursor),
	} {
		if got.status != 400 || !strings.Contains(got.body, `"code":"INVALID_REQUEST_PARAMETER"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := c.get("/wiki/api/v2/pages/1000/direct-children?limit=3&cursor=" + cursor); got.status != 200 {
		t.Errorf("its own, with another limit: %d", got.status)
	}
	for _, limit := range []string{"0", "251", "-1", "x"} {
		if got := c.get("/wiki/api/v2/pages?limit=" + limit); got.status != 400 {
			t.Errorf("limit=%s: %d, want 400", limit, got.status)
		}
	}
}

func TestNewFieldsAppearInAnswers(t *testing.T) {
	t.Parallel()
	if got := newCaller(t).get("/wiki/api/v2/pages/1001").json(t); got["aFieldAddedLater"] == nil {
		t.Error("there is no field that clients do not know")
	}
}

func TestCommentsHaveReplies(t *testing.T) {
	t.Parallel()
	c := newCaller(t).as("reader")
	for path, want := range map[string][]string{
		"/wiki/api/v2/pages/1001/footer-comments":                            {"8001"},
		"/wiki/api/v2/pages/1001/inline-comments":                            {"8003"},
		"/wiki/api/v2/footer-comments/8001/children":                         {"8002"},
		"/wiki/api/v2/pages/1001/labels?prefix=team":                         nil,
		"/wiki/api/v2/pages/1001/attachments":                                {"att9", "att77", "att80", "att81"},
		"/wiki/api/v2/attachments?filename=spec.pdf":                         {"att77"},
		"/wiki/api/v2/blogposts/6006/attachments":                            {"att82"},
		"/wiki/api/v2/spaces/7/blogposts":                                    {"6006"},
		"/wiki/api/v2/spaces/8/pages":                                        {"2000", "2002"},
		"/wiki/api/v2/pages/1001/inline-comments?resolution-status=resolved": nil,
	} {
		if got := ids(c.get(path).results(t)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := c.get("/wiki/api/v2/footer-comments/8003"); got.status != 404 {
		t.Errorf("an inline comment among footer comments: %d", got.status)
	}
	labels := c.get("/wiki/api/v2/pages/1001/labels").results(t)
	if len(labels) != 2 || labels[0]["name"] != "runbook" {
		t.Errorf("labels = %v", labels)
	}
	for path, want := range map[string][]string{"/wiki/api/v2/footer-comments": {"8001"}, "/wiki/api/v2/inline-comments": {"8003"}} {
		if got := ids(c.get(path).results(t)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	second := c.get("/wiki/api/v2/pages/1001/versions/2").json(t)
	if second["message"] != "Typos" || second["minorEdit"] != true || second["prevVersion"] != 1.0 || second["nextVersion"] != 3.0 {
		t.Errorf("version 2 = %v", second)
	}
	if got := c.get("/wiki/api/v2/pages/1001/versions/9"); got.status != 404 {
		t.Errorf("a version that never was: %d", got.status)
	}
	versions := c.get("/wiki/api/v2/pages/1001/versions").results(t)
	if len(versions) != 3 || versions[0]["number"] != 3.0 {
		t.Errorf("versions = %v, want the newest first", versions)
	}
}
