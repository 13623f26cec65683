package confluenceclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ask sends one operation through all layers.
func ask(ctx context.Context, client *Client, op *Operation) error {
	resp, failure := client.exchange(ctx, &call{op: op}, probeIDs(op), probeQuery(op))
	if resp != nil {
		closeBody(resp)
	}
	if failure != nil {
		return failure.Error
	}
	return nil
}

// keepTo sets a rate, as a refusal a moment ago would have.
func keepTo(client *Client, op *Operation, rate float64) {
	l := client.transport.next
	l.mu.Lock()
	defer l.mu.Unlock()
	pace, now := l.lane(op).pace, time.Now()
	pace.set(now, rate)
	pace.refusedAt, pace.heldUntil = now, now.Add(time.Hour)
}

// limited answers 429 with the headers given until the time has come, and notes
// when each request came.
type limited struct {
	until   time.Time
	headers []string
	only    string        // part of the path; others are answered
	takes   time.Duration // each answer

	mu   sync.Mutex
	came []time.Time
}

func (l *limited) answer(req *http.Request) *http.Response {
	time.Sleep(l.takes)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.Contains(req.URL.Path, l.only) {
		return reply(200, "{}")
	}
	l.came = append(l.came, time.Now())
	if time.Now().Before(l.until) {
		return reply(429, "", l.headers...)
	}
	return reply(200, "{}")
}

func TestManyAtOnceDoNotStampedeAClosedUpstream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		u := &limited{until: start.Add(time.Second)} // without any header
		client, _ := newTestClient(t, u.answer)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := ask(ctx, client, opGetPage); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		early := 0
		for _, at := range u.came {
			if at.Sub(start) < time.Second {
				early++
			}
		}
		// Those that went before the first refusal came, and one after each pause.
		if early > firstUnderWay+3 {
			t.Errorf("%d requests in the closed second, want %d at most", early, firstUnderWay+3)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestARefusalPausesTheOperationOrTheTenant(t *testing.T) {
	t.Parallel()
	for name, wide := range map[string]bool{"confluence-burst-based": false, "confluence-quota-tenant-based": true, "": false} {
		t.Run("reason "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				u := &limited{until: start.Add(time.Second), only: "/pages/", headers: []string{"Retry-After", "3", "RateLimit-Reason", name}}
				client, _ := newTestClient(t, u.answer)
				var callers sync.WaitGroup
				callers.Go(func() { _ = ask(t.Context(), client, opGetPage) })
				synctest.Wait() // refused by now
				for range 5 {
					callers.Go(func() { _ = ask(t.Context(), client, opGetPage) })
				}
				if err := ask(t.Context(), client, opSearch); err != nil {
					t.Error(err)
				}
				if waited := time.Since(start) >= 3*time.Second; waited != wide {
					t.Errorf("another operation waited for the pause: %v, want %v", waited, wide)
				}
				callers.Wait()
				if len(u.came) != 7 || u.came[1].Sub(start) < 3*time.Second {
					t.Errorf("requests after %v, want one, and six when three seconds are over", u.came)
				}
			})
		})
	}
}

func TestWhoCannotWaitIsToldAtOnceHowLongItWouldBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		u := &limited{until: start.Add(time.Second), headers: []string{"Retry-After", "10"}, takes: 100 * time.Millisecond}
		client, _ := newTestClient(t, u.answer)
		client.transport.next.window.limit = 1 // so that two wait while one is refused
		check := func(err error, requests int) {
			t.Helper()
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Cause != CauseRateLimited || e.RetryAfter < 9*time.Second || e.RetryAfter > 11*time.Second || e.Attempts != requests {
				t.Errorf("error = %+v, want %s with a wait of ten seconds after %d requests", e, CauseRateLimited, requests)
			}
			if time.Since(start) != 100*time.Millisecond {
				t.Errorf("told after %v, want at once", time.Since(start))
			}
		}
		var callers sync.WaitGroup
		callers.Go(func() { _ = ask(t.Context(), client, opGetPage) })
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		callers.Go(func() { check(ask(short, client, opGetPage), 0) }) // waits when the pause begins
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		check(ask(short, client, opGetPage), 0) // comes when it is under way
		callers.Wait()
	})
}

func TestATurnBehindTheCallersTimeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, "{}") })
		keepTo(client, opGetPage, 10)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 101 {
			callers.Go(func() { _ = ask(ctx, client, opGetPage) })
		}
		synctest.Wait()
		start := time.Now()
		short, stop := context.WithTimeout(ctx, 9*time.Second)
		defer stop()
		err := ask(short, client, opGetPage)
		if e, ok := errors.AsType[*Error](err); !ok || e.Cause != CauseRateLimited || e.RetryAfter != 10*time.Second || time.Since(start) != 0 {
			t.Errorf("%+v after %v, want a refusal at once for ten seconds", err, time.Since(start))
		}
		long, stop := context.WithTimeout(ctx, 11*time.Second)
		defer stop()
		if err := ask(long, client, opGetPage); err != nil || time.Since(start) < 9*time.Second {
			t.Errorf("%v after %v, want an answer in its turn", err, time.Since(start))
		}
		cancel()
		callers.Wait()
	})
}

func TestABatchDelaysAPersonByNoMoreThanAFewReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, "{}") })
		keepTo(client, opGetPage, 50)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 10_000 {
			callers.Go(func() { _ = ask(WithCaller(ctx, Caller{Name: "indexer", Class: ClassBatch}), client, opGetPage) })
		}
		synctest.Wait()
		start := time.Now()
		if err := ask(WithCaller(ctx, Caller{Name: "person"}), client, opGetPage); err != nil || time.Since(start) > 3*time.Second/50 {
			t.Errorf("%v after %v, want an answer within three reads", err, time.Since(start))
		}
		if waiting := client.Status().Waiting["batch"]; waiting < 9_900 {
			t.Errorf("%d of the batch wait: it did not stand in the way", waiting)
		}
		cancel() // and nobody stays in the queue
		callers.Wait()
		if s := client.Status(); s.Waiting["batch"] != 0 || s.InFlight != 0 {
			t.Errorf("after all have left: %+v", s)
		}
	})
}

func TestASharedReadIsServedInTheFirstPlaceOfAllWhoWaitForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, "{}") })
		keepTo(client, opGetPage, 1)
		var outer, inner flights[string, struct{}]
		// As in real reads, a flight within a flight waits for its turn.
		read := func(ctx context.Context, key string) error {
			_, err := outer.do(ctx, key, func(ctx context.Context) (struct{}, error) {
				return inner.do(ctx, key, func(ctx context.Context) (struct{}, error) {
					return struct{}{}, ask(ctx, client, opGetPage)
				})
			})
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		indexer := WithCaller(ctx, Caller{Name: "indexer", Class: ClassBatch})
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() { _ = read(indexer, fmt.Sprint("page ", i)) })
			synctest.Wait()
		}
		start := time.Now()
		if err := read(WithCaller(ctx, Caller{Name: "person"}), "page 900"); err != nil || time.Since(start) > 3*time.Second {
			t.Errorf("%v after %v, want an answer before those in front of the indexer's read", err, time.Since(start))
		}
		gone, leave := context.WithCancel(WithCaller(ctx, Caller{Name: "person"}))
		callers.Go(func() { _ = read(gone, "page 901") })
		synctest.Wait()
		leave()
		synctest.Wait()
		if s := client.Status(); s.Waiting["interactive"] != 0 {
			t.Errorf("who has left still waits: %v", s.Waiting)
		}
		cancel()
		callers.Wait()
	})
}

func TestTheQueueIsBoundedAndKeepsRoomForPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(nil, nil, noMeters(t))
		l.lane(opGetPage).pace.pause(time.Now(), 20*time.Second)
		enter := func(name string, class Class) error {
			return l.admit(&ticket{limit: l, ctx: t.Context(), places: map[Caller]*place{}, done: make(chan struct{})}, opGetPage, Caller{Name: name, Class: class})
		}
		fill := func(name string, class Class) (n int, err error) {
			for ; err == nil; n++ {
				err = enter(name, class)
			}
			return n - 1, err
		}
		first, err := fill("indexer", ClassBatch)
		if first != mostWaitingCaller || CauseOf(err) != CauseRateLimited {
			t.Errorf("one caller queued %d: %v", first, err)
		}
		second, _ := fill("another indexer", ClassBatch)
		if first+second != mostWaitingBatch {
			t.Errorf("batch callers queued %d, want %d", first+second, mostWaitingBatch)
		}
		if err := enter("person", ClassInteractive); err != nil {
			t.Errorf("a person finds the queue full: %v", err)
		}
		if n, _ := fill("people", ClassInteractive); first+second+n+1 != mostWaiting {
			t.Errorf("%d wait, want %d", first+second+n+1, mostWaiting)
		}
	})
}

func TestTheWindowOfRequestsUnderWayGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int64
		var broken atomic.Bool
		client, _ := newTestClient(t, func(*http.Request) *http.Response {
			if n := underWay.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer underWay.Add(-1)
			time.Sleep(100 * time.Millisecond)
			if broken.Load() {
				return reply(503, "")
			}
			return reply(200, "{}")
		})
		burst := func(n int) {
			var callers sync.WaitGroup
			for range n {
				callers.Go(func() { _ = ask(t.Context(), client, opGetPage) })
			}
			callers.Wait()
		}
		burst(firstUnderWay + 20)
		if got := most.Load(); got < firstUnderWay || got > firstUnderWay+1 {
			t.Errorf("%d at once in the beginning, want %d", got, firstUnderWay)
		}
		burst(10_000)
		if got := most.Load(); got != mostUnderWay {
			t.Errorf("%d at once after success, want %d", got, mostUnderWay)
		}
		broken.Store(true)
		burst(1)
		if got := client.Status().Concurrency; got >= mostUnderWay/2 || got < fewestUnderWay {
			t.Errorf("window after five overloads: %d", got)
		}
	})
}

func TestWhatCameBackWaitsInFrontOfItsCallersOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		u := &limited{until: start.Add(time.Second), headers: []string{"Retry-After", "2"}}
		client, _ := newTestClient(t, u.answer)
		var order []int
		var mu sync.Mutex
		var callers sync.WaitGroup
		for i := range 4 {
			callers.Go(func() {
				if err := ask(t.Context(), client, opGetPage); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
			keepTo(client, opGetPage, 5) // one after the other
		}
		callers.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("answered in the order %v", order)
		}
	})
}
