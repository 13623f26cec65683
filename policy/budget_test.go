package policy

import (
	"testing"
	"testing/synctest"
	"time"
)

func budgeted(name string, budget Budget) *Caller {
	c := newCaller(name, place{})
	c.Budget = budget
	return c
}

// taken counts the calls that c gets at once.
func taken(b *Budgets, c *Caller) (calls int, wait time.Duration) {
	for {
		wait, ok := b.Take(c)
		if !ok || calls == 1000 {
			return calls, wait
		}
		calls++
	}
}

func TestABudgetGivesItsBurstAndThenItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Budgets
		c := budgeted("a", Budget{Rate: 2, Burst: 3})
		for i, want := range []int{3, 2, 2} {
			calls, wait := taken(&b, c)
			if calls != want || wait != 500*time.Millisecond {
				t.Errorf("in second %d the caller gets %d calls and then has to wait %s, want %d and 500ms", i, calls, wait, want)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestARefusedCallCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Budgets
		c := budgeted("a", Budget{Rate: 1, Burst: 1})
		taken(&b, c)
		for range 50 {
			taken(&b, c)
		}
		wait, _ := b.Take(c)
		time.Sleep(wait)
		if _, ok := b.Take(c); !ok {
			t.Errorf("the call is refused after the wait of %s that was told", wait)
		}
	})
}

func TestNobodyGetsAFreshBudgetByANewPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Budgets
		taken(&b, budgeted("a", Budget{Rate: 1, Burst: 5}))
		for _, budget := range []Budget{{Rate: 1, Burst: 5}, {Rate: 2, Burst: 50}, {Rate: 1, Burst: 5}} {
			if calls, _ := taken(&b, budgeted("a", budget)); calls != 0 {
				t.Errorf("the same caller gets %d calls more once its budget is %+v", calls, budget)
			}
		}
		if calls, _ := taken(&b, budgeted("b", Budget{Rate: 1, Burst: 5})); calls != 5 {
			t.Errorf("another caller gets %d calls, want its 5", calls)
		}
		time.Sleep(3 * time.Second)
		if calls, _ := taken(&b, budgeted("a", Budget{Rate: 2, Burst: 50})); calls != 3 {
			t.Errorf("after three seconds at one call a second the caller gets %d", calls)
		}
	})
}

func TestWithoutARateNothingIsCounted(t *testing.T) {
	t.Parallel()
	var b Budgets
	if calls, _ := taken(&b, budgeted("a", Budget{})); calls != 1000 {
		t.Errorf("a caller without a budget gets %d calls, want all 1000", calls)
	}
	if calls, _ := taken(&b, budgeted("a", Budget{Rate: 1, Burst: 2})); calls != 2 {
		t.Errorf("with a budget from now on it gets %d calls, want 2", calls)
	}
}

func TestStreamsAreCountedWhileTheyAreOpen(t *testing.T) {
	t.Parallel()
	var b Budgets
	c := budgeted("a", Budget{Streams: 2})
	first, ok1 := b.OpenStream(c)
	_, ok2 := b.OpenStream(c)
	if _, ok3 := b.OpenStream(c); !ok1 || !ok2 || ok3 {
		t.Fatalf("of three streams open are %t %t %t, want the first two", ok1, ok2, ok3)
	}
	if _, ok := b.OpenStream(budgeted("b", Budget{Streams: 2})); !ok {
		t.Error("another caller gets no stream")
	}
	// The count goes on in a new policy, whatever its numbers.
	if _, ok := b.OpenStream(budgeted("a", Budget{Streams: 1})); ok {
		t.Error("a new policy forgets the streams that are open")
	}
	first()
	first() // done twice ends no other's
	_, ok1 = b.OpenStream(c)
	if _, ok2 = b.OpenStream(c); !ok1 || ok2 {
		t.Errorf("after one of two has ended, two more are open %t %t, want one", ok1, ok2)
	}
}
