package confluenceclient

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tokenSite is a Confluence that knows some tokens, each of an account, and a
// file that the newest token is read from. Its pages are the account's own.
type tokenSite struct {
	controlTakes time.Duration // set before the first request

	mu       sync.Mutex
	file     string
	accounts map[string]string // by living token; "scopeless": refused for the scope at the control read
	down     bool
	controls []string // tokens that made control reads
	reads    []string // tokens that asked for pages
}

func (s *tokenSite) secret() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file
}

func (s *tokenSite) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *tokenSite) answer(req *http.Request) *http.Response {
	if strings.HasSuffix(req.URL.Path, "/user/current") {
		time.Sleep(s.controlTakes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	account, lives := s.accounts[token]
	control := strings.HasSuffix(req.URL.Path, "/user/current")
	if control {
		s.controls = append(s.controls, token)
	} else if strings.Contains(req.URL.Path, "/pages/") {
		s.reads = append(s.reads, token)
	}
	switch {
	case s.down:
		return reply(503, "")
	case !lives && (control || strings.HasSuffix(req.URL.Path, "/audit")):
		return reply(403, notPermitted)
	case !lives:
		return reply(404, bareNotFound)
	case control && account == "scopeless":
		return reply(401, scopeRefusal)
	case control:
		return reply(200, fmt.Sprintf(`{"type":"known","accountId":%q}`, account))
	case strings.HasSuffix(req.URL.Path, "/audit"):
		return reply(401, scopeRefusal)
	case strings.HasSuffix(req.URL.Path, "/1001"):
		return reply(200, pageJSONText)
	}
	return reply(404, bareNotFound)
}

// events keeps what the client tells of its tokens.
type events struct {
	mu   sync.Mutex
	told []TokenEvent
}

func (e *events) add(event TokenEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, event)
}

// kinds is what was told since the last call.
func (e *events) kinds() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var kinds []TokenEventKind
	for _, event := range e.told {
		kinds = append(kinds, event.Kind)
	}
	e.told = nil
	return fmt.Sprint(kinds)
}

func newTokenSite(t *testing.T, accounts map[string]string) (*tokenSite, *Client, *events) {
	t.Helper()
	site, told := &tokenSite{file: "old", accounts: accounts}, &events{}
	client, _ := newTestClient(t, site.answer, func(c *Config) {
		c.Credentials = Credentials{Scheme: SchemeBearer, Secret: site.secret}
		c.OnToken = told.add
	})
	return site, client, told
}

func readAs(t *testing.T, client *Client, maxAge time.Duration) error {
	t.Helper()
	_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage, MaxAge: maxAge})
	return err
}

func TestANewTokenIsProvedByAReadBeforeItReplacesTheOldOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{"old": "a", "new": "a"})
		site.controlTakes = time.Millisecond
		site.change(func() { site.file = "new\n" })
		for range 20 {
			if err := readAs(t, client, 0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if err := readAs(t, client, 0); err != nil {
			t.Fatal(err)
		}
		if site.reads[0] != "old" || site.reads[20] != "new" || site.controls[0] != "new" {
			t.Errorf("reads by %q, control reads by %q: want the old one until the new one is proved", site.reads, site.controls)
		}
		if len(site.controls) > 2 { // one with each, to compare the accounts
			t.Errorf("control reads by %q, want one for each token", site.controls)
		}
		if got := told.kinds(); got != "[replaced]" {
			t.Errorf("told %s, want [replaced]", got)
		}
	})
}

func TestANewTokenThatIsRefusedIsNeverUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{"old": "a"})
		site.change(func() { site.file = "bad" })
		for range 60 {
			if err := readAs(t, client, 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		for _, token := range site.reads {
			if token != "old" {
				t.Fatalf("a read was made with %q", token)
			}
		}
		if n := len(site.controls); n < 3 || n > 10 {
			t.Errorf("%d trials in an hour, want a few, further and further apart", n)
		}
		if got := told.kinds(); !strings.HasPrefix(got, "[refused") || strings.Count(got, "refused") > 5 || strings.Contains(got, "replaced") {
			t.Errorf("told %s in an hour, want refused, at once and then at long intervals", got)
		}
		if status := client.TokenStatus(); status.Candidate != "rejected" || status.Standing != "accepted" {
			t.Errorf("status = %+v", status)
		}
		site.change(func() { site.accounts["good"] = "a"; site.file = "good" })
		_ = readAs(t, client, 0)
		synctest.Wait()
		if got, status := told.kinds(), client.TokenStatus(); got != "[replaced]" || status.Candidate != "" {
			t.Errorf("after the repair: told %s, status %+v", got, status)
		}
	})
}

func TestANewTokenTakenBackIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, _ := newTokenSite(t, map[string]string{"old": "a"})
		site.change(func() { site.file = "bad" })
		client.TryNewToken()
		synctest.Wait()
		site.change(func() { site.file = "old" })
		client.TryNewToken()
		if status := client.TokenStatus(); status.Candidate != "" {
			t.Errorf("status = %+v", status)
		}
	})
}

func TestASecretThatCannotBeOneIsRefusedUnasked(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", " \n", "a b", "a\nb", "a\x00b"} {
		synctest.Test(t, func(t *testing.T) {
			site, client, told := newTokenSite(t, map[string]string{"old": "a"})
			site.change(func() { site.file = secret })
			client.TryNewToken()
			synctest.Wait()
			if got := told.kinds(); got != "[refused]" || len(site.controls) != 0 {
				t.Errorf("%q: told %s after %d requests", secret, got, len(site.controls))
			}
		})
	}
}

func TestAnOutageKeepsTheOldTokenAndTheTrialIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{"old": "a", "new": "a"})
		site.change(func() { site.down, site.file = true, "new" })
		client.TryNewToken()
		time.Sleep(time.Minute)
		client.TryNewToken()
		time.Sleep(time.Minute)
		if got, status := told.kinds(), client.TokenStatus(); got != "[untried]" || status.Candidate != "unknown" {
			t.Errorf("told %s, status %+v", got, status)
		}
		site.change(func() { site.down = false })
		client.TryNewToken()
		synctest.Wait()
		if got := told.kinds(); got != "[replaced]" {
			t.Errorf("after the outage: told %s", got)
		}
	})
}

func TestWhenTheTokenInUseDiesTheNewOneIsTriedAtOnceForAllWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{"old": "a"})
		site.change(func() { site.file = "new" })
		client.TryNewToken()
		synctest.Wait() // refused: it holds only later
		time.Sleep(10 * time.Second)
		site.change(func() { site.accounts = map[string]string{"new": "a"}; site.controls = nil })
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if err := readAs(t, client, 0); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if len(site.controls) != 2 { // one with each
			t.Errorf("control reads by %q, want one with each token", site.controls)
		}
		if got := told.kinds(); got != "[refused replaced]" {
			t.Errorf("told %s", got)
		}
	})
}

func TestWhenBothTokensAreDeadTheErrorSaysSoAndItIsToldLoudlyButSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{"old": "a"})
		if err := readAs(t, client, 0); err != nil {
			t.Fatal(err)
		}
		site.change(func() { site.accounts, site.file = nil, "bad" })
		for range 600 {
			err := readAs(t, client, 0)
			if CauseOf(err) != CauseTokenRejected || !strings.Contains(err.Error(), "neither") {
				t.Fatalf("error = %v, want one that says that both are refused", err)
			}
			time.Sleep(time.Second)
		}
		if got := told.kinds(); strings.Count(got, "rejected") != 1 || strings.Count(got, "refused") != 1 {
			t.Errorf("told %s in ten minutes, want each once", got)
		}
		if n := len(site.controls); n > 2*600/5+10 {
			t.Errorf("%d control reads in ten minutes, want at most one with each token in five seconds", n)
		}
		if status := client.TokenStatus(); status.Standing != "rejected" || status.Candidate != "rejected" {
			t.Errorf("status = %+v", status)
		}
		site.change(func() { site.accounts, site.file = map[string]string{"good": "a"}, "good" })
		if err := readAs(t, client, 0); err != nil {
			t.Errorf("after the repair: %v", err)
		}
	})
}

func TestATokenThatLivesAgainIsToldOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, told := newTokenSite(t, map[string]string{})
		if err := readAs(t, client, 0); CauseOf(err) != CauseTokenRejected {
			t.Fatal(err)
		}
		site.change(func() { site.accounts["old"] = "a" })
		if err := readAs(t, client, 0); err != nil {
			t.Fatal(err)
		}
		if got := told.kinds(); got != "[rejected restored]" {
			t.Errorf("told %s", got)
		}
	})
}

func TestTheCacheOutlivesATokenOfTheSameAccountOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		accounts map[string]string
		kept     bool
	}{
		{"the same account", map[string]string{"old": "a", "new": "a"}, true},
		{"another account", map[string]string{"old": "a", "new": "b"}, false},
		{"an account that the old token may not name", map[string]string{"old": "scopeless", "new": "a"}, false},
		{"an account that the new token may not name", map[string]string{"old": "a", "new": "scopeless"}, false},
		{"accounts that neither may name", map[string]string{"old": "scopeless", "new": "scopeless"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				site, client, told := newTokenSite(t, test.accounts)
				if err := readAs(t, client, time.Hour); err != nil {
					t.Fatal(err)
				}
				site.change(func() { site.file = "new" })
				if err := readAs(t, client, time.Hour); err != nil { // from the cache; it has the trial begin all the same
					t.Fatal(err)
				}
				synctest.Wait()
				if got := told.kinds(); got != "[replaced]" {
					t.Fatalf("told %s", got)
				}
				if err := readAs(t, client, time.Hour); err != nil {
					t.Fatal(err)
				}
				if kept := len(site.reads) == 1; kept != test.kept {
					t.Errorf("reads by %q: cache kept = %v, want %v", site.reads, kept, test.kept)
				}
			})
		})
	}
}

func TestATokenOfTheAccountBeforeLastFindsNothingOfItsCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, _ := newTokenSite(t, map[string]string{"old": "a", "new": "b", "again": "a"})
		for _, token := range []string{"old", "new", "again"} {
			site.change(func() { site.file = token })
			client.TryNewToken()
			synctest.Wait()
			if err := readAs(t, client, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		if len(site.reads) != 3 {
			t.Errorf("reads by %q, want one by each", site.reads)
		}
	})
}

func TestATrialOutlivesNoCallerThatRunsOutOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := &events{}
		file := "old"
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			if req.Header.Get("Authorization") == "Bearer new" {
				<-req.Context().Done()
				return reply(503, "")
			}
			return reply(401, "")
		}, func(c *Config) {
			c.Credentials = Credentials{Scheme: SchemeBearer, Secret: func() string { return file }}
			c.OnToken = told.add
		})
		file = "new"
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := client.Page(ctx, "1001", PageOptions{})
		if err == nil || time.Since(start) > 200*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.Sleep(time.Minute)
		if got := told.kinds(); !strings.Contains(got, "untried") {
			t.Errorf("told %s", got)
		}
	})
}
