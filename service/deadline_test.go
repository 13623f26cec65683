package service

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func TestUnaryCallWithoutDeadlineEndsAfterTwoMinutes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		b.sim.AddFault(confluencetest.Fault{Delay: time.Hour})
		start := time.Now()
		_, err := b.GetPage(t.Context(), byID("1001"))
		failedAs(t, err, codes.DeadlineExceeded, "DEADLINE_EXCEEDED")
		if took := time.Since(start); took != maxUnaryTime || !strings.Contains(err.Error(), "set no deadline") {
			t.Errorf("%v after %v, want the broker's own limit", err, took)
		}
	})
}
