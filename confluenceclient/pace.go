package confluenceclient

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"
)

const (
	// caution is how much of what the upstream took is asked of it from then on:
	// its seconds are not ours, and what is sent evenly arrives less so.
	caution = 0.98
	// fewest is the least that a first refusal is taken to allow, in requests a
	// second: of what was hardly asked for, it is no measure.
	fewest = 5.0
	// slowest is the least that any number of refusals leaves.
	slowest = 0.5
	// growth is by how much a rate that held is raised in a second of demand.
	growth = 1.02

	failuresInABlip = 5
	longestBlip     = 500 * time.Millisecond

	firstHold   = time.Minute      // how long a rate is kept before more is tried
	longestHold = 16 * time.Minute // the same, after trying was refused again and again
	// silence is how long nothing must be refused for a rate to be forgotten.
	silence = 15 * time.Minute
)

// pace is how fast one kind of request may go: as fast as it can until the
// upstream refuses for the first time, and from then on about as fast as it was
// seen to allow. Atlassian tells nobody its burst limits (api-facts §4). It is
// guarded by the lock of its owner.
type pace struct {
	bucket *rate.Limiter
	passed passes
	delays *backoff.ExponentialBackOff // of pauses that nobody told the length of

	pausedUntil time.Time
	epoch       int  // counts pauses: what was sent before the latest tells nothing new
	trial       bool // a pause is over or under way, and the next request shows what it led to
	trying      bool // that request is under way

	refusedAfter time.Time // when the request was sent that led to the pause; zero: nothing to learn from it

	failures  int     // in a row
	told      float64 // limit that the upstream's headers name; 0: none
	toldAt    time.Time
	good      float64 // rate that held before more was tried
	hold      time.Duration
	heldUntil time.Time
	grownAt   time.Time
	refusedAt time.Time // or told that there is a limit
	closedAt  time.Time // refused

	report func(limit float64) // is called with every new rate; 0: none is known
}

func newPace(report func(float64)) *pace {
	return &pace{bucket: rate.NewLimiter(rate.Inf, 1), delays: newDelays(), hold: firstHold, report: report}
}

// pass is leave for one request.
type pass struct {
	epoch int
	trial bool
	sent  time.Time
}

// readyAt is when the next request may go. ok is false while that depends on how
// the one under way ends.
func (p *pace) readyAt(now time.Time) (at time.Time, ok bool) {
	if p.trying {
		return time.Time{}, false
	}
	if now.Before(p.pausedUntil) {
		now = p.pausedUntil
	}
	if missing := 1 - p.bucket.TokensAt(now); missing > 0 {
		// A little more than is missing: rounding must not wake us too early.
		now = now.Add(time.Duration(math.Ceil(missing/float64(p.bucket.Limit())*float64(time.Second))) + time.Microsecond)
	}
	return now, true
}

func (p *pace) ready(now time.Time) bool {
	at, ok := p.readyAt(now)
	return ok && !at.After(now)
}

// take lets one request go. wanted says that others wait, so that more would be
// put to use.
func (p *pace) take(now time.Time, wanted bool) pass {
	p.adapt(now, wanted)
	p.bucket.AllowN(now, 1)
	p.trying = p.trial
	return pass{epoch: p.epoch, trial: p.trial, sent: now}
}

// adapt forgets a rate after long silence, and tries more of one that held.
func (p *pace) adapt(now time.Time, wanted bool) {
	limit := p.limit()
	switch {
	case math.IsInf(limit, 1):
	case now.Sub(p.refusedAt) > silence:
		p.set(now, math.Inf(1))
		p.good, p.told, p.hold = 0, 0, firstHold
	case wanted && now.After(p.heldUntil):
		since := min(now.Sub(p.grownAt), time.Second) // not for time in which nobody asked
		grown := limit * math.Pow(growth, since.Seconds())
		if p.told > 0 {
			grown = min(grown, max(limit, caution*p.told))
		}
		p.good = max(p.good, grown*0.95) // what has held for two seconds or three
		p.set(now, grown)
		p.grownAt = now
	default:
		p.grownAt = now
	}
}

func (p *pace) limit() float64 {
	if p.bucket.Limit() == rate.Inf {
		return math.Inf(1)
	}
	return float64(p.bucket.Limit())
}

// set changes the rate. Requests go evenly, in handfuls of 20 milliseconds at
// most: bursts at the edges of the upstream's seconds would be refused.
func (p *pace) set(now time.Time, limit float64) {
	if math.IsInf(limit, 1) {
		p.bucket.SetLimitAt(now, rate.Inf)
		p.report(0)
		return
	}
	limit = max(limit, slowest)
	p.bucket.SetLimitAt(now, rate.Limit(limit))
	p.bucket.SetBurstAt(now, max(1, int(limit/50)))
	p.report(limit)
}

// settle notes how a request ended.
func (p *pace) settle(now time.Time, leave pass, end ending) {
	if leave.trial && leave.epoch == p.epoch {
		p.trying = false
	}
	switch {
	case end.refused:
		p.failures = 0
		p.refuse(now, leave, end)
	case end.failed:
		p.fail(now, leave)
	case end.answered:
		p.failures = 0
		if leave.epoch == p.epoch && p.trial {
			p.trial = false
			p.delays.Reset()
			p.lower(now)
		}
		p.passed.add(leave.sent)
	}
	if end.perSecond > 0 {
		p.heed(now, end.perSecond)
	}
}

// heed keeps to a limit that the upstream tells.
func (p *pace) heed(now time.Time, limit float64) {
	p.refusedAt = now // as long as a limit is told, there is one
	if limit != p.told {
		p.told, p.toldAt, p.good = limit, now, caution*limit
		p.set(now, p.good)
	}
}

// fail waits a moment when several in a row failed: the connection may have
// broken with all that it carried. Then one shows whether it is back; what stays
// away is for the breaker.
func (p *pace) fail(now time.Time, leave pass) {
	if leave.epoch != p.epoch {
		return
	}
	if p.failures++; p.failures >= failuresInABlip || leave.trial {
		p.pause(now, min(p.delays.NextBackOff(), longestBlip))
	}
}

// refuse pauses. Of several requests under way when the upstream closed, the
// first tells all; the others may still tell of a longer wait.
func (p *pace) refuse(now time.Time, leave pass, end ending) {
	until := now.Add(end.retryAfter + jitter(end.retryAfter))
	if leave.epoch != p.epoch {
		if until.After(p.pausedUntil) && end.retryAfter > 0 {
			p.pausedUntil = until
		}
		return
	}
	// The first after a pause came too early, and not too fast.
	if !leave.trial {
		p.refusedAfter = leave.sent
	}
	p.refusedAt, p.closedAt = now, now
	p.pause(now, max(until.Sub(now), p.delays.NextBackOff()))
}

func (p *pace) pause(now time.Time, d time.Duration) {
	p.epoch++
	p.pausedUntil = now.Add(d)
	p.trial, p.trying = true, false
}

// lower finds the rate that the upstream allows, from what it let pass of the
// requests in the second before the one that it refused. A refusal comes sooner
// than the answers to those before it, so they are counted when the pause is over.
func (p *pace) lower(now time.Time) {
	at := p.refusedAfter
	if at.IsZero() {
		return
	}
	p.refusedAfter = time.Time{}
	passed, limit := float64(p.passed.inSecondBefore(at)), p.limit()
	seen := caution * passed
	switch {
	case passed > 1.1*limit+1, at.Sub(p.toldAt) < time.Second:
		return // of what was sent before the rate was kept to
	case !math.IsInf(limit, 1) && p.good > 0 && limit > p.good: // more was tried
		limit = max(p.good, limit*0.95)
		p.hold = min(2*p.hold, longestHold)
	case !math.IsInf(limit, 1):
		limit = min(max(seen, limit/2), limit*0.95)
	case seen == 0:
		return // closed from the start: that tells nothing of a rate
	default:
		limit = max(seen, fewest)
	}
	p.set(now, limit)
	p.good = p.limit()
	p.heldUntil = now.Add(p.hold)
}

// jitter is for many who were told the same wait.
func jitter(d time.Duration) time.Duration { return randomUpTo(d / 20) }
