package confluenceclient

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

const (
	bareNotFound  = `{"errors":[{"status":404,"code":"NOT_FOUND","title":"Not Found","detail":null}]}`
	scopeRefusal  = `{"code":401,"message":"Unauthorized; scope does not match"}`
	notPermitted  = `{"message":"Current user not permitted to use Confluence","statusCode":403}`
	springMissing = `{"timestamp":"2026-03-01T00:00:00Z","status":404,"error":"Not Found","message":"No message available","path":"/ex/confluence/x/wiki"}`
)

// Rows of api-facts §1b and §9: what Confluence answers, what its control read
// answers then, and what it means.
func TestEachRefusalHasItsVerdict(t *testing.T) {
	t.Parallel()
	ok := reply(200, `{"type":"known","accountId":"a"}`)
	tests := []struct {
		name           string
		answer         *http.Response
		control, audit *http.Response // nil: must not be asked
		want           Cause
	}{
		{"missing scope, by header", reply(401, "", "X-Failure-Category", "FAILURE_CLIENT_SCOPE_CHECK"), nil, nil, CauseScopeMissing},
		{"missing scope, by text", reply(401, scopeRefusal), nil, nil, CauseScopeMissing},
		{"401 without a body", reply(401, ""), nil, nil, CauseTokenRejected},
		{"e-mail of another account", reply(401, `{"code":401,"message":"Unauthorized"}`, "X-Failure-Category", "FAILURE_CLIENT_AUTH_MISMATCH"), nil, nil, CauseTokenRejected},
		{"a site's HTML page", reply(401, "<html>", "Content-Type", "text/html"), nil, nil, CauseTokenRejected},
		{"a site that cannot read bearer", reply(403, `{"error":"Failed to parse Connect Session Auth Token"}`), nil, nil, CauseTokenRejected},
		{"anonymous in disguise", reply(200, pageJSONText, "X-Seraph-Loginreason", "AUTHENTICATED_FAILED"), nil, nil, CauseTokenRejected},
		{"bare 404, token good", reply(404, bareNotFound), ok, nil, CauseNotFound},
		{"bare 404, token without the scope for the control read", reply(404, bareNotFound), reply(401, scopeRefusal), nil, CauseNotFound},
		{"bare 404, empty list of errors", reply(404, `{"errors":[]}`), ok, nil, CauseNotFound},
		{"bare 404, no body", reply(404, ""), ok, nil, CauseNotFound},
		{"bare 404, token dead", reply(404, bareNotFound), reply(403, notPermitted), reply(403, notPermitted), CauseTokenRejected},
		{"bare 404, token mismatched", reply(404, bareNotFound), reply(401, `{"code":401,"message":"Unauthorized"}`), nil, CauseTokenRejected},
		{"bare 404, taken for anonymous", reply(404, bareNotFound), reply(200, `{"type":"anonymous"}`), nil, CauseTokenRejected},
		{"bare 404, account without Confluence", reply(404, bareNotFound), reply(403, notPermitted), reply(401, scopeRefusal), CauseForbidden},
		{"bare 404, control read taken away", reply(404, bareNotFound), reply(410, ""), nil, CauseNotFound},
		{"bare 404, no verdict to be had", reply(404, bareNotFound), reply(500, ""), nil, CauseUnavailable},
		{"404 that names the page", reply(404, `{"errors":[{"status":"404","code":"NOT_FOUND","title":"Cannot find a page with id [1001]"}]}`), nil, nil, CauseNotFound},
		{"404 of v1 that names the content", reply(404, `{"statusCode":404,"data":{"authorized":false,"errors":[{"message":{"translation":"No content with id <ContentId{id=1}> can be found"}}]}}`), nil, nil, CauseNotFound},
		{"gateway without a route", reply(404, springMissing), nil, nil, CauseMisrouted},
		{"403, token dead", reply(403, notPermitted), reply(403, notPermitted), reply(403, notPermitted), CauseTokenRejected},
		{"403 for one page, token good", reply(403, `{"message":"Not permitted to view this content"}`), ok, nil, CauseNotFound},
		{"missing scope, in v2's shape", reply(401, `{"errors":[{"status":401,"title":"Unauthorized; scope does not match"}]}`), nil, nil, CauseScopeMissing},
		{"missing scope, as plain text", reply(401, "Unauthorized; scope does not match", "Content-Type", "text/plain"), nil, nil, CauseScopeMissing},
		{"missing scope, as 403", reply(403, `{"message":"Forbidden; Scope does not match"}`), nil, nil, CauseScopeMissing},
		{"a site's plain text", reply(401, "Client must be authenticated to access this resource.", "Content-Type", "text/plain"), nil, nil, CauseTokenRejected},
		{"bare 404 of something that is no gateway", reply(404, "<html>", "Content-Type", "text/html"), reply(404, "<html>", "Content-Type", "text/html"), nil, CauseUnavailable},
		{"bare 404, portal page in place of the control read", reply(404, bareNotFound), reply(200, "<html>Welcome</html>", "Content-Type", "text/html"), nil, CauseUnavailable},
		{"removed endpoint", reply(410, `{"message":"This deprecated endpoint has been removed"}`), nil, nil, CauseGone},
		{"bad parameter", reply(400, `{"errors":[{"status":400,"code":"INVALID_REQUEST_PARAMETER","title":"bad cursor"}]}`), nil, nil, CauseInvalid},
		{"rate limit with an HTML page", reply(429, "<html>", "Content-Type", "text/html", "Retry-After", "3600"), nil, nil, CauseRateLimited},
		{"a teapot", reply(418, ""), nil, nil, CauseBadResponse},
		{"server fault", reply(501, ""), nil, nil, CauseUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, u := newTestClient(t, func(req *http.Request) *http.Response {
					switch {
					case strings.HasSuffix(req.URL.Path, "/user/current") && tt.control != nil:
						return tt.control
					case strings.HasSuffix(req.URL.Path, "/audit") && tt.audit != nil:
						return tt.audit
					case strings.HasSuffix(req.URL.Path, "/spaces"): // the second control read
						if tt.control != nil && tt.control.StatusCode == http.StatusGone {
							return reply(401, scopeRefusal)
						}
						return tt.answer
					case strings.Contains(req.URL.Path, "/pages/"):
						return tt.answer
					}
					t.Errorf("request for %s was not due", req.URL.Path)
					return reply(404, "")
				})
				_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
				if got := CauseOf(err); got != tt.want {
					t.Errorf("cause = %q (%v), want %q", got, err, tt.want)
				}
				if err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "?")) {
					t.Errorf("error text holds a secret or a query: %v", err)
				}
				if tt.want != CauseUnavailable && len(u.requests) > 3 {
					t.Errorf("%d requests", len(u.requests))
				}
			})
		})
	}
}

func TestAMissingScopeNamesTheEndpointAndBothFamilies(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(401, scopeRefusal) })
	_, err := client.Search(t.Context(), SearchRequest{CQL: "type = page", Limit: 1})
	for _, want := range []string{"GET /wiki/rest/api/search", "search:confluence", "read:content-details:confluence"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestTheCQLParsersMessageLosesItsJavaClass(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response {
		return reply(400, `{"statusCode":400,"data":{"authorized":true,"valid":true,"errors":[],"successful":false},"message":"com.atlassian.confluence.api.service.exceptions.BadRequestException: Could not parse cql : type =="}`)
	})
	_, err := client.Search(t.Context(), SearchRequest{CQL: "type ==", Limit: 1})
	if CauseOf(err) != CauseInvalid || !strings.Contains(err.Error(), "Could not parse cql : type ==") || strings.Contains(err.Error(), "com.atlassian") {
		t.Errorf("error = %v", err)
	}
}
