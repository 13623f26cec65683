package confluenceclient

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oauthSite hands out tokens t1, t2, … and lets the gateway take only the last.
type oauthSite struct {
	mu      sync.Mutex
	issued  int
	refuse  int // status of the token endpoint; 0: it works
	expires int // seconds
}

func (s *oauthSite) answer(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.URL.Host == "auth.example" {
		if s.refuse != 0 {
			return reply(s.refuse, `{"error":"access_denied","error_description":"Unauthorized SECRETCANARY"}`)
		}
		s.issued++
		return reply(200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":%d}`, s.issued, s.expires))
	}
	if req.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", s.issued) {
		return reply(401, `{"code":401,"message":"Unauthorized"}`)
	}
	return reply(200, pageJSONText)
}

func withOAuth(c *Config) {
	c.Credentials = Credentials{Scheme: SchemeOAuth, ClientID: "id", Secret: func() string { return "SECRETCANARY" }, TokenURL: "https://auth.example/oauth/token"}
}

func TestAccessTokensAreFetchedOnceAndRenewedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600}
		client, _ := newTestClient(t, site.answer, withOAuth)
		read := func() {
			if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil {
				t.Error(err)
			}
		}
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(read)
		}
		callers.Wait()
		if site.issued != 1 {
			t.Errorf("%d tokens fetched for 20 callers at once, want 1", site.issued)
		}
		time.Sleep(54 * time.Minute)
		read()
		time.Sleep(2 * time.Minute)
		read()
		if site.issued != 2 {
			t.Errorf("%d tokens after 56 minutes, want 2", site.issued)
		}
		time.Sleep(2 * time.Minute)
		site.issued++ // the one in hand dies early
		read()
		if site.issued != 4 {
			t.Errorf("a token that died early was not replaced at once")
		}
	})
}

func TestTheTokenEndpointsRefusalIsNotTheCallersAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Cause{401: CauseTokenRejected, 400: CauseTokenRejected, 403: CauseTokenRejected, 429: CauseUnavailable, 503: CauseUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			client, u := newTestClient(t, (&oauthSite{refuse: status}).answer, withOAuth)
			_, err := client.Page(t.Context(), "1001", PageOptions{})
			if CauseOf(err) != want || strings.Contains(fmt.Sprintf("%+v", err), "CANARY") {
				t.Errorf("%d: %+v, want %s", status, err, want)
			}
			for _, url := range u.urls() {
				if !strings.HasPrefix(url, "https://auth.example/") {
					t.Errorf("%d: %s was asked without a token", status, url)
				}
			}
			if attempts := map[Cause]int{CauseUnavailable: maxAttempts, CauseTokenRejected: 1}[want]; len(u.requests) != attempts {
				t.Errorf("%d: %d requests, want %d", status, len(u.requests), attempts)
			}
		})
	}
}

func TestAPassingFaultOfTheTokenEndpointIsSatOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600, refuse: 503}
		client, _ := newTestClient(t, site.answer, withOAuth)
		time.AfterFunc(time.Second, func() {
			site.mu.Lock()
			defer site.mu.Unlock()
			site.refuse = 0
		})
		if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil {
			t.Error(err)
		}
	})
}

func TestAPanicWhileSharingIsAnError(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(req *http.Request) *http.Response {
		if strings.HasSuffix(req.URL.Path, "/user/current") {
			panic("a fault of ours")
		}
		return reply(404, bareNotFound)
	})
	if _, err := client.Page(t.Context(), "1001", PageOptions{}); CauseOf(err) != CauseUnavailable {
		t.Errorf("a panic in the control read: %v", err)
	}
}
