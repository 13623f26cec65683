package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestStormIsServedAtTheUpstreamsRateAndFairly(t *testing.T) {
	t.Parallel()
	site := stormSite()
	for _, s := range []storm{
		{site: site, rate: 50, headers: true},
		{site: site, rate: 50, headers: false, phase: 370 * time.Millisecond}, // seconds of the upstream's own
	} {
		t.Run(fmt.Sprintf("headers %v", s.headers), func(t *testing.T) {
			t.Parallel()
			s.length = 30 * time.Second
			without := runStorm(t, s)
			s.length, s.batch = time.Minute, true
			with := runStorm(t, s)
			t.Logf("offered %d, sent %d, goodput %.1f %% of the limit, 429s %.1f %%, fairness %.3f, p99 %v (%v without the batch)",
				with.offered, with.sent, percent(with.goodput, 50), percent(float64(with.limited), float64(with.sent)), with.fairness, with.patience, without.patience)
			if with.goodput < 0.95*50 {
				t.Errorf("goodput = %.1f/s, want 95 %% of 50/s", with.goodput)
			}
			if with.limited*100 > 2*with.sent {
				t.Errorf("%d of %d requests were answered 429, want 2 %% at most", with.limited, with.sent)
			}
			if with.fairness < 0.95 {
				t.Errorf("fairness = %.3f, want 0.95", with.fairness)
			}
			if more := with.patience - without.patience; more > 3*time.Second/50 {
				t.Errorf("the indexer costs the person %v, want %v at most", more, 3*time.Second/50)
			}
		})
	}
}

func runStorm(t *testing.T, s storm) (result stormResult) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if result, err = s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if result.unexpected != nil {
			t.Error(result.unexpected)
		}
	})
	return result
}
