package confluenceclient

import (
	"math"
	"time"
)

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

func (l *limit) refuseHopeless(lane *lane, now time.Time) {
	wait := l.pausedUntil(lane).Sub(now)
	lane.each(func(t *ticket) {
		if err := l.checkTime(t, wait, now); err != nil {
			t.refuse(err)
		}
	})
}
