package confluenceclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oauthSite hands out tokens t1, t2, … and lets the gateway take those that live.
type oauthSite struct {
	mu      sync.Mutex
	issued  int
	asked   []time.Time // when tokens were asked for
	dead    int         // the tokens up to this one are refused
	refuse  int         // status of the token endpoint; 0: it works
	hang    bool        // it does not answer at all
	expires int         // seconds
}

func (s *oauthSite) answer(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.URL.Host == "auth.example" {
		s.asked = append(s.asked, time.Now())
		if s.hang {
			s.mu.Unlock()
			<-req.Context().Done()
			s.mu.Lock()
			return reply(503, "")
		}
		if s.refuse != 0 {
			return reply(s.refuse, `{"error":"access_denied","error_description":"Unauthorized SECRETCANARY"}`)
		}
		s.issued++
		return reply(200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":%d}`, s.issued, s.expires))
	}
	var n int
	if _, err := fmt.Sscanf(req.Header.Get("Authorization"), "Bearer t%d", &n); err != nil || n <= s.dead || n > s.issued {
		return reply(401, `{"code":401,"message":"Unauthorized"}`)
	}
	return reply(200, pageJSONText)
}

func (s *oauthSite) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func withOAuth(c *Config) {
	c.Credentials = Credentials{Scheme: SchemeOAuth, ClientID: "id", Secret: func() string { return "SECRETCANARY" }, TokenURL: "https://auth.example/oauth/token"}
}

func TestAccessTokensAreFetchedOnceAndRenewedAtHalfLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600}
		client, _ := newTestClient(t, site.answer, withOAuth)
		readByMany := func() {
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() {
					if err := readAs(t, client, 0); err != nil {
						t.Error(err)
					}
				})
			}
			callers.Wait()
			synctest.Wait()
		}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {30 * time.Minute, 1}, {time.Minute, 2}, {29 * time.Minute, 2}, {2 * time.Minute, 3}, {2 * time.Hour, 4}} {
			time.Sleep(step.wait)
			if readByMany(); site.issued != step.want {
				t.Errorf("%v later: %d tokens fetched for 20 callers at once, want %d", step.wait, site.issued, step.want)
			}
		}
	})
}

func TestATokenThatDiesEarlyIsReplacedOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600}
		client, _ := newTestClient(t, site.answer, withOAuth)
		if err := readAs(t, client, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		site.change(func() { site.dead = site.issued })
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if err := readAs(t, client, 0); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if site.issued != 2 {
			t.Errorf("%d tokens fetched, want 2", site.issued)
		}
	})
}

func TestAFailingTokenEndpointFailsNobodyWhileATokenLives(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*oauthSite){
		"down":    func(s *oauthSite) { s.refuse = 503 },
		"refuses": func(s *oauthSite) { s.refuse = 401 },
		"hangs":   func(s *oauthSite) { s.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				site := &oauthSite{expires: 3600}
				client, _ := newTestClient(t, site.answer, withOAuth)
				begin := time.Now()
				for time.Since(begin) < 59*time.Minute {
					at := time.Now()
					if err := readAs(t, client, 0); err != nil || time.Since(at) != 0 {
						t.Fatalf("after %v: %v, and %v of waiting", time.Since(begin), err, time.Since(at))
					}
					site.change(func() { fail(site) })
					time.Sleep(time.Second)
				}
				if n := len(site.asked); n < 10 || n > 80 {
					t.Errorf("the token endpoint was asked %d times in half an hour, want about every 30 s", n)
				}
				site.change(func() { site.refuse, site.hang = 0, false })
				time.Sleep(30 * time.Second)
				if err := readAs(t, client, 0); err != nil {
					t.Errorf("after the repair: %v", err)
				}
			})
		})
	}
}

func TestWithoutATokenTheEndpointIsNotHammeredAndCallersAreToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600, refuse: 503}
		client, _ := newTestClient(t, site.answer, withOAuth)
		var callers sync.WaitGroup
		for i := range 600 {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				_, err := client.Page(ctx, "1001", PageOptions{})
				if e, ok := errors.AsType[*Error](err); !ok || e.Cause != CauseUnavailable || e.RetryAfter <= 0 {
					t.Errorf("error = %+v, want %s and when to come back", err, CauseUnavailable)
				}
			})
		}
		callers.Wait()
		if n := len(site.asked); n < 3 || n > 10 {
			t.Errorf("the token endpoint was asked %d times in a minute", n)
		}
		for i := 1; i < len(site.asked); i++ {
			if gap := site.asked[i].Sub(site.asked[i-1]); gap < time.Second {
				t.Errorf("asked again after %v", gap)
			}
		}
	})
}

func TestWhileTheTokenEndpointIsLeftAloneCallersAreAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := &oauthSite{expires: 3600, refuse: 503}
		client, _ := newTestClient(t, site.answer, withOAuth)
		_ = readAs(t, client, 0) // sits out what it can
		asked, begin := len(site.asked), time.Now()
		for range 10 {
			if e, ok := errors.AsType[*Error](readAs(t, client, 0)); !ok || e.Cause != CauseUnavailable || e.RetryAfter <= 0 {
				t.Errorf("error = %+v, want %s and when to come back", e, CauseUnavailable)
			}
		}
		if time.Since(begin) != 0 || len(site.asked) != asked {
			t.Errorf("%d requests and %v of waiting, want neither", len(site.asked)-asked, time.Since(begin))
		}
	})
}

func TestANewClientSecretIsProvedByATokenAndARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		secret, told := "old", &events{}
		var mu sync.Mutex
		known := map[string]bool{"old": true}
		var used []string
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			mu.Lock()
			defer mu.Unlock()
			if req.URL.Host == "auth.example" {
				_ = req.ParseForm()
				given := req.PostForm.Get("client_secret")
				if !known[given] {
					return reply(401, `{"error":"access_denied"}`)
				}
				return reply(200, `{"access_token":"by-`+given+`","token_type":"Bearer","expires_in":3600}`)
			}
			if strings.Contains(req.URL.Path, "/pages/") {
				used = append(used, req.Header.Get("Authorization"))
				return reply(200, pageJSONText)
			}
			return reply(200, `{"type":"known","accountId":"a"}`)
		}, withOAuth, func(c *Config) {
			c.Credentials.Secret = func() string { mu.Lock(); defer mu.Unlock(); return secret }
			c.OnToken = told.add
		})
		for _, step := range []struct{ secret, told, used string }{
			{"old", "[]", "Bearer by-old"}, {"bad", "[refused]", "Bearer by-old"}, {"new", "[replaced]", "Bearer by-new"},
		} {
			mu.Lock()
			secret, known["new"] = step.secret, true
			mu.Unlock()
			client.TryNewToken()
			synctest.Wait()
			if err := readAs(t, client, 0); err != nil {
				t.Error(err)
			}
			if got := told.kinds(); got != step.told || used[len(used)-1] != step.used {
				t.Errorf("%s: told %s and read by %s, want %s and %s", step.secret, got, used[len(used)-1], step.told, step.used)
			}
		}
		if status := client.TokenStatus(); status.AccessUntil.Before(time.Now().Add(30 * time.Minute)) {
			t.Errorf("status = %+v", status)
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
	_, err := client.Page(t.Context(), "1001", PageOptions{})
	if fault, ok := errors.AsType[*panicked](err); CauseOf(err) != CauseUnavailable || !ok || fault.value != "a fault of ours" {
		t.Errorf("a panic in the control read: %v", err)
	}
	if strings.Contains(err.Error(), "fault of ours") || strings.Contains(err.Error(), ".go:") {
		t.Errorf("the text has the panic or its stack: %v", err)
	}
}

func TestAPanicIsToldOfAlsoWhenNobodyWaitsAnyMore(t *testing.T) {
	t.Parallel()
	var f flights[string, int]
	ctx, leave := context.WithCancel(t.Context())
	_, _, err := share(ctx, &f, opGetPage, "key", func(shared context.Context) (int, error) {
		leave()
		<-shared.Done()
		panic("a fault of ours")
	})
	if fault, ok := errors.AsType[*panicked](err); !ok || fault.value != "a fault of ours" || !strings.Contains(fault.Error(), "oauth_test.go:") {
		t.Errorf("%v, want the panic with its stack", err)
	}
}
