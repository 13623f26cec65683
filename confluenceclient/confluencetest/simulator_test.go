package confluencetest

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// caller speaks plain HTTP, so that no client's fault can hide the simulator's.
type caller struct {
	t     testing.TB
	sim   *Simulator
	email string
	token string
	wire  http.RoundTripper
}

func newCaller(t testing.TB, opts ...Option) *caller {
	t.Helper()
	return callerOf(t, New(SampleSite(), opts...))
}

func callerOf(t testing.TB, sim *Simulator) *caller {
	return &caller{t: t, sim: sim, email: sim.Email, token: sim.Token, wire: sim.Transport()}
}

// as is the same caller with another token of the fixture.
func (c *caller) as(token string) *caller {
	credential := c.sim.TokenNamed(token)
	return &caller{t: c.t, sim: c.sim, email: credential.Email, token: credential.Token, wire: c.wire}
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// get asks the gateway for a path below /ex/confluence/{cloudId}.
func (c *caller) get(path string) reply {
	c.t.Helper()
	return c.ask(GatewayURL + "/ex/confluence/" + c.sim.CloudID + path)
}

// ask asks any address, with the token unless it is another host's.
func (c *caller) ask(address string, headers ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if !strings.Contains(address, MediaHost) && c.token != "" {
		req.SetBasicAuth(c.email, c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.do(req)
}

func (c *caller) do(req *http.Request) reply {
	c.t.Helper()
	resp, err := c.wire.RoundTrip(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body), err: err}
}

// json is the answer as JSON.
func (r reply) json(t testing.TB) object {
	t.Helper()
	var value object
	if err := json.Unmarshal([]byte(r.body), &value); err != nil || r.status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", r.status, err, r.body)
	}
	return value
}

// results is the items of a listing.
func (r reply) results(t testing.TB) []object {
	t.Helper()
	var items []object
	list, _ := r.json(t)["results"].([]any)
	for _, item := range list {
		items = append(items, item.(object))
	}
	return items
}

func ids(items []object) []string {
	var all []string
	for _, item := range items {
		if content, ok := item["content"].(object); ok {
			item = content
		}
		id, _ := item["id"].(string)
		all = append(all, id)
	}
	return all
}

// next is the cursor for the next page; empty at the end.
func (r reply) next(t testing.TB) string {
	t.Helper()
	links, _ := r.json(t)["_links"].(object)
	link, _ := links["next"].(string)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("cursor")
}

// walk reads a listing to its end, and the number of items on each page.
func (c *caller) walk(path string) (items []object, sizes []int) {
	c.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for cursor := ""; ; {
		address := path
		if cursor != "" {
			address += separator + "cursor=" + url.QueryEscape(cursor)
		}
		got := c.get(address)
		page := got.results(c.t)
		items, sizes = append(items, page...), append(sizes, len(page))
		if cursor = got.next(c.t); cursor == "" {
			return items, sizes
		}
		if len(sizes) > 10_000 {
			c.t.Fatal("the listing does not end")
		}
	}
}

func TestEveryAnswerHasATraceIDAndADate(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	seen := map[string]bool{}
	for _, path := range []string{"/wiki/api/v2/pages/1001", "/wiki/api/v2/pages/404404", "/wiki/api/v2/folders/5005", "/nowhere"} {
		got := c.get(path)
		id := got.header.Get("Atl-Traceid")
		if id == "" || seen[id] || got.header.Get("Date") == "" {
			t.Errorf("%s: trace id %q, date %q", path, id, got.header.Get("Date"))
		}
		seen[id] = true
	}
}

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.get("/wiki/api/v2/pages/1001?body-format=storage")
	c.as("without-page").get("/wiki/api/v2/pages/1001")
	got := c.sim.Requests()
	if len(got) != 2 {
		t.Fatalf("%d requests are logged, want 2", len(got))
	}
	first, second := got[0], got[1]
	if first.Face != FaceGateway || first.Method != http.MethodGet || first.Path != "/ex/confluence/"+c.sim.CloudID+"/wiki/api/v2/pages/1001" ||
		first.Route != "/wiki/api/v2/pages/{id}" || first.Query.Get("body-format") != "storage" || first.Token != "default" || first.Status != 200 ||
		first.Header.Get("Authorization") == "" {
		t.Errorf("first = %+v", first)
	}
	if second.Token != "without-page" || second.Status != 401 {
		t.Errorf("second = %+v", second)
	}
}

func TestOneListenerIsToldApartByPath(t *testing.T) {
	t.Parallel()
	sim := New(SampleSite())
	c := callerOf(t, sim)
	server := httptest.NewServer(sim)
	defer server.Close()
	host := server.URL
	c.wire = http.DefaultTransport
	if got := c.ask(host + "/_edge/tenant_info").json(t); got["cloudId"] != sim.CloudID {
		t.Errorf("tenant_info = %v", got)
	}
	page := c.ask(host + "/ex/confluence/" + sim.CloudID + "/wiki/api/v2/pages/1001").json(t)
	if base := page["_links"].(object)["base"]; base != host+"/wiki" {
		t.Errorf("_links.base = %v, want the listener's own", base)
	}
	moved := c.ask(host + "/ex/confluence/" + sim.CloudID + "/wiki/rest/api/content/1001/child/attachment/att77/download")
	location := moved.header.Get("Location")
	if moved.status != http.StatusFound || !strings.HasPrefix(location, host+"/file/") {
		t.Fatalf("download = %d to %q", moved.status, location)
	}
	if got := c.ask(location); got.status != 200 || !strings.HasPrefix(got.body, "%PDF") { // with the token: it is the same host
		t.Errorf("file = %d %q", got.status, got.body)
	}
	if got := c.ask(host + "/oauth/token"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("token endpoint = %d, want it to insist on POST", got.status)
	}
}

func TestOtherHostsAreNotFoundInMemory(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for _, address := range []string{"https://evil.example/wiki/api/v2/pages/1001", "https://acme.example.evil.example/", "https://acme.example:8443/"} {
		var notFound *net.DNSError
		if got := c.ask(address); !errors.As(got.err, &notFound) || !notFound.IsNotFound {
			t.Errorf("%s: %d, %v, want no such host", address, got.status, got.err)
		}
	}
}

func TestTheLogKeepsTheLatest(t *testing.T) {
	t.Parallel()
	sim := New(SampleSite())
	last := ""
	for range 2*maxLog + 10 {
		last = sim.record(FaceSite, &http.Request{URL: &url.URL{Path: "/"}}).TraceID
	}
	got := sim.Requests()
	if len(got) != maxLog+10 || got[len(got)-1].TraceID != last {
		t.Errorf("%d requests are kept, ending with %s; want %d, ending with %s", len(got), got[len(got)-1].TraceID, maxLog+10, last)
	}
}

func TestTokensCanBeRevokedWhileRunning(t *testing.T) {
	t.Parallel()
	site := SampleSite()
	c, other := callerOf(t, New(site)), callerOf(t, New(site))
	c.sim.RevokeToken("default")
	if got := c.get("/wiki/api/v2/pages/1001"); got.status != http.StatusNotFound {
		t.Errorf("with a revoked token: %d", got.status)
	}
	if got := other.get("/wiki/api/v2/pages/1001"); got.status != http.StatusOK {
		t.Errorf("on another simulator of the same site: %d", got.status)
	}
	if names := c.sim.TokenNames(); names[0] != "default" || !slices.Contains(names, "classic") {
		t.Errorf("TokenNames() = %v", names)
	}
}
