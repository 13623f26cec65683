package confluenceclient

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// breakable fails what is asked of a path while it is broken.
type breakable struct {
	path   string // part of it; empty: all
	status int    // 0: no connection comes about
	takes  time.Duration
	broken atomic.Bool
	asked  atomic.Int64
}

func (b *breakable) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(b.takes)
	if !strings.Contains(req.URL.Path, b.path) || !b.broken.Load() {
		return reply(200, "{}"), nil
	}
	b.asked.Add(1)
	if b.status != 0 {
		return reply(b.status, ""), nil
	}
	return nil, syscall.ECONNRESET
}

func newBreakable(t *testing.T, b *breakable) *Client {
	t.Helper()
	b.broken.Store(true)
	client, _ := newTestClient(t, nil, func(c *Config) { c.Transport = b })
	return client
}

func stateOf(client *Client, op *Operation) string {
	for _, s := range client.Status().Operations {
		if s.Operation == op.Name {
			return s.Breaker
		}
	}
	return ""
}

// askFor asks ten times a second.
func askFor(t *testing.T, client *Client, op *Operation, length time.Duration) {
	t.Helper()
	var calls sync.WaitGroup
	for range length / (100 * time.Millisecond) {
		calls.Go(func() { _ = ask(t.Context(), client, op) })
		time.Sleep(100 * time.Millisecond)
	}
	calls.Wait()
}

func TestWhatFailsIsLeftAloneWhileAllElseGoesOn(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"connections that break": 0, "internal errors": 500, "overload": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &breakable{path: "/search", status: status}
				client := newBreakable(t, b)
				askFor(t, client, opSearch, 10*time.Second)
				if stateOf(client, opSearch) == "half-open" { // and the next one is a probe
					askFor(t, client, opSearch, 100*time.Millisecond)
				}
				if got := stateOf(client, opSearch); got != "open" {
					t.Fatalf("the breaker is %s", got)
				}
				before, start := b.asked.Load(), time.Now()
				err := ask(t.Context(), client, opSearch)
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Cause != CauseUnavailable || e.RetryAfter <= 0 || e.RetryAfter > 3*time.Second || e.Attempts != 0 || e.Op != opSearch || time.Since(start) != 0 {
					t.Errorf("error = %+v after %v, want %s at once, and when to come back", e, time.Since(start), CauseUnavailable)
				}
				if err := ask(t.Context(), client, opGetPage); err != nil || stateOf(client, opGetPage) != "closed" {
					t.Errorf("pages fail with search: %v", err)
				}
				askFor(t, client, opSearch, 20*time.Second)
				if probes := b.asked.Load() - before; probes < 5 || probes > 10 {
					t.Errorf("%d requests in twenty seconds, want one every two or so", probes)
				}
				b.broken.Store(false)
				askFor(t, client, opSearch, 3*time.Second)
				if err := ask(t.Context(), client, opSearch); err != nil || stateOf(client, opSearch) != "closed" {
					t.Errorf("after the repair: %v, %s", err, stateOf(client, opSearch))
				}
			})
		})
	}
}

func TestABrokenConnectionWithAllItCarriesFailsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &breakable{takes: 20 * time.Millisecond}
		client := newBreakable(t, b)
		time.AfterFunc(50*time.Millisecond, func() { b.broken.Store(false) })
		var calls sync.WaitGroup
		for range firstUnderWay {
			calls.Go(func() {
				if err := ask(t.Context(), client, opGetPage); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if n := b.asked.Load(); n != firstUnderWay {
			t.Errorf("%d requests failed, want %d", n, firstUnderWay)
		}
	})
}

func TestWhatIsNoFaultOfTheUpstreamOpensNoBreaker(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 410, 429, 501} {
		synctest.Test(t, func(t *testing.T) {
			client := newBreakable(t, &breakable{path: "/search", status: status})
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				_ = ask(ctx, client, opSearch)
				cancel()
			}
			if got := stateOf(client, opSearch); got != "closed" {
				t.Errorf("after many %d the breaker is %s", status, got)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, nil, func(c *Config) { c.Transport = neverAnswers{} })
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := ask(ctx, client, opGetPage); CauseOf(err) != CauseDeadline {
				t.Fatal(err)
			}
			cancel()
		}
		if got := stateOf(client, opGetPage); got != "closed" {
			t.Errorf("after many callers left the breaker is %s", got)
		}
	})
}

type neverAnswers struct{}

func (neverAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestAProbeWhoseCallerLeavesIsNotTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &breakable{}
		client := newBreakable(t, b)
		askFor(t, client, opGetPage, 5*time.Second)
		slow := &slowWire{next: b}
		client.transport.next.breakers.next = slow
		time.Sleep(3 * time.Second) // half open
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := ask(ctx, client, opGetPage); CauseOf(err) != CauseDeadline {
			t.Fatal(err)
		}
		b.broken.Store(false)
		slow.off.Store(true)
		if err := ask(t.Context(), client, opGetPage); err != nil {
			t.Errorf("after a probe that was abandoned: %v", err)
		}
	})
}

type slowWire struct {
	next http.RoundTripper
	off  atomic.Bool
}

func (s *slowWire) RoundTrip(req *http.Request) (*http.Response, error) {
	if !s.off.Load() {
		return neverAnswers{}.RoundTrip(req)
	}
	return s.next.RoundTrip(req)
}

func TestRetriesAreAtMostAFifthOfWhatIsRead(t *testing.T) {
	t.Parallel()
	budget := newRetryBudget(func(float64) {})
	allowed := 0
	for range 1000 { // and every read fails
		budget.read()
		for range maxAttempts - 1 {
			if budget.take() {
				allowed++
			}
		}
	}
	if most := mostRetries + 1000*retriesPerRead; float64(allowed) > most || float64(allowed) < most-2 {
		t.Errorf("%d retries of 1000 reads, want %v", allowed, most)
	}
}

func TestAnUpstreamThatOnlyHangsIsLeftAlone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		patient time.Duration
		want    string
	}{
		{"for callers with less time than the client", 8 * time.Second, "open"},
		{"unless they hardly wait", 50 * time.Millisecond, "closed"},
		{"unless they have less time than a slow answer takes", hungAfter - time.Millisecond, "closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, _ := newTestClient(t, nil, func(c *Config) { c.Transport = hanging{} })
				before := client.Status().Concurrency
				var calls sync.WaitGroup
				for range 15 { // one more would wait for its turn
					calls.Go(func() {
						ctx, leave := context.WithTimeout(t.Context(), tt.patient)
						defer leave()
						if err := ask(ctx, client, opSearch); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("%v, want the end of the caller's time", err)
						}
					})
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(tt.patient - 300*time.Millisecond) // all but some have left
				synctest.Wait()
				state, fewer := stateOf(client, opSearch), client.Status().Concurrency < before
				if state != tt.want || fewer != (tt.want == "open") {
					t.Errorf("breaker %s, window smaller: %v; want %s", state, fewer, tt.want)
				}
				calls.Wait()
			})
		})
	}
}

// hanging is an upstream that never answers.
type hanging struct{}

func (hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}
