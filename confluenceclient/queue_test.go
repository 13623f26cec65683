package confluenceclient

import (
	"fmt"
	"math"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
)

func noMeters(t testing.TB) *limitMeters {
	t.Helper()
	meters, err := newLimitMeters(metricnoop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	return meters
}

func TestCallersAreServedByWeight(t *testing.T) {
	t.Parallel()
	var l line
	weights := map[string]int{"a": 1, "b": 2, "c": 7, "d": 0} // 0 counts as 1
	for name, weight := range weights {
		for range 1000 {
			l.enter(&ticket{}, Caller{Name: name, Weight: weight}, false)
		}
	}
	served := map[string]int{}
	for range 1100 {
		p := l.next()
		l.charge(p)
		served[p.account.name]++
		l.leave(p)
	}
	for name, weight := range weights {
		if want := 100 * max(1, weight); math.Abs(float64(served[name]-want)) > 2 {
			t.Errorf("%s was served %d times of 1100, want %d", name, served[name], want)
		}
	}
}

func TestWhoAsksOneThingAtATimeIsNotAlwaysInFront(t *testing.T) {
	t.Parallel()
	for _, weight := range []int{1, 3} {
		for _, waiting := range []int{1, 100} {
			var l line
			patient, quick := Caller{Name: "patient"}, Caller{Name: "quick", Weight: weight}
			for range waiting {
				l.enter(&ticket{}, patient, false)
			}
			l.enter(&ticket{}, quick, false)
			served := map[string]int{}
			for range 1000 {
				p := l.next()
				l.charge(p)
				if p.account.name == patient.Name { // which always waits
					l.enter(&ticket{}, patient, false)
				}
				l.leave(p)
				if served[p.account.name]++; p.account.name == quick.Name { // comes back at once
					l.enter(&ticket{}, quick, false)
				}
			}
			if want := 1000 * weight / (1 + weight); math.Abs(float64(served[quick.Name]-want)) > 2 {
				t.Errorf("weight %d, %d waiting: served %v, want quick %d times", weight, waiting, served, want)
			}
		}
	}
}

func TestABatchGetsATenthWhilePeopleWait(t *testing.T) {
	t.Parallel()
	l := newLimit(nil, nil, noMeters(t))
	now := time.Now()
	lane := l.lane(opGetPage)
	lane.pace.pause(now, time.Second)
	var people, batch []*ticket
	for range 1000 {
		for class, tickets := range map[Class]*[]*ticket{ClassInteractive: &people, ClassBatch: &batch} {
			tk := &ticket{limit: l, ctx: t.Context(), places: map[Caller]*place{}, done: make(chan struct{})}
			if err := l.admit(tk, opGetPage, Caller{Name: fmt.Sprint(class), Class: class}); err != nil {
				t.Fatal(err)
			}
			*tickets = append(*tickets, tk)
		}
	}
	l.timer.Stop()
	lane.pace = newPace(func(float64) {})
	l.window.limit = 500
	l.dispatch(now)
	count := func(tickets []*ticket) (n int) {
		for _, tk := range tickets {
			if tk.served {
				n++
			}
		}
		return n
	}
	if p, b := count(people), count(batch); p != 450 || b != 50 {
		t.Errorf("people were served %d times and the batch %d, want 450 and 50", p, b)
	}
}

// BenchmarkQueue is a place entered and one served, with many there.
func BenchmarkQueue(b *testing.B) {
	for _, waiting := range []int{100, 10_000} {
		b.Run(fmt.Sprint(waiting, " waiting, of 100 callers"), func(b *testing.B) {
			var l line
			callers := make([]Caller, 100)
			for i := range callers {
				callers[i].Name = fmt.Sprint("caller ", i)
			}
			t := &ticket{}
			for i := range waiting {
				l.enter(t, callers[i%len(callers)], false)
			}
			for i := 0; b.Loop(); i++ {
				l.enter(t, callers[i%len(callers)], false)
				p := l.next()
				l.charge(p)
				l.leave(p)
			}
		})
	}
}
