package confluenceclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	testCloudID = "11111111-2222-3333-4444-555555555555"
	testToken   = "ATSTT3xFfCANARY=1A2B3C4D"
	testGateway = "https://gw.example/ex/confluence/" + testCloudID
)

// upstream answers requests by a function, in memory, and remembers them.
type upstream struct {
	answer func(*http.Request) *http.Response

	mu       sync.Mutex
	requests []*http.Request
}

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.requests = append(u.requests, req)
	u.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	// A copy: tests share answers, and layers change what they are given.
	resp := *u.answer(req)
	resp.Header = resp.Header.Clone()
	if body, ok := resp.Body.(*textBody); ok {
		resp.Body = &textBody{text: body.text}
	}
	return &resp, nil
}

// textBody is a body that a copy of the answer can read from the beginning.
type textBody struct {
	text string
	at   int
}

func (b *textBody) Read(p []byte) (int, error) {
	if b.at == len(b.text) {
		return 0, io.EOF
	}
	n := copy(p, b.text[b.at:])
	b.at += n
	return n, nil
}

func (b *textBody) Close() error { return nil }

func (u *upstream) urls() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var urls []string
	for _, req := range u.requests {
		urls = append(urls, req.URL.String())
	}
	return urls
}

// reply makes an answer; headers are name, value, name, value.
func reply(status int, body string, headers ...string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: header, ContentLength: int64(len(body)),
		Body: &textBody{text: body},
	}
}

func testConfig(transport http.RoundTripper) Config {
	return Config{
		SiteURL: "https://acme.example", CloudID: testCloudID, GatewayURL: "https://gw.example",
		Credentials: Credentials{Scheme: SchemeBasic, Email: "svc@acme.example", Secret: func() string { return testToken + "\n" }},
		MediaHosts:  []string{"media.example"},
		Transport:   transport,
	}
}

func newTestClient(t testing.TB, answer func(*http.Request) *http.Response, change ...func(*Config)) (*Client, *upstream) {
	t.Helper()
	u := &upstream{answer: answer}
	cfg := testConfig(u)
	for _, c := range change {
		c(&cfg)
	}
	client, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client, u
}

const pageJSONText = `{"id":"1001","status":"current","title":"Run Book","spaceId":"7","version":{"number":3,"createdAt":"2026-03-01T01:00:00.000Z"},
"body":{"storage":{"representation":"storage","value":"<p>a&nbsp;b</p>"}},"_links":{"webui":"/spaces/DOC/pages/1001/Run+Book","base":"https://acme.example/wiki"},"unknownField":1}`

func TestEveryAPIRequestGoesBelowTheGatewayWithTheToken(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(200, pageJSONText) })
	page, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.urls(), testGateway+"/wiki/api/v2/pages/1001?body-format=storage"; len(got) != 1 || got[0] != want {
		t.Errorf("requests = %v, want [%s]", got, want)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("svc@acme.example:"+testToken))
	if got := u.requests[0].Header.Get("Authorization"); got != want {
		t.Errorf("Authorization = %q, want %q: one header, token without its line break", got, want)
	}
	if page.WebURL != "https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book" || page.SpaceKey != "DOC" || page.Body != "<p>a&nbsp;b</p>" {
		t.Errorf("page = %+v", page)
	}
}

func TestAuthorizationFollowsTheSchemeThatIsSet(t *testing.T) {
	t.Parallel()
	bearer := Credentials{Scheme: SchemeBearer, Secret: func() string { return " T\r\n" }}
	if got, _ := newCredential(bearer, 1).authorization(t.Context(), nil); got != "Bearer T" {
		t.Errorf("bearer: %q", got)
	}
}

func TestConfigurationIsRefusedWithTheRightFormShown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"a site's address as gateway", func(c *Config) { c.GatewayURL = "https://acme.atlassian.net" }, DefaultGatewayURL},
		{"a site's address with path as gateway", func(c *Config) { c.GatewayURL = "https://acme.atlassian.net/wiki" }, DefaultGatewayURL},
		{"the site's own host as gateway", func(c *Config) { c.GatewayURL = "https://ACME.example" }, DefaultGatewayURL},
		{"a gateway with the path that the client adds", func(c *Config) { c.GatewayURL = "https://gw.example/ex/confluence/x" }, "https://gw.example"},
		{"plain http", func(c *Config) { c.GatewayURL = "http://gw.example" }, "https://gw.example"},
		{"a password in an address", func(c *Config) { c.SiteURL = "https://u:geheim@acme.example" }, "must not hold"},
		{"no site", func(c *Config) { c.SiteURL = "" }, "site URL is not set"},
		{"a page's address as site", func(c *Config) { c.SiteURL = "https://acme.example/wiki/spaces/DOC" }, "https://acme.example"},
		{"a site's host with a dot behind it as gateway", func(c *Config) { c.GatewayURL = "https://acme.atlassian.net./" }, DefaultGatewayURL},
		{"the site with its port named as gateway", func(c *Config) { c.GatewayURL = "https://acme.example:443" }, DefaultGatewayURL},
		{"a port that is none", func(c *Config) { c.GatewayURL = "https://gw.example:99999" }, "65535"},
		{"a media host with a wildcard", func(c *Config) { c.MediaHosts = []string{"*.example"} }, "wildcards"},
		{"a token with a control character", func(c *Config) { c.Credentials.Secret = func() string { return "a\x01b" } }, "paste it again"},
		{"a scheme that is not known", func(c *Config) { c.Credentials.Scheme = "digest" }, `"basic"`},
		{"no scheme", func(c *Config) { c.Credentials.Scheme = "" }, `"bearer"`},
		{"basic without e-mail", func(c *Config) { c.Credentials.Email = "" }, "e-mail"},
		{"oauth without client ID", func(c *Config) { c.Credentials.Scheme = SchemeOAuth }, "client ID"},
		{"no token", func(c *Config) { c.Credentials.Secret = func() string { return "\n" } }, "token"},
		{"a token with a line break inside", func(c *Config) { c.Credentials.Secret = func() string { return "a\nb" } }, "paste it again"},
		{"a media address instead of a host", func(c *Config) { c.MediaHosts = []string{"https://media.example/"} }, "without scheme"},
		{"a cloud ID with a path", func(c *Config) { c.CloudID = "../x" }, "11111111-2222"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(nil)
			tt.change(&cfg)
			_, err := New(cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("New = %v, want an error with %q and no secret", err, tt.want)
			}
		})
	}
}

func TestAnIDCannotChangeThePath(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(200, "{}") })
	for _, id := range []string{"", "..", "../spaces/7", "1001?status=archived", "1001/children", "10%2F01", "１００１", "1 1", strings.Repeat("1", 65)} {
		if _, err := client.Page(t.Context(), id, PageOptions{}); CauseOf(err) != CauseInvalid {
			t.Errorf("Page(%q) = %v, want %s", id, err, CauseInvalid)
		}
	}
	if len(u.requests) != 0 {
		t.Errorf("requests = %v, want none", u.urls())
	}
}

func TestTheWallAroundTheToken(t *testing.T) {
	t.Parallel()
	u := &upstream{answer: func(*http.Request) *http.Response { return reply(200, "{}") }}
	cfg := testConfig(u).withDefaults()
	gateway, _ := url.Parse(testGateway)
	wall := newAuth(u, u, cfg, gateway)
	tests := []struct {
		method, url  string
		pass, signed bool
	}{
		{"GET", testGateway + "/wiki/api/v2/pages/1", true, true},
		{"POST", testGateway + "/wiki/api/v2/pages", false, false},
		{"DELETE", testGateway + "/wiki/api/v2/pages/1", false, false},
		{"GET", "https://gw.example/ex/confluence/another-tenant/wiki/api/v2/pages/1", false, false},
		{"GET", "https://gw.example/ex/confluence/" + testCloudID + "0/wiki/api/v2/pages/1", false, false},
		{"GET", "http://gw.example/ex/confluence/" + testCloudID + "/wiki/api/v2/pages/1", false, false},
		{"GET", "https://acme.example/wiki/api/v2/pages/1", false, false},
		{"GET", "https://gw.example:8443/ex/confluence/" + testCloudID + "/wiki/x", false, false},
		{"GET", "https://media.example/file/f1/binary?token=JWT", true, false},
		{"GET", "https://media.example:443/file/f1/binary", true, false},
		{"GET", "http://media.example/file/f1/binary", false, false},
		{"GET", "https://media.example.evil.example/file", false, false},
		{"GET", "https://u:p@media.example/file", false, false},
		{"GET", "http://127.0.0.1/latest/meta-data", false, false},
	}
	for _, tt := range tests {
		ctx, call := withCall(t.Context(), opGetPage)
		call.cred = newCredential(cfg.Credentials, 1)
		req, _ := http.NewRequestWithContext(ctx, tt.method, tt.url, nil)
		u.requests = nil
		_, err := wall.RoundTrip(req)
		if (err == nil) != tt.pass {
			t.Errorf("%s %s: err = %v, want pass = %v", tt.method, tt.url, err, tt.pass)
		}
		if tt.pass && (u.requests[0].Header.Get("Authorization") != "") != tt.signed {
			t.Errorf("%s %s: Authorization there = %v, want %v", tt.method, tt.url, !tt.signed, tt.signed)
		}
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s %s: the layers above can see the token", tt.method, tt.url)
		}
	}
}

func TestAnswersThatTheAPIDoesNotPromiseAreErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		resp *http.Response
		want Cause
	}{
		{"a login page with 200", reply(200, "<html>Log in</html>", "Content-Type", "text/html"), CauseBadResponse},
		{"broken JSON", reply(200, `{"id":"1001"`), CauseBadResponse},
		{"JSON of another shape", reply(200, `[1,2]`), CauseBadResponse},
		{"null", reply(200, `null`), CauseBadResponse},
		{"another page", reply(200, strings.ReplaceAll(pageJSONText, `"1001"`, `"1002"`)), CauseBadResponse},
		{"no body though one was asked for", reply(200, `{"id":"1001","status":"current","body":{}}`), CauseBadResponse},
		{"a body that is null", reply(200, strings.Replace(pageJSONText, `"<p>a&nbsp;b</p>"`, "null", 1)), CauseBadResponse},
		{"a body that is a number", reply(200, strings.Replace(pageJSONText, `"<p>a&nbsp;b</p>"`, "12", 1)), CauseBadResponse},
		{"an answer that is too large", reply(200, `{"id":"`+strings.Repeat("1", 2000)+`"}`), CauseTooLarge},
		{"a redirect", reply(302, "", "Location", "https://login.example/"), CauseBadResponse},
		{"a page in the trash", reply(200, strings.Replace(pageJSONText, "current", "trashed", 1)), CauseNotFound},
		{"a draft", reply(200, strings.Replace(pageJSONText, "current", "draft", 1)), CauseNotFound},
		{"a status that nobody knows", reply(200, strings.Replace(pageJSONText, "current", "limbo", 1)), CauseNotFound},
		{"an old version where the current one was asked for", reply(200, strings.Replace(pageJSONText, "current", "historical", 1)), CauseNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, u := newTestClient(t, func(*http.Request) *http.Response { return tt.resp }, func(c *Config) { c.MaxResponseBytes = 1000 })
			_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
			if CauseOf(err) != tt.want {
				t.Errorf("Page = %v, want %s", err, tt.want)
			}
			if len(u.requests) != 1 {
				t.Errorf("%d requests, want 1", len(u.requests))
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cut := func() *http.Response {
			resp := reply(200, "")
			resp.Body = io.NopCloser(broken{strings.NewReader(pageJSONText[:50]), io.ErrUnexpectedEOF})
			return resp
		}
		client, u := newTestClient(t, afterFailures(1, cut))
		if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil || len(u.requests) != 2 {
			t.Errorf("once: %v after %d requests", err, len(u.requests))
		}
		client, u = newTestClient(t, afterFailures(9, cut))
		_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
		if e, ok := errors.AsType[*Error](err); !ok || e.Cause != CauseUnavailable || e.Attempts != 2 || len(u.requests) != 2 {
			t.Errorf("always: %v after %d requests", err, len(u.requests))
		}
	})
}

func TestAnAnswerThatStallsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			body, feed := io.Pipe()
			context.AfterFunc(req.Context(), func() { _ = feed.CloseWithError(context.Cause(req.Context())) })
			go func() { _, _ = feed.Write([]byte(pageJSONText[:50])) }()
			resp := reply(200, "")
			resp.Body = body
			return resp
		})
		start := time.Now()
		_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
		if CauseOf(err) != CauseUnavailable || time.Since(start) > 3*defaultStallTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAnOlderVersionMustBeTheOneAskedFor(t *testing.T) {
	t.Parallel()
	now := pageJSONText
	client, u := newTestClient(t, func(req *http.Request) *http.Response {
		if !req.URL.Query().Has("version") {
			return reply(200, now)
		}
		return reply(200, strings.Replace(pageJSONText, "current", "historical", 1))
	})
	if page, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage, Version: 3}); err != nil || page.Version.Number != 3 {
		t.Errorf("version 3: %v, %v", page, err)
	}
	if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage, Version: 2}); CauseOf(err) != CauseBadResponse {
		t.Errorf("version 2 answered with 3: %v", err)
	}
	now = strings.Replace(pageJSONText, "current", "trashed", 1)
	if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage, Version: 3}); CauseOf(err) != CauseNotFound {
		t.Errorf("an old version of a page in the trash: %v", err)
	}
	if got := u.requests[0].URL.Query().Get("version"); got != "3" {
		t.Errorf("version = %q, want 3", got)
	}
}

func TestBodiesComeByteForByte(t *testing.T) {
	t.Parallel()
	adf := `{"type":"doc","version":1,"content":[{"type":"text","text":"<b> \" \\ \u00e4 "}]}`
	for name, value := range map[string]string{"as a string": quoteJSON(adf), "as an object": adf} {
		client, _ := newTestClient(t, func(*http.Request) *http.Response {
			return reply(200, `{"id":"1001","status":"current","body":{"atlas_doc_format":{"value":`+value+`}}}`)
		})
		page, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatADF})
		if err != nil || page.Body != adf {
			t.Errorf("%s: body = %q, %v; want %q", name, page.Body, err, adf)
		}
	}
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	b.WriteByte('"')
	for _, r := range s {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
