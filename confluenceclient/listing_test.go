package confluenceclient

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listing answers direct-children: pages of results by cursor "" , "1", "2", …
func listing(pages ...string) func(*http.Request) *http.Response {
	return func(req *http.Request) *http.Response {
		i := 0
		if cursor := req.URL.Query().Get("cursor"); cursor != "" {
			if _, err := fmt.Sscanf(cursor, "c+%d=", &i); err != nil {
				return reply(400, `{"errors":[{"status":400,"code":"INVALID_REQUEST_PARAMETER"}]}`)
			}
		}
		next := ""
		if i+1 < len(pages) {
			next = fmt.Sprintf(`"next":"/wiki/api/v2/pages/1/direct-children?limit=2&cursor=c%%2B%d%%3D&other=1",`, i+1)
		}
		return reply(200, `{"results":[`+pages[i]+`],"_links":{`+next+`"base":"https://acme.example/wiki"}}`)
	}
}

func item(id string) string {
	return `{"id":"` + id + `","type":"page","status":"current","title":"T","childPosition":1}`
}

// walk lists to the end, with a bound that no test should reach.
func walk(t *testing.T, client *Client) ([]string, error) {
	t.Helper()
	var ids []string
	req := ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 250}
	for range 100 {
		page, err := client.Children(t.Context(), req)
		if err != nil {
			return ids, err
		}
		for _, child := range page.Children {
			ids = append(ids, child.ID)
		}
		if req.Cursor = page.Next; page.Next.IsZero() {
			return ids, nil
		}
	}
	t.Fatal("the walk has no end")
	return nil, nil
}

func TestAWalkEndsWhereThereIsNoNextLinkAndNowhereElse(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, listing(item("1")+","+item("2"), "", item("3"), item("4")+","+item("5")))
	ids, err := walk(t, client)
	if err != nil || !cmp.Equal(ids, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("walk = %v, %v", ids, err)
	}
	want := testGateway + "/wiki/api/v2/pages/1/direct-children?cursor=c%2B1%3D&limit=250"
	if got := u.urls()[1]; got != want {
		t.Errorf("second request = %s, want %s", got, want)
	}
	for _, url := range u.urls() {
		if strings.Contains(url, "start=") || strings.Contains(url, "/wiki/wiki/") {
			t.Errorf("request %s", url)
		}
	}
}

func TestWalksWithoutAnEndAreErrors(t *testing.T) {
	t.Parallel()
	n := 0
	tests := map[string]func(*http.Request) *http.Response{
		"the same cursor again": func(*http.Request) *http.Response {
			return reply(200, `{"results":[`+item("1")+`],"_links":{"next":"/x?cursor=same"}}`)
		},
		"new cursors, same items": func(*http.Request) *http.Response {
			n++
			return reply(200, fmt.Sprintf(`{"results":[%s],"_links":{"next":"/x?cursor=c%d"}}`, item("1"), n))
		},
		"new cursors, nothing": func(*http.Request) *http.Response {
			n++
			return reply(200, fmt.Sprintf(`{"results":[],"_links":{"next":"/x?cursor=c%d"}}`, n))
		},
		"new cursors, the same items in another order": func(*http.Request) *http.Response {
			n++
			a, b := item("1"), item("2")
			if n%2 == 0 {
				a, b = b, a
			}
			return reply(200, fmt.Sprintf(`{"results":[%s,%s],"_links":{"next":"/x?cursor=c%d"}}`, a, b, n))
		},
		"new cursors, a cycle of three": func(*http.Request) *http.Response {
			n++
			return reply(200, fmt.Sprintf(`{"results":[%s],"_links":{"next":"/x?cursor=c%d"}}`, item(fmt.Sprint(n%3+1)), n))
		},
	}
	for name, answer := range tests {
		client, _ := newTestClient(t, answer)
		if _, err := walk(t, client); CauseOf(err) != CauseBadResponse || !strings.Contains(err.Error(), "never ends") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEqualPagesNextToEachOtherAreNotALoop(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, listing(item("1"), item("1"), item("2"), item("3")))
	if ids, err := walk(t, client); err != nil || len(ids) != 4 {
		t.Errorf("walk = %v, %v", ids, err)
	}
}

func TestTheCursorIsTakenOutOfAnyFormOfLink(t *testing.T) {
	t.Parallel()
	header := func(link string) http.Header { return http.Header{"Link": {link}} }
	tests := []struct {
		name   string
		link   string
		header http.Header
		want   string
		bad    bool
	}{
		{"relative, v2", "/wiki/api/v2/spaces?limit=1&cursor=abc", nil, "abc", false},
		{"relative, v1", "/rest/api/search?next=true&cursor=abc&limit=1&start=1", nil, "abc", false},
		{"absolute, another host", "https://evil.example/wiki/api/v2/pages?cursor=abc", nil, "abc", false},
		{"encoded", "/wiki/x?cursor=eyJpZCI6IjMwIn0%3D&depth=all", nil, "eyJpZCI6IjMwIn0=", false},
		{"not encoded", "/wiki/x?cursor=eyJpZCI6IjMwIn0=&depth=all", nil, "eyJpZCI6IjMwIn0=", false},
		{"a plus that was not encoded", "/wiki/x?cursor=a+b/c=", nil, "a+b/c=", false},
		{"a name that ends alike", "/wiki/x?precursor=no&cursor=yes#cursor=no", nil, "yes", false},
		{"in the header alone", "", header(`</wiki/api/v2/spaces/7/pages?cursor=eyJpZCI6IjMwIn0=&depth=all&limit=100>; rel="next", <https://acme.example/wiki>; rel="base"`), "eyJpZCI6IjMwIn0=", false},
		{"in a header that names the base first", "", header(`<https://acme.example/wiki>; rel="base", </wiki/x?cursor=abc>; rel=next`), "abc", false},
		{"in a header, relation in single quotes", "", header(`</x?cursor=abc>; rel='next'`), "abc", false},
		{"in a header, in capitals", "", header(`</x?cursor=abc>; Rel="NEXT"`), "abc", false},
		{"in a header, with blanks", "", header(`</x?cursor=abc> ; rel = "next"`), "abc", false},
		{"in a header, beside another relation", "", header(`</x?cursor=abc>; rel="last next"`), "abc", false},
		{"in a header, behind another parameter", "", header(`</x?cursor=abc>; title="a, rel=prev"; rel="next"`), "abc", false},
		{"in a header, of a relation that ends alike", "", header(`</x?cursor=abc>; rel="nextish"`), "", false},
		{"none", "", header(`<https://acme.example/wiki>; rel="base"`), "", false},
		{"an offset instead", "/rest/api/search?start=25", nil, "", true},
		{"empty cursor", "/rest/api/search?cursor=", nil, "", true},
		{"a cursor that is no text", "/rest/api/search?cursor=%ff", nil, "", true},
		{"a cursor without measure", "/rest/api/search?cursor=" + strings.Repeat("x", maxCursor+1), nil, "", true},
	}
	for _, tt := range tests {
		got, err := nextCursor(opSearch, &pageLinks{Next: tt.link}, tt.header)
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%s: nextCursor = %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestChildrenHaveTheirTypeOrderAndAddress(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response {
		return reply(200, `{"results":[
			{"id":"5005","type":"folder","status":"current","title":"Guides","childPosition":-3},
			{"id":"9007199254740993","type":"page","status":"archived","title":"R&D \"x\" <env>","childPosition":null},
			{"id":"8","type":"page","status":"trashed","title":"old"},
			{"id":9,"type":"whiteboard","status":"current","title":"W","childPosition":7,"_links":{"webui":"/spaces/DOC/whiteboard/9"}}],
			"_links":null}`)
	})
	page, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	minus3, seven := int32(-3), int32(7)
	want := &ChildrenPage{
		Children: []Child{
			{ID: "5005", Type: TypeFolder, Status: "current", Title: "Guides", Position: &minus3},
			{ID: "9007199254740993", Type: TypePage, Status: "archived", Title: `R&D "x" <env>`, WebURL: "https://acme.example/wiki/pages/viewpage.action?pageId=9007199254740993"},
			{ID: "9", Type: TypeWhiteboard, Status: "current", Title: "W", Position: &seven, WebURL: "https://acme.example/wiki/spaces/DOC/whiteboard/9"},
		},
		Omitted: []Omitted{{ID: "8", Why: "its status is trashed"}},
	}
	if diff := cmp.Diff(want, page, ignoreFreshness); diff != "" {
		t.Errorf("children differ (-want +got):\n%s", diff)
	}
}

func TestANullItemIsABadResponse(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, `{"results":[null],"_links":null}`) })
	if _, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 1}); CauseOf(err) != CauseBadResponse {
		t.Errorf("children: %v", err)
	}
	page, err := client.Search(t.Context(), SearchRequest{CQL: "type = page", Limit: 1})
	if err != nil || len(page.Results) != 0 || len(page.Omitted) != 1 {
		t.Errorf("search: %+v, %v", page, err)
	}
}

func TestAnAnswerWithoutItsListIsNotAnEmptyList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"results":null}`, `{"message":"temporarily unavailable"}`} {
		client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, body) })
		_, childrenErr := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 1})
		_, searchErr := client.Search(t.Context(), SearchRequest{CQL: "type = page", Limit: 1})
		_, titleErr := client.PageIDByTitle(t.Context(), "DOC", "T", Tolerance{})
		for _, err := range []error{childrenErr, searchErr, titleErr} {
			if CauseOf(err) != CauseBadResponse {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

func TestNumbersComeInAnySpelling(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response {
		return reply(200, `{"results":[{"id":"1","type":"page","childPosition":-5.0,"_links":[]},{"id":"2","type":"page","childPosition":3000000000},
			{"id":"3","type":"page","childPosition":"7","_links":{"webui":["x"]}},{"id":"4"}]}`)
	})
	page, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	var positions []string
	for _, child := range page.Children {
		position := "-"
		if child.Position != nil {
			position = fmt.Sprint(*child.Position)
		}
		positions = append(positions, position)
	}
	if !cmp.Equal(positions, []string{"-5", "-", "7", "-"}) || page.Children[3].Type != "" {
		t.Errorf("positions %v, children %+v", positions, page.Children)
	}
}

func TestWithoutTheScopeForTheTreePagesComeFromTheOlderEndpoint(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, func(req *http.Request) *http.Response {
		if strings.HasSuffix(req.URL.Path, "/direct-children") {
			return reply(401, scopeRefusal)
		}
		return reply(200, `{"results":[{"id":"2","status":"current","title":"T","childPosition":1}],"_links":{"next":"/wiki/api/v2/pages/1/children?cursor=n"}}`)
	})
	req := ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 1}
	page, err := client.Children(t.Context(), req)
	if err != nil || !page.PagesOnly || page.Children[0].Type != TypePage {
		t.Fatalf("children = %+v, %v", page, err)
	}
	req.Cursor = page.Next
	if _, err := client.Children(t.Context(), req); CauseOf(err) != CauseBadResponse {
		t.Errorf("second page, with the same cursor again: %v", err)
	}
	if len(u.requests) != 3 || !strings.HasSuffix(u.requests[2].URL.Path, "/children") {
		t.Errorf("requests = %v: page two must go on where page one was, without another refusal", u.urls())
	}
	if _, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypeFolder, ParentID: "1", Limit: 1}); CauseOf(err) != CauseScopeMissing {
		t.Errorf("folders have no older endpoint: %v", err)
	}
}

func TestSearchRowsBecomePlainTextAndPeoplesLinks(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, func(*http.Request) *http.Response {
		return reply(200, `{"results":[
			{"content":{"id":"1001","type":"page","title":"Run & Book","_links":{"webui":"/spaces/DOC/pages/1001/Run+Book"}},"title":"@@@hl@@@Run@@@endhl@@@ &amp; Book","excerpt":"List&lt;T&gt; @@@hl@@@run@@@endhl@@@ a < b <b>bold</b> &amp;lt;","url":"/spaces/DOC/pages/1001/Run+Book","lastModified":"2026-03-01T01:00:00.000Z","resultGlobalContainer":{"title":"Docs","displayUrl":"/spaces/DOC"},"entityType":"content"},
			{"content":{"id":"att77","type":"attachment","title":"spec.pdf"},"url":"/spaces/DOC/pages/1001/Run+Book?preview=/1001/77/spec.pdf"},
			{"space":{"id":7,"key":"DOC"},"title":"Documentation","url":"/spaces/DOC","entityType":"space"},
			{"user":{"accountId":"u"},"title":"Dana","url":"/people/u","entityType":"user"},
			{"content":{"id":"3","type":"page","status":"trashed","title":"Old"},"url":"/spaces/DOC/pages/3"},
			{"content":{"id":"2","type":"page","title":"Else","space":{"key":"OTHER"}},"lastModified":"2026-03-01T02:00:00.000+0100","url":"https://elsewhere.example/wiki/pages/2"}],
			"totalSize":291,"_links":{"next":"/rest/api/search?next=true&cursor=abc&limit=5&cql=x","base":"https://acme.example/wiki","context":"/wiki"}}`)
	})
	got, err := client.Search(t.Context(), SearchRequest{CQL: `text ~ "run"`, Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	at := got.Results[0].ModifiedTime
	want := &SearchPage{
		EstimatedTotal: 291, Next: Cursor{Op: "searchByCQL", Value: "abc"},
		Results: []SearchResult{
			{ID: "1001", Type: TypePage, Title: "Run & Book", SpaceKey: "DOC", Excerpt: "List<T> run a < b bold &lt;", WebURL: "https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book", ModifiedTime: at},
			{ID: "att77", Type: TypeAttachment, Title: "spec.pdf", SpaceKey: "DOC", WebURL: "https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book?preview=/1001/77/spec.pdf", ContainerID: "1001", ContainerType: TypePage},
			{ID: "7", Type: TypeSpace, Title: "Documentation", SpaceKey: "DOC", WebURL: "https://acme.example/wiki/spaces/DOC"},
			{ID: "2", Type: TypePage, Title: "Else", SpaceKey: "OTHER", ModifiedTime: at},
		},
		Omitted: []Omitted{{Why: "it is neither content nor a space: user"}, {ID: "3", Why: "its status is trashed"}},
	}
	sameInstant := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	ignoreWalk := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".Steps" || name == ".Mark" || name == ".Until"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignoreWalk, ignoreFreshness, sameInstant); diff != "" {
		t.Errorf("search differs (-want +got):\n%s", diff)
	}
	if q := u.requests[0].URL.Query(); len(q["cql"]) != 1 || q.Get("excerpt") != "highlight" || q.Has("start") {
		t.Errorf("query = %v", q)
	}
}

var ignoreFreshness = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Freshness" }, cmp.Ignore())
