package confluenceclient

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lookups is a gathering and what it was made to look up. Each look-up takes a
// second, the first one a minute.
type lookups struct {
	gathering *gathering[bool]
	asked     [][]string // one look-up runs at a time
}

func (l *lookups) ask(ctx context.Context, ids ...string) error {
	found, err := l.gathering.ask(ctx, opListPages, ids, func(ctx context.Context, ids []string) (map[string]bool, error) {
		takes := time.Second
		if len(l.asked) == 0 {
			takes = time.Minute
		}
		l.asked = append(l.asked, ids)
		found := map[string]bool{}
		for _, id := range ids {
			found[id] = true
		}
		return found, sleep(ctx, takes)
	})
	for _, id := range ids {
		if err == nil && !found[id] {
			return fmt.Errorf("%s was not looked up", id)
		}
	}
	return err
}

func TestWhatNobodyWaitsForIsNotLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lookups{gathering: newGathering[bool](250)}
		var done sync.WaitGroup
		ask := func(ctx context.Context, left bool, ids ...string) {
			done.Go(func() {
				if err := l.ask(ctx, ids...); (err != nil) != left {
					t.Errorf("%v: %v", ids, err)
				}
			})
			synctest.Wait()
		}
		ask(t.Context(), false, "first")
		for i := range 1000 { // all who wait leave, again and again
			ctx, leave := context.WithTimeout(t.Context(), 10*time.Millisecond)
			ask(ctx, true, fmt.Sprint(i))
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			leave()
		}
		if kept := l.gathering.next; kept != nil && len(kept.ids) != 0 {
			t.Errorf("%d ids are kept that nobody waits for", len(kept.ids))
		}
		impatient, leave := context.WithCancel(t.Context())
		ask(impatient, true, "a", "b") // one of two leaves
		ask(t.Context(), false, "b", "c")
		leave()
		done.Wait()
		if diff := cmp.Diff([][]string{{"first"}, {"b", "c"}}, l.asked); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALookupHoldsWhatOneRequestCan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lookups{gathering: newGathering[bool](3)}
		var done sync.WaitGroup
		for _, ids := range [][]string{{"first"}, {"1", "2"}, {"2", "3"}, {"1", "3"}, {"3", "4"}, {"5"}} {
			done.Go(func() {
				if err := l.ask(t.Context(), ids...); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		done.Wait()
		if diff := cmp.Diff([][]string{{"first"}, {"1", "2", "3"}, {"3", "4", "5"}}, l.asked); diff != "" {
			t.Error(diff)
		}
		if !slices.IsSorted(l.asked[1]) || l.gathering.next != nil {
			t.Errorf("%v, next %v", l.asked[1], l.gathering.next)
		}
	})
}
