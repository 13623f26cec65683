package confluenceclient

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Bounds of what waits: memory, and a wait that is worth it.
const (
	mostWaiting       = 32 << 10
	mostWaitingBatch  = mostWaiting * 3 / 4 // the rest is for those who would notice
	mostWaitingCaller = 16 << 10            // for one operation
)

// limit makes one budget of what the upstream allows, and shares it out. A
// request goes when its operation's pace, the tenant's pace and the window of
// requests under way all let it, in the order of queue.go.
//
// Nothing waits under the lock, and no goroutine is kept: whatever ends lets the
// next ones go, and one timer does where only time does.
type limit struct {
	next     http.RoundTripper
	breakers *breakers
	meters   *limitMeters

	mu      sync.Mutex
	lanes   map[*Operation]*lane
	tenant  *pace
	window  window
	classes [2]float64 // virtual time of each class's next service
	clock   float64    // virtual time of the latest
	waiting [2]int     // places by class
	turns   int64
	latency float64     // seconds from leave to answer, smoothed
	timer   *time.Timer // nil: not needed yet
}

// sameTrouble is how soon after one another the refusals of two operations are
// taken to have one cause.
const sameTrouble = 2 * time.Second

// classShare is how often a class is served when both wait.
var classShare = [2]float64{ClassInteractive: 9, ClassBatch: 1}

// lane is one operation's way to the upstream. Atlassian limits bursts by
// endpoint (api-facts §4).
type lane struct {
	op    *Operation
	pace  *pace
	lines [2]line
	turn  int64 // of the latest service
}

// ofTenant tells whether what is asked counts for the tenant: the media host and
// its limits are not Confluence's.
func (l *lane) ofTenant() bool { return l.op != opMedia }

// permit is leave for one request, to be settled when it has been answered.
type permit struct {
	lane        *lane
	since       time.Time
	own, tenant pass
	seat        seat
}

func newLimit(next http.RoundTripper, breakers *breakers, meters *limitMeters) *limit {
	return &limit{
		next: next, breakers: breakers, meters: meters,
		lanes: map[*Operation]*lane{}, tenant: newPace(meters.rate("tenant")), window: window{limit: firstUnderWay},
	}
}

func (l *limit) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call := req.Context(), callFrom(req.Context())
	start := time.Now()
	leave, err := l.wait(ctx, call)
	call.waited += time.Since(start)
	l.meters.waited(ctx, time.Since(start), err)
	if err != nil {
		return nil, err
	}
	var end ending // of a panic: nothing learnt
	defer func() { l.settle(leave, end) }()
	resp, err := l.next.RoundTrip(req)
	end = endingOf(ctx, resp, err, leave.since, time.Now())
	return resp, err
}

// wait returns when the request may go, or says why it may not.
func (l *limit) wait(ctx context.Context, call *call) (permit, error) {
	if err := ctx.Err(); err != nil {
		return permit{}, err
	}
	if err := l.breakers.refusal(call.op); err != nil {
		return permit{}, err
	}
	t := &ticket{limit: l, ctx: ctx, front: call.attempt > 0, places: map[Caller]*place{}, done: make(chan struct{})}
	if err := l.admit(t, call.op, callerOf(ctx)); err != nil {
		return permit{}, err
	}
	if company := companyOf(ctx); company != nil {
		company.follow(t)
		defer company.unfollow(t)
	}
	select {
	case <-t.done:
		return t.permit, t.err
	case <-ctx.Done():
		l.abandon(t)
		return permit{}, ctx.Err()
	}
}

// admit lets the ticket wait, unless it is known that it would wait in vain.
func (l *limit) admit(t *ticket, op *Operation, caller Caller) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	t.lane = l.lane(op)
	if !l.roomFor(t.lane, caller) {
		return refuse(CauseRateLimited, reasonQueueFull, max(l.estimate(t.lane, caller, now), time.Second))
	}
	if err := l.checkTime(t, l.estimate(t.lane, caller, now), now); err != nil {
		return err
	}
	t.enter(caller)
	l.dispatch(now)
	return nil
}

func (l *limit) lane(op *Operation) *lane {
	if l.lanes[op] == nil {
		l.lanes[op] = &lane{op: op, pace: newPace(l.meters.rate(op.Name))}
	}
	return l.lanes[op]
}

func (l *limit) roomFor(lane *lane, caller Caller) bool {
	if l.waiting[0]+l.waiting[1] >= mostWaiting || l.waiting[ClassBatch] >= mostWaitingBatch && caller.Class == ClassBatch {
		return false
	}
	a := lane.lines[caller.Class].callers[caller.Name]
	return a == nil || a.places.Len() < mostWaitingCaller
}

func (l *limit) enter(lane *lane, t *ticket, caller Caller) *place {
	if l.waiting[caller.Class] == 0 {
		l.classes[caller.Class] = max(l.classes[caller.Class], l.clock)
	}
	l.waiting[caller.Class]++
	l.meters.waiting(caller.Class, 1)
	return lane.lines[caller.Class].enter(t, caller, t.front)
}

func (l *limit) leave(class Class, p *place) {
	l.waiting[class]--
	l.meters.waiting(class, -1)
	p.line.leave(p)
}

// abandon is for a ticket whose context has ended.
func (l *limit) abandon(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case t.served:
		l.release(t.permit, ending{}, time.Now())
	case t.err == nil:
		t.refuse(t.ctx.Err())
		l.dispatch(time.Now())
	}
}

// settle learns from how a request ended, and lets the next ones go.
func (l *limit) settle(leave permit, end ending) {
	var broken error
	if end.failed {
		broken = l.breakers.refusal(leave.lane.op)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if broken != nil { // nobody waits for what is known to fail
		leave.lane.each(func(t *ticket) { t.refuse(broken) })
	}
	l.release(leave, end, now)
}

// othersRefused tells whether another operation was refused not long ago.
func (l *limit) othersRefused(lane *lane, now time.Time) bool {
	for _, other := range l.lanes {
		if other != lane && other.ofTenant() && now.Sub(other.pace.closedAt) < sameTrouble {
			return true
		}
	}
	return false
}

func (l *limit) release(leave permit, end ending, now time.Time) {
	lane := leave.lane
	own, tenant := lane.pace.epoch, l.tenant.epoch
	// Bursts are limited by endpoint, so a refusal without a reason is the
	// operation's, until another one is refused as well.
	end.ofTenant = lane.ofTenant() && end.refused && (end.ofTenant || end.noReason && l.othersRefused(lane, now))
	lane.pace.settle(now, leave.own, end.forOperation())
	if lane.ofTenant() {
		l.tenant.settle(now, leave.tenant, end.forTenant())
		l.window.settle(leave.seat, end)
		l.meters.underWay(-1)
		l.meters.concurrency(l.window.limit)
		if end.answered {
			l.smooth(now.Sub(leave.since))
		}
	}
	for _, other := range l.lanes { // a pause may be more than some can wait
		if other == lane && own != lane.pace.epoch || other.ofTenant() && tenant != l.tenant.epoch {
			l.refuseHopeless(other, now)
		}
	}
	l.dispatch(now)
}

func (l *lane) each(f func(*ticket)) {
	for i := range l.lines {
		l.lines[i].each(func(t *ticket) {
			if !t.over() {
				f(t)
			}
		})
	}
}
