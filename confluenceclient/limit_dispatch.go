package confluenceclient

import "time"

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
