package confluenceclient

import (
	"context"
	"errors"
	"math"
	"net"
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
	end = endingOf(ctx, resp, err, time.Now())
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

// checkTime refuses what would wait longer than it can, or than anybody should
// without being told.
func (l *limit) checkTime(t *ticket, wait time.Duration, now time.Time) error {
	deadline, ok := t.ctx.Deadline()
	late := ok && wait > 0 && !deadline.After(now.Add(wait+l.usualTime()))
	switch {
	case l.pausedUntil(t.lane).Sub(now) > maxSleep:
		return refuse(CauseRateLimited, reasonPaused, wait)
	case late && t.lane.pace.failures > 0 && now.Before(t.lane.pace.pausedUntil):
		return refuse(CauseUnavailable, reasonBroken, wait)
	case late:
		return refuse(CauseRateLimited, reasonDeadline, wait)
	}
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

// dispatch lets go whatever may go, and sees to it that time does the rest.
func (l *limit) dispatch(now time.Time) {
	for {
		lane, class, ok := l.choose(now)
		if !ok {
			break
		}
		next := lane.lines[class].next()
		if t := next.ticket; l.comesTooLate(t, now) {
			t.refuse(refuse(CauseRateLimited, reasonDeadline, max(l.estimate(lane, Caller{Name: next.account.name, Class: class}, now), time.Second)))
			continue
		}
		l.serve(next, class, now)
	}
	l.wakeUp(now)
}

// choose finds who goes next: the class that is due, of its operations that may
// go the one that waited longest for its turn.
func (l *limit) choose(now time.Time) (chosen *lane, class Class, ok bool) {
	classes := [2]Class{ClassInteractive, ClassBatch}
	if l.classes[ClassBatch] < l.classes[ClassInteractive] {
		classes = [2]Class{ClassBatch, ClassInteractive}
	}
	for _, class := range classes {
		if l.waiting[class] == 0 {
			continue
		}
		for _, lane := range l.lanes {
			if lane.lines[class].places > 0 && (chosen == nil || lane.turn < chosen.turn) && l.ready(lane, now) {
				chosen = lane
			}
		}
		if chosen != nil {
			return chosen, class, true
		}
	}
	return nil, 0, false
}

func (l *limit) ready(lane *lane, now time.Time) bool {
	return lane.pace.ready(now) && (!lane.ofTenant() || l.window.free() && l.tenant.ready(now))
}

// comesTooLate tells whether the answer would most likely find nobody.
func (l *limit) comesTooLate(t *ticket, now time.Time) bool {
	deadline, ok := t.ctx.Deadline()
	return ok && deadline.Sub(now) < l.usualTime()
}

// usualTime is what a request takes, with something to spare.
func (l *limit) usualTime() time.Duration {
	return time.Duration(1.5 * l.latency * float64(time.Second))
}

func (l *limit) serve(p *place, class Class, now time.Time) {
	lane := p.ticket.lane
	p.line.charge(p)
	l.clock = max(l.clock, l.classes[class])
	l.classes[class] = l.clock + 1/classShare[class]
	l.turns++
	lane.turn = l.turns
	leave := permit{lane: lane, since: now}
	leave.own = lane.pace.take(now, lane.lines[0].places+lane.lines[1].places > len(p.ticket.places))
	if lane.ofTenant() {
		leave.tenant = l.tenant.take(now, l.waiting[0]+l.waiting[1] > len(p.ticket.places))
		leave.seat = l.window.take()
		l.meters.underWay(1)
	}
	p.ticket.serve(leave)
}

// wakeUp sets the timer to when the next one may go for all that is known now.
func (l *limit) wakeUp(now time.Time) {
	var at time.Time
	for _, lane := range l.lanes {
		if lane.lines[0].places+lane.lines[1].places == 0 {
			continue
		}
		ready, ok := lane.pace.readyAt(now)
		if lane.ofTenant() && ok {
			var tenant time.Time
			tenant, ok = l.tenant.readyAt(now)
			if tenant.After(ready) {
				ready = tenant
			}
			ok = ok && l.window.free() // else whatever ends will see to it
		}
		if ok && (at.IsZero() || ready.Before(at)) {
			at = ready
		}
	}
	switch {
	case at.IsZero() && l.timer != nil:
		l.timer.Stop()
	case at.IsZero():
	case l.timer == nil:
		l.timer = time.AfterFunc(at.Sub(now), l.tick)
	default:
		l.timer.Reset(at.Sub(now))
	}
}

func (l *limit) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dispatch(time.Now())
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

func (l *limit) release(leave permit, end ending, now time.Time) {
	lane := leave.lane
	own, tenant := lane.pace.epoch, l.tenant.epoch
	lane.pace.settle(now, leave.own, end.forOperation(lane.ofTenant()))
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

func (l *limit) refuseHopeless(lane *lane, now time.Time) {
	wait := l.pausedUntil(lane).Sub(now)
	lane.each(func(t *ticket) {
		if err := l.checkTime(t, wait, now); err != nil {
			t.refuse(err)
		}
	})
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

func (l *limit) pausedUntil(lane *lane) time.Time {
	if lane.ofTenant() && l.tenant.pausedUntil.After(lane.pace.pausedUntil) {
		return l.tenant.pausedUntil
	}
	return lane.pace.pausedUntil
}

func (l *limit) smooth(took time.Duration) {
	const share = 0.1
	if l.latency == 0 {
		l.latency = took.Seconds()
	}
	l.latency += share * (took.Seconds() - l.latency)
}

// estimate is about how long a new call of caller would wait; what is not known
// is left out.
func (l *limit) estimate(lane *lane, caller Caller, now time.Time) time.Duration {
	wait := max(0, l.pausedUntil(lane).Sub(now)).Seconds()
	ahead := lane.lines[caller.Class].ahead(caller)
	if other := lane.lines[1-caller.Class].places; other > 0 {
		ahead = math.Min(ahead+float64(other), ahead*(classShare[0]+classShare[1])/classShare[caller.Class])
	}
	seconds := ahead / lane.pace.limit()
	if lane.ofTenant() {
		busy := 0
		for _, other := range l.lanes {
			if other != lane && other.ofTenant() && other.lines[0].places+other.lines[1].places > 0 {
				busy++
			}
		}
		all := math.Min(float64(l.waiting[0]+l.waiting[1]), ahead*float64(1+busy))
		seconds = max(seconds, all/l.tenant.limit())
		if !l.window.free() {
			seconds = max(seconds, all*l.latency/l.window.limit)
		}
	}
	return time.Duration(min(wait+seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// ending is what a request's end says of the upstream.
type ending struct {
	answered   bool // it was let in
	refused    bool // 429
	burst      bool // the 429 is about the operation's burst alone
	failed     bool // connection failure, or 5xx except 501
	overload   bool // more at a time is too much
	retryAfter time.Duration
	perSecond  float64
}

func endingOf(ctx context.Context, resp *http.Response, err error, now time.Time) ending {
	if err != nil {
		// An *Error is no connection's: it comes from a layer of ours, which sent
		// nothing.
		broken := ctx.Err() == nil && CauseOf(err) == ""
		return ending{failed: broken, overload: broken && isBrokenConnection(err)}
	}
	status := resp.StatusCode
	end := ending{perSecond: perSecondLimit(resp.Header, now)}
	end.refused = status == http.StatusTooManyRequests
	end.failed = isTransientStatus(status) && !end.refused
	end.answered = !end.refused && !end.failed
	end.overload = end.refused || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
	if end.refused {
		end.burst = isBurst(resp.Header)
		end.retryAfter, _ = retryAfter(resp.Header, now)
	}
	return end
}

func (e ending) forOperation(ofTenant bool) ending {
	e.refused = e.refused && (e.burst || !ofTenant)
	return e
}

func (e ending) forTenant() ending {
	e.refused = e.refused && !e.burst
	e.failed, e.perSecond = false, 0 // of one operation, until others say so too
	return e
}

// isBrokenConnection leaves out what never became one: that says nothing of load.
func isBrokenConnection(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}
