package confluencetest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	bareBody  = `{"errors":[{"code":"NOT_FOUND","detail":null,"status":404,"title":"Not Found"}]}`
	scopeBody = `{"code":401,"message":"Unauthorized; scope does not match"}`
	plain401  = `{"code":401,"message":"Unauthorized"}`
	forbidden = `{"message":"Current user not permitted to use Confluence","statusCode":403}`
)

// TestRefusalsLookAsTheyDoInProduction holds api-facts §1b.
func TestRefusalsLookAsTheyDoInProduction(t *testing.T) {
	t.Parallel()
	const (
		page   = "/wiki/api/v2/pages/1001"
		search = "/wiki/rest/api/search?cql=type=page"
		user   = "/wiki/rest/api/user/current"
		audit  = "/wiki/rest/api/audit"
	)
	tests := []struct {
		name, token, path string
		status            int
		body, category    string // body: how it begins
	}{
		{"a good token, v2", "default", page, 200, `{"_links"`, ""},
		{"a good token, v1", "default", search, 200, `{"_links"`, ""},
		{"a missing scope, v2", "without-page", page, 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"a missing scope, v1", "without-search", search, 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"a missing scope on an id that nobody has", "without-page", "/wiki/api/v2/pages/1", 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"a missing scope on junk", "without-page", "/wiki/api/v2/pages/junk", 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"classic scopes never open v2", "classic", page, 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"classic scopes open v1", "classic", search, 200, `{"_links"`, ""},
		{"either family opens v1", "mixed", search, 200, `{"_links"`, ""},
		{"a revoked token, v2", "revoked", page, 404, bareBody, ""},
		{"a revoked token, search", "revoked", search, 403, forbidden, ""},
		{"a revoked token, current user", "revoked", user, 403, `{"message":"com.atlassian`, ""},
		{"a revoked token is not asked for scopes", "revoked", audit, 403, forbidden, ""},
		{"an expired token, v2", "expired", page, 404, bareBody, ""},
		{"an expired token, v1", "expired", search, 403, forbidden, ""},
		{"an account without access, v2", "no-access", page, 404, bareBody, ""},
		{"an account without access, v1", "no-access", search, 403, forbidden, ""},
		{"an account without access is asked for scopes", "no-access", audit, 401, scopeBody, "FAILURE_CLIENT_SCOPE_CHECK"},
		{"the audit log with its scope", "auditor", audit, 403, `{"data"`, ""},
		{"a token without scopes works at the gateway", "unscoped", page, 200, `{"_links"`, ""},
	}
	c := newCaller(t)
	for _, test := range tests {
		got := c.as(test.token).get(test.path)
		if got.status != test.status || !strings.HasPrefix(got.body, test.body) || got.header.Get("X-Failure-Category") != test.category {
			t.Errorf("%s: %d %q %s, want %d %q %s", test.name, got.status, got.header.Get("X-Failure-Category"), got.body, test.status, test.category, test.body)
		}
		if got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: the gateway sends no WWW-Authenticate", test.name)
		}
	}
}

func TestCredentialsThatDoNotFit(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	user, cut := c.sim.TokenNamed("user"), strings.TrimSuffix(c.token, c.token[strings.LastIndex(c.token, "="):])
	basic := func(email, token string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+token))
	}
	tests := []struct {
		name, authorization string
		opts                []Option
		status              int
		category            string
	}{
		{"none", "", nil, 404, ""},
		{"nonsense", "Digest x", nil, 404, ""},
		{"a token that nobody has", basic(c.email, "ATSTT3xFfnobody=00000000"), nil, 404, ""},
		{"another account's e-mail", basic("ada@acme.example", c.token), nil, 401, "FAILURE_CLIENT_AUTH_MISMATCH"},
		{"no e-mail", basic("", c.token), nil, 401, "FAILURE_CLIENT_AUTH_MISMATCH"},
		{"the e-mail in capitals", basic(strings.ToUpper(c.email), c.token), nil, 200, ""},
		{"a token without its tail", basic(c.email, cut), nil, 401, "FAILURE_CLIENT_AUTH"},
		{"a token without its tail, as Bearer", "Bearer " + cut, nil, 401, "FAILURE_CLIENT_AUTH"},
		{"a service account's token as Bearer", "Bearer " + c.token, nil, 200, ""},
		{"a person's token as Bearer", "Bearer " + user.Token, nil, 401, "FAILURE_CLIENT_AUTH_MISMATCH"},
		{"a person's token as Bearer, where that works", "Bearer " + user.Token, []Option{With(UserTokensAsBearer)}, 200, ""},
		{"a person's token as Basic", basic(user.Email, user.Token), nil, 200, ""},
	}
	for _, test := range tests {
		c := newCaller(t, test.opts...)
		c.token = ""
		var headers []string
		if test.authorization != "" {
			headers = []string{"Authorization", test.authorization}
		}
		got := c.ask(GatewayURL+"/ex/confluence/"+c.sim.CloudID+"/wiki/api/v2/pages/1001", headers...)
		if got.status != test.status || got.header.Get("X-Failure-Category") != test.category {
			t.Errorf("%s: %d %q, want %d %q", test.name, got.status, got.header.Get("X-Failure-Category"), test.status, test.category)
		}
		if got.status == 401 && strings.TrimSpace(got.body) != plain401 {
			t.Errorf("%s: body %s", test.name, got.body)
		}
	}
}

func TestPathsThatTheGatewayDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	own := "/ex/confluence/" + c.sim.CloudID
	for _, path := range []string{
		"/ex/confluence/99999999-0000-0000-0000-000000000000/wiki/api/v2/pages/1001", "/wiki/api/v2/pages/1001", "/", own + "/wiki/wiki/api/v2/pages/1001",
		own + "/wiki/api/v2/nothing", own + "/wiki/api/v2/pages/../spaces/7", own + "/wiki/api/v3/pages/1001",
	} {
		got := c.ask(GatewayURL + path)
		if got.status != 404 || !strings.Contains(got.body, `"path":"`+path+`"`) || !strings.Contains(got.body, `"timestamp"`) {
			t.Errorf("%s: %d %s, want Spring's 404 naming the path", path, got.status, got.body)
		}
	}
	if got := c.get("/api/v2/pages/1001"); got.status != 200 {
		t.Errorf("without /wiki: %d, want 200", got.status)
	}
}

func TestBrowsersDownloadAddressRefusesTokens(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for name, got := range map[string]reply{
		"gateway": c.get("/wiki/download/attachments/1001/a.png"),
		"site":    c.as("unscoped").ask(SiteURL + "/wiki/download/attachments/1001/a.png"),
	} {
		if got.status != 401 || got.header.Get("WWW-Authenticate") != `OAuth realm="https://acme.example/wiki"` {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestTheSiteRefusesScopedTokens(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	page := SiteURL + "/wiki/api/v2/pages/1001"
	if got := c.ask(page); got.status != 401 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || !strings.Contains(got.body, "HTTP Status 401") {
		t.Errorf("a scoped token: %d %s", got.status, got.body)
	}
	if got := c.as("unscoped").ask(page); got.status != 200 {
		t.Errorf("a token without scopes: %d", got.status)
	}
	if got := c.ask(page, "Authorization", "Bearer "+c.token); got.status != 403 || !strings.Contains(got.body, "Connect Session Auth Token") {
		t.Errorf("Bearer: %d %s", got.status, got.body)
	}
	if got := c.as("revoked").ask(page, "Authorization", "Basic eDp5"); got.status != 401 || got.header.Get("X-Seraph-Loginreason") != "AUTHENTICATED_FAILED" {
		t.Errorf("a bad token: %d %v", got.status, got.header)
	}
	open := newCaller(t, With(AnonymousSite))
	got := open.ask(SiteURL+"/wiki/rest/api/user/current", "Authorization", "Basic eDp5")
	if got.status != 200 || got.header.Get("X-Seraph-Loginreason") != "AUTHENTICATED_FAILED" || got.json(t)["type"] != "anonymous" {
		t.Errorf("a bad token where anybody may read: %d %s", got.status, got.body)
	}
	c.token = ""
	if got := c.ask(SiteURL + "/_edge/tenant_info"); got.json(t)["cloudId"] != c.sim.CloudID {
		t.Errorf("tenant_info: %s", got.body)
	}
}

func TestRemovedEndpointsAreGone(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for _, path := range []string{"/wiki/rest/api/content/1001", "/wiki/rest/api/content", "/wiki/rest/api/space/DOC"} {
		got := c.get(path)
		if got.status != http.StatusGone || !strings.Contains(got.body, "GoneException: This deprecated endpoint has been removed.") || got.header.Get("Deprecation") == "" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := c.as("without-search").get("/wiki/rest/api/content/1001"); got.status != 401 {
		t.Errorf("without the scope: %d, want the scope to be asked for first", got.status)
	}
}

func TestOldContentRoutesWhereTheyStillWork(t *testing.T) {
	t.Parallel()
	c := newCaller(t, With(OldContentRoutes)).as("unscoped")
	page := c.get("/wiki/rest/api/content/1001?expand=body.storage,version,space,ancestors,history,metadata.labels").json(t)
	value, _ := page["body"].(object)["storage"].(object)["value"].(string)
	if page["title"] != "Run Book" || !strings.Contains(value, "drain") || page["space"].(object)["key"] != "DOC" || page["version"].(object)["number"] != 3.0 ||
		ids(asObjects(page["ancestors"]))[0] != "1000" {
		t.Errorf("page = %v", page)
	}
	for path, want := range map[string][]string{
		"/wiki/rest/api/content/1000/child/page":                 {"1001", "1002"},
		"/wiki/rest/api/content/1001/child/comment":              {"8001", "8002", "8003"},
		"/wiki/rest/api/content/1001/child/attachment?limit=2":   {"att9", "att77"},
		"/wiki/rest/api/content/1001/child/attachment?start=2":   {"att80", "att81"},
		"/wiki/rest/api/content?spaceKey=DOC&title=Run+Book":     {"1001"},
		"/wiki/rest/api/content?spaceKey=SEC&type=page&limit=50": {"2000", "2002", "3003", "3004"},
	} {
		if diff := cmp.Diff(want, ids(c.get(path).results(t))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := c.get("/wiki/rest/api/content/1001/label").results(t); len(got) != 2 || got[0]["label"] != "runbook" {
		t.Errorf("labels = %v", got)
	}
	if got := c.get("/wiki/rest/api/space/DOC").json(t); got["id"] != 7.0 {
		t.Errorf("space = %v", got)
	}
	for _, path := range []string{"/wiki/rest/api/content/4001", "/wiki/rest/api/content/404404", "/wiki/rest/api/space/NOSUCH"} {
		if got := c.get(path); got.status != 404 || !strings.Contains(got.body, "NotFoundException") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := c.get("/wiki/rest/api/content/1001"); got.header.Get("Deprecation") == "" {
		t.Error("no word of the deprecation")
	}
}

func asObjects(items any) (all []object) {
	for _, item := range items.([]any) {
		all = append(all, item.(object))
	}
	return all
}
