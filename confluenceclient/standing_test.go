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

func absentPage(t *testing.T, client *Client, n int) error {
	t.Helper()
	_, err := client.Page(t.Context(), fmt.Sprint(9_000_000+n), PageOptions{})
	return err
}

func TestAThousandAbsentPagesCostOneControlReadAnInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, _ := newTokenSite(t, map[string]string{"old": "a"})
		for i := range 1000 {
			if err := absentPage(t, client, i); CauseOf(err) != CauseNotFound {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if len(site.controls) != 2 { // at the beginning and after five of ten seconds
			t.Errorf("%d control reads in ten seconds, want 2", len(site.controls))
		}
		time.Sleep(verdictAge)
		site.controls = nil
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() {
				if err := absentPage(t, client, i); CauseOf(err) != CauseNotFound {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if len(site.controls) != 1 {
			t.Errorf("%d control reads for a thousand at once, want 1", len(site.controls))
		}
	})
}

func TestARevokedTokenMakesPagesAbsentForFiveSecondsAtMost(t *testing.T) {
	t.Parallel()
	for name, prove := range map[string]func(*testing.T, *Client){
		"after nothing":           func(*testing.T, *Client) {},
		"after a page was read":   func(t *testing.T, c *Client) { _ = readAs(t, c, 0) },
		"after a page was absent": func(t *testing.T, c *Client) { _ = absentPage(t, c, 1) },
	} {
		synctest.Test(t, func(t *testing.T) {
			site, client, _ := newTokenSite(t, map[string]string{"old": "a"})
			prove(t, client)
			proved := len(site.controls) > 0
			site.change(func() { site.accounts = nil })
			for i := range 5 {
				err := absentPage(t, client, i)
				if want := map[bool]Cause{true: CauseNotFound, false: CauseTokenRejected}[proved]; CauseOf(err) != want {
					t.Errorf("%s: %d s later %v, want %s", name, i, err, want)
				}
				time.Sleep(time.Second)
			}
			if err := absentPage(t, client, 6); CauseOf(err) != CauseTokenRejected {
				t.Errorf("%s: five seconds later %v", name, err)
			}
		})
	}
}

func TestAFailedControlReadIsNotRepeatedForEachRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controls := 0
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			if strings.HasSuffix(req.URL.Path, "/user/current") {
				controls++
				return reply(501, "") // not worth a retry
			}
			return reply(404, bareNotFound)
		})
		for i := range 100 {
			if err := absentPage(t, client, i); CauseOf(err) != CauseUnavailable {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if controls > 6 {
			t.Errorf("%d control reads in five seconds, want one a second", controls)
		}
	})
}

// step is something that happens to a credential, and whether a refusal of a
// request sent a moment before needs a control read afterwards.
type step struct {
	what string
	do   func(cred *credential, at time.Time)
	want standing // unknown: a control read is needed
}

func TestWhatIsKnownOfATokenEndsWhenAnAnswerContradictsIt(t *testing.T) {
	t.Parallel()
	judged := func(s standing) func(*credential, time.Time) {
		return func(cred *credential, at time.Time) { cred.judge(s, at) }
	}
	read := func(cred *credential, at time.Time) { cred.noteLife(at) }
	refused := func(cred *credential, at time.Time) { cred.noteRefusal(at) }
	wait := func(d time.Duration) func(*credential, time.Time) {
		return func(*credential, time.Time) { time.Sleep(d) }
	}
	late := func(f func(*credential, time.Time)) func(*credential, time.Time) {
		return func(cred *credential, at time.Time) { f(cred, at.Add(-time.Minute)) }
	}
	for name, steps := range map[string][]step{
		"nothing is known at first":                 {{"nothing", wait(0), unknown}},
		"a success alone proves nothing":            {{"read", read, unknown}},
		"a verdict ages":                            {{"alive", judged(alive), alive}, {"4 s", wait(4 * time.Second), alive}, {"1 s", wait(time.Second), unknown}},
		"a later success stands in for a verdict":   {{"alive", judged(alive), alive}, {"a minute", wait(time.Minute), unknown}, {"read", read, alive}},
		"but not for ever":                          {{"alive", judged(alive), alive}, {"five minutes", wait(5 * time.Minute), unknown}, {"read", read, unknown}},
		"a refusal ends proof of life":              {{"alive", judged(alive), alive}, {"refused", refused, unknown}, {"read", read, unknown}},
		"a success ends a rejection":                {{"rejected", judged(rejected), rejected}, {"a second", wait(time.Second), rejected}, {"read", read, unknown}},
		"a success ends a lack of access":           {{"shut out", judged(shutOut), shutOut}, {"a second", wait(time.Second), shutOut}, {"read", read, unknown}},
		"a success from before does not":            {{"rejected", judged(rejected), rejected}, {"old read", late(read), rejected}},
		"a refusal from before ends no life":        {{"alive", judged(alive), alive}, {"old refusal", late(refused), alive}},
		"no verdict is worth a moment":              {{"unknown", judged(unknown), unknown}, {"a second", wait(time.Second), unknown}},
		"a failed control read does not prove life": {{"alive", judged(alive), alive}, {"a minute", wait(time.Minute), unknown}, {"unknown", judged(unknown), unknown}, {"a second", wait(time.Second), unknown}, {"read", read, unknown}},
	} {
		synctest.Test(t, func(t *testing.T) {
			cred := &credential{seen: unknown}
			time.Sleep(time.Hour)
			for _, s := range steps {
				s.do(cred, time.Now())
				if got, _ := cred.known(time.Now().Add(-time.Millisecond)); got != s.want {
					t.Errorf("%s: after %q known = %q, want %q", name, s.what, got, s.want)
				}
			}
		})
	}
}

func TestASuccessSentBeforeTheRefusalDoesNotSpeakForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{}
		cred.judge(alive, time.Now())
		time.Sleep(time.Minute)
		cred.noteLife(time.Now())
		if _, known := cred.known(time.Now()); known {
			t.Error("a success from the same instant speaks for the refusal")
		}
	})
}

func TestABusyBrokerNeedsNoControlReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controls := 0
		var mu sync.Mutex
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			time.Sleep(50 * time.Millisecond)
			switch {
			case strings.HasSuffix(req.URL.Path, "/user/current"):
				mu.Lock()
				defer mu.Unlock()
				controls++
				return reply(200, `{"type":"known","accountId":"a"}`)
			case strings.HasSuffix(req.URL.Path, "/1001"):
				return reply(200, pageJSONText)
			}
			time.Sleep(60 * time.Millisecond) // absence takes longer than other reads begin and end
			return reply(404, bareNotFound)
		})
		var callers sync.WaitGroup
		for i := range 2400 {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * 25 * time.Millisecond)
				if i%10 == 0 {
					if err := absentPage(t, client, i); CauseOf(err) != CauseNotFound {
						t.Error(err)
					}
				} else if err := readAs(t, client, 0); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if controls != 1 {
			t.Errorf("%d control reads in a minute, want the first alone", controls)
		}
	})
}

func TestARevokedTokenMakesNoKnownPageAbsent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site, client, _ := newTokenSite(t, map[string]string{"old": "a"})
		if err := readAs(t, client, 0); err != nil {
			t.Fatal(err)
		}
		if err := absentPage(t, client, 1); CauseOf(err) != CauseNotFound || len(site.controls) != 1 {
			t.Fatalf("%v after %d control reads", err, len(site.controls))
		}
		accounts := site.accounts
		site.change(func() { site.accounts = nil })
		time.Sleep(time.Second)
		if err := readAs(t, client, 0); CauseOf(err) != CauseTokenRejected {
			t.Errorf("a page that was there a second ago: %v, want %s", err, CauseTokenRejected)
		}
		site.change(func() { site.accounts = accounts })
		time.Sleep(verdictAge)
		if err := readAs(t, client, time.Hour); err != nil {
			t.Errorf("the page with a token that works again: %v", err)
		}
	})
}
