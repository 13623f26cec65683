package confluencetest

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func (c *caller) search(cql, rest string) reply {
	c.t.Helper()
	return c.get("/wiki/rest/api/search?cql=" + url.QueryEscape(cql) + rest)
}

func TestSearchFindsOnlyWhatIsCurrentAndVisible(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for cql, want := range map[string][]string{
		`text ~ "restart" and type = page`: {"1001", "1002", "2002"}, // not trashed, draft or archived
		`id in (3003, 3004, 4004, 4002)`:   nil,
		`space = "NOSUCH"`:                 nil,
	} {
		got := ids(c.search(cql, "").results(t))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", cql, got, want)
		}
	}
	if got := ids(c.as("narrow").search("type = page and space = SEC", "").results(t)); len(got) > 0 {
		t.Errorf("an account that reads DOC alone finds %v in SEC", got)
	}
}

func TestSearchRowsAreMarkedAndEscaped(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	row := c.search(`title ~ "env" and type = page`, "&expand=content.space,content.version").results(t)[0]
	content := row["content"].(object)
	if row["title"] != `R&amp;D &#34;x&#34; &lt;@@@hl@@@env@@@endhl@@@&gt;` || content["title"] != `R&D "x" <env>` {
		t.Errorf("title %q, content.title %q", row["title"], content["title"])
	}
	if row["url"] != "/spaces/DOC/pages/1003/R%26D+%22x%22+%3Cenv%3E" || row["entityType"] != "content" || row["score"] != 0.0 ||
		row["resultGlobalContainer"].(object)["displayUrl"] != "/spaces/DOC" || row["lastModified"] != "2026-02-02T12:00:00.000Z" {
		t.Errorf("row = %v", row)
	}
	if content["space"].(object)["key"] != "DOC" || content["version"].(object)["number"] != 1.0 {
		t.Errorf("content = %v", content)
	}
	attachment := c.search(`type = attachment and title = "spec.pdf"`, "&expand=content.container").results(t)[0]
	if on := attachment["content"].(object)["container"].(object); on["id"] != "1001" || on["type"] != "page" {
		t.Errorf("container = %v", on)
	}
	plain := c.search(`id = 1001`, "").results(t)[0]["content"].(object)
	if plain["space"] != nil || plain["version"] != nil || plain["container"] != nil {
		t.Errorf("without expand: %v", plain)
	}
	space := c.search(`type = space and space = DOC`, "").results(t)[0]
	if space["content"] != nil || space["entityType"] != "space" || space["space"].(object)["id"] != 7.0 {
		t.Errorf("a space's row = %v", space)
	}
}

func TestSearchExcerpts(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for form, want := range map[string]string{
		"": "@@@hl@@@drain@@@endhl@@@", "highlight": "@@@hl@@@drain@@@endhl@@@", "highlight_unescaped": "ingestctl @@@hl@@@drain@@@endhl@@@ --wait && ",
		"indexed": "Ingest service", "indexed_unescaped": "Ingest service", "none": "", "nosuch": "",
	} {
		got := c.search(`text ~ "drain" and type = page`, "&excerpt="+form).results(t)[0]["excerpt"].(string)
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("excerpt=%s: %q, want it to hold %q", form, got, want)
		}
	}
}

func TestSearchGoesOnByCursorAlone(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	all := ids(c.search("type = page", "").results(t))
	items, _ := c.walk("/wiki/rest/api/search?limit=3&cql=" + url.QueryEscape("type = page"))
	got := ids(items)
	slices.Sort(all)
	slices.Sort(got)
	if !slices.Equal(all, got) {
		t.Errorf("by threes %v, at once %v", got, all)
	}
	first := ids(c.search("type = page order by id", "&limit=2").results(t))
	if again := ids(c.search("type = page order by id", "&limit=2&start=2").results(t)); !slices.Equal(first, again) {
		t.Errorf("start=2 gives %v, want it ignored", again)
	}
	if complaints := c.sim.Suspicious(); len(complaints) != 1 || !strings.Contains(complaints[0], "start is ignored") {
		t.Errorf("complaints = %v", complaints)
	}
	cursor := url.QueryEscape(c.search("type = page", "&limit=2").next(t))
	if got := c.search("type = blogpost", "&cursor="+cursor); got.status != 400 {
		t.Errorf("another query's cursor: %d, want 400", got.status)
	}
}

func TestSearchCapsItsPagesWithoutAWord(t *testing.T) {
	t.Parallel()
	c := callerOf(t, New(Generate(300, 1)))
	for query, want := range map[string]int{
		"&limit=250": 250, "&limit=9999": 250, "": 25, "&limit=250&expand=content.body.storage": 50, "&limit=250&expand=body.export_view": 25,
	} {
		if got := len(c.search("type = page", query).results(t)); got != want {
			t.Errorf("%q: %d results, want %d", query, got, want)
		}
	}
}

func TestEqualHitsSwapPlacesBetweenWalks(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	first, second := ids(c.search("type = page", "").results(t)), ids(c.search("type = page", "").results(t))
	if slices.Equal(first, second) {
		t.Error("two searches without an order give the same order")
	}
	walk := func(c *caller) []string {
		items, _ := c.walk("/wiki/rest/api/search?limit=5&cql=" + url.QueryEscape("type = page"))
		return slices.Sorted(slices.Values(ids(items)))
	}
	if steady := walk(c); len(slices.Compact(slices.Clone(steady))) != len(steady) {
		t.Errorf("within a walk hits swap: %v", steady)
	}
	if unsteady := walk(newCaller(t, With(UnstableSearch))); len(slices.Compact(slices.Clone(unsteady))) == len(unsteady) {
		t.Errorf("with UnstableSearch no hit comes twice: %v", unsteady)
	}
	first, second = ids(c.search("type = page order by id", "").results(t)), ids(c.search("type = page order by id", "").results(t))
	if !slices.Equal(first, second) {
		t.Error("two ordered searches differ")
	}
}

func TestSearchSaysWhatIsWrongWithAQuery(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	got := c.search("nosuch = 1", "")
	if got.status != 400 || !strings.Contains(got.body, `"message":"com.atlassian.confluence.api.service.exceptions.BadRequestException: Could not parse cql : nosuch = 1`) ||
		!strings.Contains(got.body, `"authorized":`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for cql, want := range map[string]int{"": 400, `siteSearch ~ ""`: 500, `title = ""`: 400} {
		if got := c.search(cql, ""); got.status != want {
			t.Errorf("%q: %d, want %d", cql, got.status, want)
		}
	}
}

func TestTheIndexLagsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 1, 10, 15, 30, 0, time.UTC))) // 30 s after page 1001 was changed
		c := newCaller(t, WithIndexLag(time.Minute))
		if got := c.search("id = 1001", "").results(t); len(got) > 0 {
			t.Errorf("after half a minute %v is found", ids(got))
		}
		time.Sleep(time.Minute)
		if got := c.search("id = 1001", "").results(t); len(got) != 1 {
			t.Errorf("after a minute and a half %v is found", ids(got))
		}
	})
}
