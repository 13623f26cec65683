package confluenceclient

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// A breaker opens when this many requests in a row have failed, over at least
	// so long: one broken connection fails all that it carries at the same
	// instant, and is no outage.
	failuresInARow = 10
	failingFor     = 400 * time.Millisecond
	// Or when half of the requests in ten seconds failed, of at least so many.
	failuresOfMany = 20
	failingWindow  = 10 * time.Second

	// breakTime, and up to a quarter more, is how long nothing is sent.
	breakTime = 2 * time.Second
)

// breakers send nothing for an operation that fails: connections that break,
// answers that do not come, and statuses from 500 on, except 501. They stay apart, so that a broken search does
// not close pages. One request goes through every two seconds, until one
// succeeds. The layer is inside of limit: what waits has not been sent, and must
// not hold the one place of a probe.
type breakers struct {
	next   http.RoundTripper
	meters *limitMeters

	mu sync.Mutex
	of map[*Operation]*breaker
}

type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	timeout time.Duration

	mu       sync.Mutex
	failing  time.Time // since when all requests have failed
	openedAt time.Time
}

// What is told to a breaker about a request.
var (
	errFailed  = errors.New("failed")
	errNothing = errors.New("nothing learnt")
)

func newBreakers(next http.RoundTripper, meters *limitMeters) *breakers {
	return &breakers{next: next, meters: meters, of: map[*Operation]*breaker{}}
}

func (b *breakers) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call := req.Context(), callFrom(req.Context())
	breaker := b.breaker(call.op)
	done, err := breaker.Allow()
	if err != nil {
		return nil, breaker.refusal()
	}
	outcome := errNothing
	defer func() { done(outcome) }() // also after a panic, or a probe's place would be lost
	call.attempt++
	since := time.Now()
	resp, err := b.next.RoundTrip(req)
	outcome = outcomeOf(endingOf(ctx, resp, err, since, time.Now()), err)
	return resp, err
}

func outcomeOf(end ending, err error) error {
	switch {
	case end.failed:
		return errFailed
	case err != nil:
		return errNothing // the caller left, or a layer of ours refused
	}
	return nil
}

func (b *breakers) breaker(op *Operation) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of[op] == nil {
		b.of[op] = newBreaker(b.meters.breaker(op))
	}
	return b.of[op]
}

// refusal tells why an operation is not worth waiting for; nil: it is.
func (b *breakers) refusal(op *Operation) error {
	if breaker := b.breaker(op); breaker.State() == gobreaker.StateOpen {
		return breaker.refusal()
	}
	return nil
}

// newBreaker calls report with every new state.
func newBreaker(report func(gobreaker.State)) *breaker {
	// The breakers of several replicas, and of several operations, must not all
	// try again at the same instant.
	b := &breaker{timeout: breakTime + randomUpTo(breakTime/4)}
	b.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Interval: failingWindow, BucketPeriod: failingWindow / 10, Timeout: b.timeout, MaxRequests: 1,
		ReadyToTrip: b.shouldOpen,
		IsExcluded:  func(err error) bool { return errors.Is(err, errNothing) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			report(to)
			if to == gobreaker.StateOpen {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.openedAt = time.Now()
			}
		},
	})
	return b
}

// shouldOpen is asked after each failure.
func (b *breaker) shouldOpen(counts gobreaker.Counts) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if counts.ConsecutiveFailures <= 1 {
		b.failing = now
	}
	if counts.ConsecutiveFailures >= failuresInARow && now.Sub(b.failing) >= failingFor {
		return true
	}
	return counts.TotalSuccesses > 0 && counts.TotalFailures >= failuresOfMany && counts.TotalFailures >= counts.TotalSuccesses
}

// remaining is how long nothing will be sent.
func (b *breaker) remaining() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, time.Until(b.openedAt.Add(b.timeout)))
}

func (b *breaker) refusal() error {
	return refuse(CauseUnavailable, reasonBroken, max(b.remaining(), time.Second))
}
