package confluenceclient

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestACopyIsServedForAsLongAsTheCallerAllows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(200, pageJSONText) })
		read := func(age time.Duration) *Page {
			page, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage, MaxAge: age})
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		if page := read(time.Minute); page.Freshness.Source == SourceHit {
			t.Error("the first read came from the cache")
		}
		time.Sleep(30 * time.Second)
		page := read(time.Minute)
		if page.Freshness.Source != SourceHit || len(u.requests) != 1 {
			t.Errorf("source = %v after %d requests", page.Freshness.Source, len(u.requests))
		}
		page.Title = "changed by a caller"
		if read(time.Minute).Title != "Run Book" {
			t.Error("a caller could change the cached page")
		}
		if read(0).Freshness.Source == SourceHit || read(time.Second*30).Freshness.Source != SourceHit {
			t.Error("age 0 must ask, and what it fetched must be new again")
		}
		time.Sleep(time.Hour)
		if read(time.Minute).Freshness.Source == SourceHit {
			t.Error("an old copy was served")
		}
	})
}

func TestACopyThatIsDisprovedIsNotServedAgain(t *testing.T) {
	t.Parallel()
	for name, disproof := range map[string]*http.Response{
		"gone":           reply(404, `{"errors":[{"title":"Cannot find a page with id [1001]"}]}`),
		"trashed":        reply(200, strings.Replace(pageJSONText, "current", "trashed", 1)),
		"token rejected": reply(401, ""),
		"scope missing":  reply(401, scopeRefusal),
	} {
		answer := reply(200, pageJSONText)
		client, _ := newTestClient(t, func(*http.Request) *http.Response { return answer })
		read := func(age time.Duration, format BodyFormat) error {
			_, err := client.Page(t.Context(), "1001", PageOptions{Format: format, MaxAge: age})
			return err
		}
		if err := errors.Join(read(time.Hour, FormatStorage), read(time.Hour, FormatNone)); err != nil {
			t.Fatal(err)
		}
		answer = disproof
		if read(0, FormatStorage) == nil || read(time.Hour, FormatStorage) == nil || read(time.Hour, FormatNone) == nil {
			t.Errorf("%s: the old copy was served", name)
		}
	}
}

func TestAPageIsFoundByItsTitle(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, func(req *http.Request) *http.Response {
		if strings.HasSuffix(req.URL.Path, "/spaces") {
			return reply(200, `{"results":[{"id":"8","key":"DOCS"},{"id":7,"key":"DOC","homepageId":"1000"}],"_links":{}}`)
		}
		if req.URL.Query().Get("cursor") == "" {
			return reply(200, `{"results":[{"id":"1","title":"Run Book 2","spaceId":"7"},{"id":"2","title":"run book","spaceId":"8"}],"_links":{"next":"/x?cursor=c"}}`)
		}
		return reply(200, `{"results":[{"id":"3","title":"RUN BOOK","spaceId":"7","status":"current"},{"id":"1001","title":"Run Book","spaceId":"7"}],"_links":{}}`)
	})
	id, err := client.PageIDByTitle(t.Context(), "doc", `Run Book`, Tolerance{})
	if id != "1001" || err != nil {
		t.Errorf("PageIDByTitle = %q, %v", id, err)
	}
	q := u.requests[1].URL.Query()
	if q.Get("space-id") != "7" || q.Get("title") != "Run Book" || q.Get("status") != "current" {
		t.Errorf("query = %v", q)
	}
	if home, err := client.HomepageID(t.Context(), "DOC", Tolerance{}); home != "1000" || err != nil {
		t.Errorf("HomepageID = %q, %v", home, err)
	}
	if len(u.requests) != 3 {
		t.Errorf("%d requests, want 3: the space is remembered", len(u.requests))
	}
}

func TestAbsentSpacesAndTitlesAreToldApart(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(req *http.Request) *http.Response {
		if req.URL.Query().Get("keys") == "DOC" {
			return reply(200, `{"results":[{"id":"7","key":"DOC"}]}`)
		}
		return reply(200, `{"results":[]}`)
	})
	for key, want := range map[string]*Operation{"NONE": opListSpaces, "DOC": opListPages} {
		_, err := client.PageIDByTitle(t.Context(), key, "x", Tolerance{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Cause != CauseNotFound || e.Op != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestASpaceKeyThatTheAnswerLacksIsLookedUpWhereTheTokenMay(t *testing.T) {
	t.Parallel()
	bare := strings.ReplaceAll(pageJSONText, "/spaces/DOC/pages/1001/Run+Book", "/pages/viewpage.action?pageId=1001")
	for name, tt := range map[string]struct {
		spaces *http.Response
		want   string
	}{
		"with the scope":    {reply(200, `{"results":[{"id":"7","key":"DOC"}]}`), "DOC"},
		"without the scope": {reply(401, scopeRefusal), ""},
	} {
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			if strings.HasSuffix(req.URL.Path, "/spaces") {
				return tt.spaces
			}
			return reply(200, bare)
		})
		page, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
		if err != nil || page.SpaceKey != tt.want {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
}

func TestLinksForPeopleLeadToTheSiteOrNowhere(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(500, "") },
		func(c *Config) { c.SiteURL = "https://acme.example/wiki/" })
	for link, want := range map[string]string{
		"/spaces/DOC/pages/1/T":                "https://acme.example/wiki/spaces/DOC/pages/1/T",
		"/wiki/spaces/DOC/pages/1/T?a=b#c":     "https://acme.example/wiki/spaces/DOC/pages/1/T?a=b#c",
		"/wikipedia":                           "https://acme.example/wiki/wikipedia",
		"https://acme.example/wiki/spaces/DOC": "https://acme.example/wiki/spaces/DOC",
		"https://acme.example/spaces/DOC":      "https://acme.example/wiki/spaces/DOC",
		"https://evil.example/wiki/spaces/DOC": "",
		testGateway + "/wiki/spaces/DOC":       "",
		"https://u:p@acme.example/wiki/":       "",
		"//evil.example/x":                     "",
		"javascript:alert(1)":                  "",
		"":                                     "",
	} {
		if got := client.webURL(link); got != want {
			t.Errorf("webURL(%q) = %q, want %q", link, got, want)
		}
	}
}
