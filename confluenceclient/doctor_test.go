package confluenceclient

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// site plays the gateway and the site for one token.
type site struct {
	scopes   []string // what the token has
	refusal  func() *http.Response
	siteOpen bool // the token works on the site's own address
	shutOut  bool
	skew     time.Duration
	cloudID  string
	offline  bool // the site's host cannot be resolved
	gone     string
}

var errNoSuchHost = errors.New("no such host")

func (s *site) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "acme.example" {
		switch {
		case s.offline:
			return nil, errNoSuchHost
		case req.URL.Path == "/_edge/tenant_info":
			return reply(200, `{"cloudId":"`+s.cloudID+`"}`), nil
		case s.siteOpen:
			return reply(200, `{"type":"known","accountId":"a"}`), nil
		}
		return reply(401, "<html>", "Content-Type", "text/html"), nil
	}
	resp := s.gateway(req)
	resp.Header.Set("Date", time.Now().Add(s.skew).UTC().Format(http.TimeFormat))
	return resp, nil
}

func (s *site) gateway(req *http.Request) *http.Response {
	path, ok := strings.CutPrefix(req.URL.Path, "/ex/confluence/"+s.cloudID)
	if !ok {
		return reply(404, springMissing)
	}
	if s.refusal != nil {
		return s.refusal()
	}
	if s.gone != "" && path == s.gone {
		return reply(410, "")
	}
	for _, op := range operations() {
		if path != strings.NewReplacer("{id}", "1", "{attachmentId}", "1").Replace(op.Path) {
			continue
		}
		has := func(scope string) bool { return slices.Contains(s.scopes, scope) || s.siteOpen }
		if !slices.ContainsFunc(append(op.Classic, op.Granular...), has) {
			return reply(401, scopeRefusal)
		}
		switch {
		case s.shutOut || op == opAudit:
			return reply(403, notPermitted)
		case op == opCurrentUser:
			return reply(200, `{"type":"known"}`)
		}
		return reply(404, `{"errors":[{"title":"Cannot find a page with id [1]"}]}`)
	}
	return reply(404, springMissing)
}

var readerScopes = []string{
	"read:page:confluence", "read:space:confluence", "read:hierarchical-content:confluence",
	"read:attachment:confluence", "read:content-details:confluence",
}

func without(scope string) []string {
	return slices.DeleteFunc(slices.Clone(readerScopes), func(s string) bool { return s == scope })
}

func TestDoctorFindsEachCauseAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	mismatch := func() *http.Response {
		return reply(401, `{"code":401,"message":"Unauthorized"}`, "X-Failure-Category", "FAILURE_CLIENT_AUTH_MISMATCH")
	}
	tests := []struct {
		name     string
		site     site
		change   func(*Config)
		check    string
		severity Severity
		seen     string // in what was seen
		remedy   string // in what to do
	}{
		{"a site's address as gateway", site{scopes: readerScopes}, func(c *Config) { c.GatewayURL = "https://acme.example" }, "configuration", Problem, "address of a site", "set what the text names"},
		{"no e-mail with scheme basic", site{scopes: readerScopes}, func(c *Config) { c.Credentials.Email = "" }, "configuration", Problem, "e-mail", ""},
		{"wrong cloud ID, told by the site", site{scopes: readerScopes}, func(c *Config) { c.CloudID = "22222222-2222-3333-4444-555555555555" }, "cloud-id", Problem, "the site names " + testCloudID, "set the cloud ID to " + testCloudID},
		{"wrong cloud ID, told by the gateway", site{scopes: readerScopes, offline: true}, func(c *Config) { c.CloudID = "22222222-2222-3333-4444-555555555555" }, "gateway", Problem, "does not know this cloud ID", "tenant_info"},
		{"no cloud ID and no site", site{scopes: readerScopes, offline: true}, func(c *Config) { c.CloudID = "" }, "cloud-id", Problem, "not set", "tenant_info"},
		{"a site that cannot be resolved", site{scopes: readerScopes, offline: true}, nil, "site", Warning, "no such host", "site URL"},
		{"a token that lost its tail", site{refusal: mismatch}, func(c *Config) { c.Credentials.Secret = func() string { return "ATSTT3xFfABC" } }, "token-shape", Problem, "cut short", "copy the whole token again"},
		{"a token for another product", site{refusal: mismatch}, func(c *Config) { c.Credentials.Secret = func() string { return "ATBBabc" } }, "token-shape", Problem, "Bitbucket", "API token with scopes"},
		{"e-mail and token in one", site{refusal: mismatch}, func(c *Config) {
			c.Credentials.Secret = func() string { return "svc@acme.example:ATSTT3xFfABC=1A2B3C4D" }
		}, "token-shape", Problem, "e-mail address in front", ""},
		{"a wrong e-mail", site{refusal: mismatch}, nil, "token", Problem, "different accounts", "e-mail address of the very account"},
		{"a wrong scheme", site{refusal: mismatch}, func(c *Config) { c.Credentials.Scheme = SchemeBearer }, "token", Problem, "auth scheme is wrong", "use scheme basic"},
		{"a revoked token", site{refusal: func() *http.Response { return reply(403, notPermitted) }}, nil, "token", Problem, "revoked, expired", "make a new token"},
		{"an account without Confluence", site{scopes: readerScopes, shutOut: true}, nil, "token", Problem, "no access to Confluence", "admin.atlassian.com"},
		{"no scope for pages", site{scopes: without("read:page:confluence")}, nil, "scopes-get-page", Problem, "GET /wiki/api/v2/pages/{id}", "read:page:confluence"},
		{"no scope for spaces", site{scopes: without("read:space:confluence")}, nil, "scopes-get-page", Warning, "GetPage by title does not work", "read:space:confluence"},
		{"no scope for the tree", site{scopes: without("read:hierarchical-content:confluence")}, nil, "scopes-list-children", Warning, "falls back to GET /wiki/api/v2/pages/{id}/children", "read:hierarchical-content:confluence"},
		{"no scope for search", site{scopes: without("read:content-details:confluence")}, nil, "scopes-search", Problem, "GET /wiki/rest/api/search", "search:confluence or read:content-details:confluence"},
		{"no scope for attachments", site{scopes: without("read:attachment:confluence")}, nil, "scopes-get-attachment", Problem, "download", "readonly:content.attachment:confluence or read:attachment:confluence"},
		{"a token that is not scoped", site{siteOpen: true}, nil, "token-width", Warning, "not a scoped one", "only the scopes"},
		{"a token with a scope too many", site{scopes: append(slices.Clone(readerScopes), "read:audit-log:confluence")}, nil, "token-width", Warning, "audit log", "only the scopes"},
		{"something else than the gateway", site{refusal: func() *http.Response { return reply(404, "<html>", "Content-Type", "text/html") }}, nil, "token", Problem, "failed", "again"},
		{"a portal in the way", site{refusal: func() *http.Response { return reply(200, "<html>Welcome", "Content-Type", "text/html") }}, nil, "gateway", Problem, "does not come from the gateway", DefaultGatewayURL},
		{"an endpoint that is gone", site{scopes: readerScopes, gone: "/wiki/rest/api/search"}, nil, "scopes-search", Problem, "removed this endpoint", "Search will fail"},
		{"scheme bearer, a token that is not scoped", site{siteOpen: true}, func(c *Config) { c.Credentials.Scheme = SchemeBearer }, "token-width", Warning, "not a scoped one", "only the scopes"},
		{"an end that is far", site{scopes: readerScopes}, func(c *Config) { c.Credentials.Expires = time.Now().Add(90 * 24 * time.Hour) }, "token-expiry", OK, "days are left", ""},
		{"an end that is near", site{scopes: readerScopes}, func(c *Config) { c.Credentials.Expires = time.Now().Add(12*24*time.Hour + time.Hour) }, "token-expiry", Warning, "12 days are left", "without a restart"},
		{"an end that is past", site{scopes: readerScopes}, func(c *Config) { c.Credentials.Expires = time.Now().Add(-time.Hour) }, "token-expiry", Warning, "past", "make a new token"},
		{"a clock that is off", site{scopes: readerScopes, skew: -time.Hour}, nil, "clock", Warning, "1h0m0s ahead", "NTP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.site.cloudID = testCloudID
			cfg := testConfig(&tt.site)
			if tt.change != nil {
				tt.change(&cfg)
			}
			var found *Finding
			for _, f := range Diagnose(t.Context(), cfg) {
				if f.Check == tt.check {
					found = &f
				}
				if strings.Contains(f.Seen+f.Remedy, "CANARY") {
					t.Errorf("finding %s shows the token", f.Check)
				}
				if (f.Severity == Problem || f.Severity == Warning) && f.Remedy == "" {
					t.Errorf("finding %s has no remedy: %s", f.Check, f.Seen)
				}
			}
			if found == nil || found.Severity != tt.severity || !strings.Contains(found.Seen, tt.seen) || !strings.Contains(found.Remedy, tt.remedy) {
				t.Errorf("finding = %+v, want %s with %q and remedy %q", found, tt.severity, tt.seen, tt.remedy)
			}
		})
	}
}

func TestDoctorHasNothingToSayAgainstALeastPrivilegeToken(t *testing.T) {
	t.Parallel()
	for _, f := range Diagnose(t.Context(), testConfig(&site{scopes: readerScopes, cloudID: testCloudID})) {
		if f.Severity != OK {
			t.Errorf("%+v", f)
		}
	}
}

func TestDoctorOutlivesAnEmptyConfiguration(t *testing.T) {
	t.Parallel()
	findings := Diagnose(t.Context(), Config{Transport: &site{offline: true}})
	if findings[0].Severity != Problem {
		t.Errorf("findings = %+v", findings)
	}
}
