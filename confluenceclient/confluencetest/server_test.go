package confluencetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// witness notes what a Server complains of, and runs its clean-up.
type witness struct {
	testing.TB
	complaints []string
	cleanups   []func()
}

func (w *witness) Helper()          {}
func (w *witness) Cleanup(f func()) { w.cleanups = append(w.cleanups, f) }
func (w *witness) Errorf(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *witness) finish() {
	for _, f := range w.cleanups {
		f()
	}
}

func TestServerFailsTestsOfCarelessClients(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		send       func(s *Server) *http.Request
	}{
		{"the token to the site", "sent to the site", func(s *Server) *http.Request { return newRequest(s.SiteURL() + "/wiki/api/v2/pages/1001") }},
		{"the token to the media host", "went along with the redirect", func(s *Server) *http.Request { return newRequest("http://" + s.MediaHost() + "/file/x/binary") }},
		{"the link of a listing, followed", "/wiki is in the path twice", func(s *Server) *http.Request { return s.request("/wiki/wiki/api/v2/pages") }},
		{"a browser's download address", "CHANGE-2735", func(s *Server) *http.Request { return s.request("/wiki/download/attachments/1001/a.png") }},
		{"an offset", "start is ignored", func(s *Server) *http.Request { return s.request("/wiki/rest/api/search?cql=type=page&start=25") }},
		{"a parameter that is none", "has no parameter expand", func(s *Server) *http.Request { return s.request("/wiki/api/v2/pages/1001?expand=body.storage") }},
		{"a path outside /ex/confluence", "every path begins with", func(s *Server) *http.Request { return newRequest(s.GatewayURL() + "/wiki/api/v2/pages/1001") }},
		{"a removed endpoint", "out of Atlassian's API description", func(s *Server) *http.Request { return s.request("/wiki/rest/api/content/1001?expand=x") }},
		{"a cookie", "cookie", func(s *Server) *http.Request {
			req := s.request("/wiki/api/v2/pages/1001")
			req.Header.Set("Cookie", "a=b")
			return req
		}},
		{"a write", "only needs GET", func(s *Server) *http.Request {
			req := s.request("/wiki/api/v2/pages/1001")
			req.Method = http.MethodDelete
			return req
		}},
		{"a token in the query", "credential is in the query", func(s *Server) *http.Request { return s.request("/wiki/api/v2/pages/1001?access_token=x") }},
		{"nothing careless", "", func(s *Server) *http.Request { return s.request("/wiki/api/v2/pages/1001?body-format=storage") }},
	}
	for _, test := range tests {
		for _, allowed := range []bool{false, true} {
			w := &witness{TB: t}
			var opts []Option
			if allowed && test.want != "" {
				opts = append(opts, Allow(test.want))
			}
			s := NewServer(w, SampleSite(), opts...)
			req := test.send(s)
			req.SetBasicAuth(s.Email, s.Token)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			w.finish()
			got := strings.Join(w.complaints, "\n")
			if want := test.want != "" && (!allowed || test.name == "a token in the query"); want != (got != "") || (want && !allowed && !strings.Contains(got, test.want)) {
				t.Errorf("%s, allowed %v: complaints %q", test.name, allowed, got)
			}
		}
	}
}

func newRequest(address string) *http.Request {
	return httptest.NewRequest(http.MethodGet, address, nil)
}

func (s *Server) request(path string) *http.Request {
	return newRequest(s.GatewayURL() + "/ex/confluence/" + s.CloudID + path)
}

func TestServerHasAListenerForEachFace(t *testing.T) {
	t.Parallel()
	s := NewServer(t, SampleSite())
	hosts := map[string]bool{}
	for _, address := range []string{s.GatewayURL(), s.SiteURL(), s.AuthURL(), "http://" + s.MediaHost()} {
		u, err := url.Parse(address)
		if err != nil || (u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") {
			t.Errorf("%s: %v", address, err)
		}
		hosts[u.Host] = true
	}
	if len(hosts) != 4 {
		t.Errorf("hosts = %v, want four", hosts)
	}
	req := s.request("/wiki/rest/api/content/1001/child/attachment/att80/download")
	req.RequestURI = ""
	req.SetBasicAuth(s.Email, s.Token)
	resp, err := http.DefaultClient.Do(req) // net/http itself leaves the token behind when the host changes
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 5<<20 || resp.Request.URL.Host != s.MediaHost() {
		t.Errorf("%d bytes from %s, %v", n, resp.Request.URL.Host, err)
	}
}

func TestServerCutsConnectionsOnSockets(t *testing.T) {
	t.Parallel()
	s := NewServer(t, SampleSite())
	for _, f := range []Fault{{Reset: true}, {ShortBody: 10}, {ShortBody: 10, NoLength: true}} {
		s.ClearFaults()
		s.AddFault(f)
		req := s.request("/wiki/api/v2/pages/1001")
		req.SetBasicAuth(s.Email, s.Token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if f.Reset {
			if err == nil {
				t.Error("the connection was not cut")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err == nil || len(body) != 10 {
			t.Errorf("%+v: %d bytes, %v", f, len(body), err)
		}
		resp.Body.Close()
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t)
		id, secret := c.sim.ClientNamed("broker")
		token := func(form url.Values) (object, int) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, AuthURL, strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			got := c.do(req)
			var value object
			_ = json.Unmarshal([]byte(got.body), &value)
			return value, got.status
		}
		good := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
		granted, status := token(good)
		access, _ := granted["access_token"].(string)
		if status != 200 || access == "" || granted["expires_in"] != 3600.0 || granted["token_type"] != "Bearer" {
			t.Fatalf("%d %v", status, granted)
		}
		ask := func() int {
			return c.ask(GatewayURL+"/ex/confluence/"+c.sim.CloudID+page, "Authorization", "Bearer "+access).status
		}
		if got := ask(); got != 200 {
			t.Errorf("with the access token: %d", got)
		}
		time.Sleep(time.Hour + time.Second)
		if got := ask(); got != 401 {
			t.Errorf("with the access token, after an hour: %d, want 401", got)
		}
		for name, form := range map[string]url.Values{
			"wrong secret": {"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {"x"}},
			"wrong client": {"grant_type": {"client_credentials"}, "client_id": {"x"}, "client_secret": {secret}},
		} {
			if refused, status := token(form); status != 401 || refused["error"] != "access_denied" {
				t.Errorf("%s: %d %v", name, status, refused)
			}
		}
		if refused, status := token(url.Values{"grant_type": {"password"}}); status != 403 || refused["error"] != "unsupported_grant_type" {
			t.Errorf("another grant: %d %v", status, refused)
		}
		granted, _ = token(good)
		access, _ = granted["access_token"].(string)
		c.sim.ExpireAccessTokens()
		if got := ask(); got != 401 {
			t.Errorf("after ExpireAccessTokens: %d", got)
		}
		granted, _ = token(good)
		access, _ = granted["access_token"].(string)
		c.sim.RevokeClient("broker")
		if got := ask(); got != 401 {
			t.Errorf("after RevokeClient: %d", got)
		}
		if refused, status := token(good); status != 401 || refused["error"] != "access_denied" {
			t.Errorf("a revoked client: %d %v", status, refused)
		}
	})
}

func TestControlOfARunningSimulator(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	control := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		c.sim.Control().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w
	}
	if got := control("POST", "/faults", "status=503,count=1"); got.Code != 204 {
		t.Errorf("POST /faults = %d %s", got.Code, got.Body)
	}
	if got := c.get(page); got.status != 503 {
		t.Errorf("with the fault: %d", got.status)
	}
	control("POST", "/faults", "status=503")
	control("DELETE", "/faults", "")
	if got := c.get(page); got.status != 200 {
		t.Errorf("without the fault: %d", got.status)
	}
	if got := control("POST", "/faults", "nonsense"); got.Code != 400 {
		t.Errorf("a fault that is none: %d", got.Code)
	}
	if control("POST", "/revoke/default", ""); c.get(page).status != 404 {
		t.Error("the token still works")
	}
	if got := control("POST", "/revoke/nosuch", ""); got.Code != 404 {
		t.Errorf("a token that is none: %d", got.Code)
	}
	asClient := func(access string) int {
		return c.ask(GatewayURL+"/ex/confluence/"+c.sim.CloudID+page, "Authorization", "Bearer "+access).status
	}
	first := c.grantAccess()
	if got := asClient(first); got != 200 {
		t.Errorf("the client's access token, with a token revoked: %d", got)
	}
	if got := control("POST", "/expire", ""); got.Code != 204 || asClient(first) != 401 {
		t.Errorf("POST /expire = %d, and the access token still works", got.Code)
	}
	second := c.grantAccess()
	if got := asClient(second); got != 200 {
		t.Errorf("an access token after the others were expired: %d", got)
	}
	if got := control("POST", "/revoke/broker", ""); got.Code != 204 || asClient(second) != 401 {
		t.Errorf("POST /revoke/broker = %d, and the client's access token still works", got.Code)
	}
	if got := c.grant(); got.status != 401 {
		t.Errorf("a revoked client asks for an access token: %d", got.status)
	}
	c.get("/wiki/wiki/x")
	log := control("GET", "/requests", "").Body.String()
	if lines := strings.Split(strings.TrimSpace(log), "\n"); len(lines) != 11 || strings.Contains(log, "Basic ") || strings.Contains(log, c.token) || !strings.Contains(lines[0], `"status":503`) {
		t.Errorf("log:\n%s", log)
	}
	if got := control("GET", "/suspicious", "").Body.String(); !strings.Contains(got, "twice") {
		t.Errorf("suspicious: %s", got)
	}
}
