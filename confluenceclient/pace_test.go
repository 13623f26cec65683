package confluenceclient

import (
	"math"
	"net/http"
	"testing"
	"time"
)

// drive sends as fast as p allows, for so long, to an upstream that takes limit
// requests in each of its seconds, and returns how many it took and refused.
func drive(p *pace, start time.Time, length time.Duration, limit int) (took, refused int) {
	second, inSecond := int64(-1), 0
	for now := start; now.Before(start.Add(length)); now = now.Add(time.Millisecond) {
		if !p.ready(now) {
			continue
		}
		leave := p.take(now, true)
		if now.Unix() != second {
			second, inSecond = now.Unix(), 0
		}
		if inSecond++; inSecond > limit {
			p.settle(now, leave, ending{refused: true})
			refused++
			continue
		}
		p.settle(now, leave, ending{answered: true})
		took++
	}
	return took, refused
}

var paceStart = time.Unix(1_000_000, 370_000_000)

func TestARateIsLearntFromRefusalsAndKept(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{3, 10, 50, 200} {
		p := newPace(func(float64) {})
		drive(p, paceStart, 20*time.Second, limit)
		if got := p.limit(); got > float64(limit) || got < 0.85*float64(limit) {
			t.Errorf("an upstream of %d/s is asked at %.1f/s", limit, got)
		}
		took, refused := drive(p, paceStart.Add(20*time.Second), 30*time.Second, limit)
		if refused*100 > took || float64(took) < 0.8*30*float64(limit) {
			t.Errorf("an upstream of %d/s took %d and refused %d in half a minute", limit, took, refused)
		}
	}
}

func TestARateFollowsTheUpstreamDownAndUp(t *testing.T) {
	t.Parallel()
	p := newPace(func(float64) {})
	drive(p, paceStart, 20*time.Second, 50)
	drive(p, paceStart.Add(20*time.Second), 20*time.Second, 20)
	if got := p.limit(); got > 20 || got < 14 {
		t.Errorf("after the limit fell to 20/s: %.1f/s", got)
	}
	drive(p, paceStart.Add(40*time.Second), 3*time.Minute, 50)
	if got := p.limit(); got > 50*1.05 || got < 40 {
		t.Errorf("three minutes after the limit rose to 50/s: %.1f/s", got)
	}
	if p.adapt(paceStart.Add(time.Hour), false); !math.IsInf(p.limit(), 1) {
		t.Errorf("after an hour without a refusal: %.1f/s", p.limit())
	}
}

func TestRefusalsOfWhatWasUnderWayLowerARateOnce(t *testing.T) {
	t.Parallel()
	p := newPace(func(float64) {})
	p.set(paceStart, 100)
	p.refusedAt = paceStart
	var passes []pass
	for range 10 {
		passes = append(passes, p.take(paceStart, false))
	}
	for _, leave := range passes {
		p.settle(paceStart, leave, ending{refused: true, retryAfter: time.Second})
	}
	if p.ready(paceStart.Add(time.Second - 1)) {
		t.Error("ready before the pause is over")
	}
	after := paceStart.Add(2 * time.Second)
	first := p.take(after, false)
	if p.ready(after.Add(time.Second)) {
		t.Error("a second one goes before it is known how the first ended")
	}
	p.settle(after, first, ending{refused: true, retryAfter: time.Second})
	if got := p.limit(); got != 100 {
		t.Errorf("the first one after the pause came too early: %.1f/s, want the same as before", got)
	}
	after = after.Add(2 * time.Second)
	p.settle(after, p.take(after, false), ending{answered: true})
	if got := p.limit(); got != 50 {
		t.Errorf("after ten refusals at once: %.1f/s, want it halved once", got)
	}
}

func TestWhatPassesCountsHoweverLateItIsAnswered(t *testing.T) {
	t.Parallel()
	p := newPace(func(float64) {})
	var passed []pass
	for i := range 50 {
		passed = append(passed, p.take(paceStart.Add(time.Duration(i)*time.Millisecond), true))
	}
	refusedAt := paceStart.Add(60 * time.Millisecond)
	p.settle(refusedAt, p.take(refusedAt, true), ending{refused: true, retryAfter: time.Second})
	for _, leave := range passed {
		p.settle(leave.sent.Add(300*time.Millisecond), leave, ending{answered: true})
	}
	after := refusedAt.Add(2 * time.Second)
	p.settle(after, p.take(after, true), ending{answered: true})
	if got := p.limit(); got != caution*50 {
		t.Errorf("limit = %.1f/s, want that of all 50 that passed", got)
	}
}

func TestALimitBySecondIsKeptFromTheFirstAnswerOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)
	tests := []struct {
		name  string
		limit string
		reset string
		date  string
		want  float64
	}{
		{"this second", "50", "2026-03-01T12:00:01Z", "", 50},
		{"the next", "50", "2026-03-01T12:00:02Z", "", 50},
		{"an hour", "65000", "2026-03-01T13:00Z", "", 0},
		{"a minute", "50", "2026-03-01T12:01Z", "", 0},
		{"long ago", "50", "2026-03-01T11:00:00Z", "", 0},
		{"by the upstream's clock", "50", "2026-03-01T13:00:01Z", "Sun, 01 Mar 2026 13:00:00 GMT", 50},
		{"not by the upstream's clock", "50", "2026-03-01T12:00:01Z", "Sun, 01 Mar 2026 11:00:00 GMT", 0},
		{"no reset", "50", "", "", 0},
		{"nonsense", "many", "2026-03-01T12:00:01Z", "", 0},
		{"nothing", "0", "2026-03-01T12:00:01Z", "", 0},
		{"negative", "-1", "2026-03-01T12:00:01Z", "", 0},
		{"not a number", "NaN", "2026-03-01T12:00:01Z", "", 0},
		{"endless", "Inf", "2026-03-01T12:00:01Z", "", 0},
	}
	for _, tt := range tests {
		header := http.Header{}
		header.Set("X-RateLimit-Limit", tt.limit)
		header.Set("X-RateLimit-Reset", tt.reset)
		header.Set("Date", tt.date)
		if got := perSecondLimit(header, now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	p := newPace(func(float64) {})
	p.settle(now, p.take(now, false), ending{answered: true, perSecond: 50})
	if got := p.limit(); got != 49 {
		t.Errorf("limit = %v, want 49", got)
	}
}
