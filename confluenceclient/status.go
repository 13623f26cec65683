package confluenceclient

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Status is how the client and its upstream get on at this moment, for
// operators.
type Status struct {
	InFlight    int            // requests whose answer has not begun
	Concurrency int            // how many may be in flight
	Waiting     map[string]int // requests that wait for their turn, by class
	Tenant      PaceStatus
	Operations  []OperationStatus // those asked so far, by name
}

// PaceStatus is how fast requests may go.
type PaceStatus struct {
	Limit  float64       // requests a second that are kept to; 0: no limit is known
	Paused time.Duration // for how long nothing will be sent
}

// OperationStatus is how one operation does.
type OperationStatus struct {
	Operation string
	Waiting   int // requests that wait for their turn
	Pace      PaceStatus
	Breaker   string // "closed", "half-open" or "open": nothing is sent, since it fails
}

// Status returns a copy, which the client does not change.
func (c *Client) Status() Status { return c.transport.next.status(time.Now()) }

func (l *limit) status(now time.Time) Status {
	l.mu.Lock()
	s := Status{
		InFlight: l.window.underWay, Concurrency: int(l.window.limit), Tenant: l.tenant.status(now),
		Waiting: map[string]int{},
	}
	for class, name := range classNames {
		s.Waiting[name] = l.waiting[class]
	}
	operations := map[*Operation]OperationStatus{}
	for op, lane := range l.lanes {
		operations[op] = OperationStatus{
			Operation: op.Name, Waiting: lane.lines[0].places + lane.lines[1].places, Pace: lane.pace.status(now),
			Breaker: gobreaker.StateClosed.String(),
		}
	}
	l.mu.Unlock() // breakers have locks of their own
	for op, state := range l.breakers.states() {
		if known, ok := operations[op]; ok {
			known.Breaker = state.String()
			operations[op] = known
		}
	}
	s.Operations = slices.SortedFunc(maps.Values(operations), func(a, b OperationStatus) int {
		return strings.Compare(a.Operation, b.Operation)
	})
	return s
}

func (p *pace) status(now time.Time) PaceStatus {
	s := PaceStatus{Paused: max(0, p.pausedUntil.Sub(now))}
	if limit := p.limit(); !math.IsInf(limit, 1) {
		s.Limit = limit
	}
	return s
}

func (b *breakers) states() map[*Operation]gobreaker.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := map[*Operation]gobreaker.State{}
	for op, breaker := range b.of {
		states[op] = breaker.State()
	}
	return states
}
