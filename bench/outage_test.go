package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestOutageIsLeftAloneAndOverSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, err := outage{site: stormSite(), perSecond: 200, length: 30 * time.Second}.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("offered %d, sent %d (%.1f %%), recovered after %v", result.offered, result.sent, percent(float64(result.sent), float64(result.offered)), result.recovery)
		if result.sent*100 > result.offered {
			t.Errorf("%d requests were sent during the outage for %d offered, want 1 %% at most", result.sent, result.offered)
		}
		if result.recovery > 5*time.Second {
			t.Errorf("the last read failed %v after the outage, want 5s at most", result.recovery)
		}
		if result.failed > 0 {
			t.Errorf("%d reads failed before the outage", result.failed)
		}
	})
}
