package confluenceclient

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// crowd is a listing of many items, with an endpoint that cannot give more than
// most at once and says so by refuse.
type crowd struct {
	items, most int
	refuse      func(limit int) *http.Response
}

func (c crowd) answer(req *http.Request) *http.Response {
	query := req.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit"))
	if limit > c.most {
		return c.refuse(limit)
	}
	at, _ := strconv.Atoi(query.Get("cursor"))
	var items []string
	for id := at + 1; id <= min(at+limit, c.items); id++ {
		items = append(items, fmt.Sprintf(`{"id":"%d","type":"page","status":"current","title":"T","content":{"id":"%[1]d","type":"page"}}`, id))
	}
	next := ""
	if at+limit < c.items {
		next = fmt.Sprintf(`"next":"/x?cursor=%d"`, at+limit)
	}
	return reply(200, `{"results":[`+strings.Join(items, ",")+`],"_links":{`+next+`}}`)
}

// limits is the page sizes that were asked for, in order.
func (u *upstream) limits() []string {
	var limits []string
	for _, req := range u.requests {
		limits = append(limits, req.URL.Query().Get("limit"))
	}
	return limits
}

func status(status int, headers ...string) func(int) *http.Response {
	return func(int) *http.Response { return reply(status, "", headers...) }
}

func cutOff(int) *http.Response {
	resp := reply(200, "")
	resp.Body = io.NopCloser(broken{strings.NewReader(`{"results":[`), io.ErrUnexpectedEOF})
	return resp
}

func TestAListingThatIsTooMuchGoesOnInSmallerPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		refuse func(limit int) *http.Response
		want   []string
	}{
		{"a gateway that waited in vain", status(504), []string{"250", "125", "62", "62"}},
		{"a fault", status(500), []string{"250", "125", "62", "62"}},
		{"an overload, which is mostly of the moment", status(503), []string{"250", "250", "125", "62", "62"}},
		{"an answer that breaks off", cutOff, []string{"250", "125", "62", "62"}},
		{"an answer larger than we read, with its length", func(limit int) *http.Response {
			return reply(200, `{"results":[`+strings.Repeat(" ", 400*limit)+`]}`)
		}, []string{"250", "125", "62", "62"}},
		{"an answer larger than we read, without", func(limit int) *http.Response {
			resp := reply(200, `{"results":[`+strings.Repeat(" ", 400*limit)+`]}`)
			resp.ContentLength = -1
			return resp
		}, []string{"250", "125", "62", "62"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, u := newTestClient(t, crowd{items: 100, most: 80, refuse: tt.refuse}.answer, func(c *Config) { c.MaxResponseBytes = 20_000 })
				ids, err := walk(t, client)
				if err != nil || len(ids) != 100 || len(slices.Compact(ids)) != 100 {
					t.Errorf("walk = %d children, %v; want each of 100 once", len(ids), err)
				}
				if diff := cmp.Diff(tt.want, u.limits()); diff != "" {
					t.Errorf("page sizes asked for differ (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestASearchThatIsTooMuchSaysWhatSizeItGotAndGoesOnWithIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, u := newTestClient(t, crowd{items: 100, most: 30, refuse: status(504)}.answer)
		req := SearchRequest{CQL: "type = page", Limit: 100}
		var got []int
		for range 10 {
			page, err := client.Search(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, len(page.Results))
			if req.Cursor = page.Next; page.Next.IsZero() {
				break
			}
			if page.Next.Limit != 25 {
				t.Errorf("limit = %d, want 25, which the caller may be told", page.Next.Limit)
			}
		}
		if !slices.Equal(got, []int{25, 25, 25, 25}) || !slices.Equal(u.limits(), []string{"100", "50", "25", "25", "25", "25"}) {
			t.Errorf("results %v by limits %v", got, u.limits())
		}
		req.Limit, req.Cursor = 20, Cursor{Op: "searchByCQL", Value: "40", Limit: 25}
		if page, err := client.Search(t.Context(), req); err != nil || len(page.Results) != 20 || page.Next.Limit != 25 {
			t.Errorf("a page size within what Confluence can give: %+v, %v", page, err)
		}
	})
}

func TestLookUpsByManyIDsGoOnInSmallerPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, u := newTestClient(t, crowd{items: 250, most: 20, refuse: status(504)}.answer)
		var ids []string
		for id := range 250 {
			ids = append(ids, strconv.Itoa(id+1))
		}
		titles, err := client.PageTitles(t.Context(), ids, 0)
		if err != nil || len(titles) != 250 {
			t.Errorf("%d titles, %v by limits %v; want all 250", len(titles), err, u.limits())
		}
	})
}

func TestAnOutageCostsAListingNoMoreRequestsThanAnyRead(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(int) *http.Response{
		"504": status(504), "503": status(503), "answers that break off": cutOff,
		"answers larger than we read": func(int) *http.Response { return reply(200, strings.Repeat(" ", 2000)) },
	} {
		for _, limit := range []int{250, 25, smallestPage, 1} {
			synctest.Test(t, func(t *testing.T) {
				client, u := newTestClient(t, crowd{refuse: refuse}.answer, func(c *Config) { c.MaxResponseBytes = 1000 })
				_, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: limit})
				if cause := CauseOf(err); cause != CauseUnavailable && cause != CauseTooLarge || len(u.requests) > maxAttempts {
					t.Errorf("%s: %v by limits %v", name, err, u.limits())
				}
			})
		}
	}
}

func TestPagesStayAsLargeWhereTheirSizeIsNotAtFault(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func(int) *http.Response{
		"a rate limit": status(429), "a time to come again": status(504, "Retry-After", "1"), "an overload that is over": status(503),
	} {
		synctest.Test(t, func(t *testing.T) {
			healthy := crowd{items: 200, most: 250}
			asked := 0
			client, u := newTestClient(t, func(req *http.Request) *http.Response {
				if asked++; asked == 1 {
					return failure(0)
				}
				return healthy.answer(req)
			})
			page, err := client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 250})
			if err != nil || len(page.Children) != 200 || !slices.Equal(u.limits(), []string{"250", "250"}) {
				t.Errorf("%s: %v by limits %v", name, err, u.limits())
			}
		})
	}
}

// An answer that does not begin within Config.HeaderTimeout is the connection's
// failure, not the caller's deadline.
func TestAListingThatDoesNotBeginIsAskedForInSmallerPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: crowd{items: 10, most: 250}.answer}
		client, err := New(testConfig(transportFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := u.RoundTrip(req)
			if req.URL.Query().Get("limit") == "250" {
				return nil, os.ErrDeadlineExceeded
			}
			return resp, err
		})))
		if err != nil {
			t.Fatal(err)
		}
		if ids, err := walk(t, client); err != nil || len(ids) != 10 || !slices.Equal(u.limits(), []string{"250", "125"}) {
			t.Errorf("%v, %v by limits %v", ids, err, u.limits())
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
