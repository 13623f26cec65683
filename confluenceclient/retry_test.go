package confluenceclient

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfterIsReadInEveryFormAndNeverOverflows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		header, value string
		want          time.Duration
		ok            bool
	}{
		{"Retry-After", "1", time.Second, true},
		{"Retry-After", "0", 0, true},
		{"Retry-After", " 2.5 ", 2500 * time.Millisecond, true},
		{"Retry-After", "99999999999999", maxRetryAfter, true},
		{"Retry-After", "1e400", 0, false},
		{"Retry-After", "+Inf", maxRetryAfter, true},
		{"Retry-After", "NaN", 0, false},
		{"Retry-After", "-5", 0, false},
		{"Retry-After", "", 0, false},
		{"Retry-After", "soon", 0, false},
		{"Retry-After", "Sun, 01 Mar 2026 12:00:07 GMT", 7 * time.Second, true},
		{"Retry-After", "Sun, 01 Mar 2020 12:00:07 GMT", 0, true},
		{"Retry-After", "Sun, 01 Mar 2099 12:00:07 GMT", maxRetryAfter, true},
		{"X-RateLimit-Reset", "2026-03-01T12:01Z", time.Minute, true},
		{"X-RateLimit-Reset", "2026-03-01T12:00:30Z", 30 * time.Second, true},
		{"X-RateLimit-Reset", "nonsense", 0, false},
	}
	for _, tt := range tests {
		header := http.Header{}
		header.Set(tt.header, tt.value)
		if got, ok := retryAfter(header, now); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q = %v, %v; want %v, %v", tt.header, tt.value, got, ok, tt.want, tt.ok)
		}
	}
}

func TestANonsensicalRetryAfterDoesNotHideWhenTheLimitEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, nonsense := range []string{"-5", "-0.1", "NaN", "-Inf", "1e400", "soon", ""} {
		header := http.Header{"Retry-After": {nonsense}, "X-Ratelimit-Reset": {"2026-03-01T12:00:30Z"}}
		if got, ok := retryAfter(header, now); got != 30*time.Second || !ok {
			t.Errorf("Retry-After %q beside a reset in 30 s = %v, %v", nonsense, got, ok)
		}
	}
	both := http.Header{"Retry-After": {"0"}, "X-Ratelimit-Reset": {"2026-03-01T12:00:30Z"}}
	if got, ok := retryAfter(both, now); got != 0 || !ok {
		t.Errorf("Retry-After 0 beside a reset in 30 s = %v, %v", got, ok)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"1", "-1", "1e9", "NaN", "Sun, 01 Mar 2026 12:00:07 GMT", "9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{"Retry-After": {value}, "X-Ratelimit-Reset": {value}}
		if got, _ := retryAfter(header, time.Now()); got < 0 || got > maxRetryAfter || math.IsNaN(got.Seconds()) {
			t.Errorf("retryAfter(%q) = %v", value, got)
		}
	})
}

// afterFailures answers with failure n times, then with a page.
func afterFailures(n int32, failure func() *http.Response) func(*http.Request) *http.Response {
	var asked atomic.Int32
	return func(*http.Request) *http.Response {
		if asked.Add(1) <= n {
			return failure()
		}
		return reply(200, pageJSONText)
	}
}

func TestWaitsAreSleptWhenTheyFitTheDeadlineAndToldWhenNot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		deadline time.Duration // 0: none
		header   string
		attempts int
		want     Cause
		took     time.Duration // least
		atMost   time.Duration
	}{
		{"one second, deadline in ten", 10 * time.Second, "1", 2, "", time.Second, 2 * time.Second},
		{"one second, deadline in half of one", 500 * time.Millisecond, "1", 1, CauseRateLimited, 0, 0},
		{"an hour", time.Hour * 2, "3600", 1, CauseRateLimited, 0, 0},
		{"for ever", 0, "99999999999999", 1, CauseRateLimited, 0, 0},
		{"no wait at all", 10 * time.Second, "0", 2, "", 100 * time.Millisecond, time.Second},
		{"a date in the past", 10 * time.Second, "Fri, 01 Jan 1999 12:00:07 GMT", 2, "", 100 * time.Millisecond, time.Second},
		{"no header", 10 * time.Second, "", 2, "", 100 * time.Millisecond, time.Second},
		{"a negative number", 10 * time.Second, "-5", 2, "", 100 * time.Millisecond, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				client, u := newTestClient(t, afterFailures(1, func() *http.Response { return reply(429, "", "Retry-After", tt.header) }))
				start := time.Now()
				_, err := client.Page(ctx, "1001", PageOptions{Format: FormatStorage})
				took := time.Since(start)
				if CauseOf(err) != tt.want || len(u.requests) != tt.attempts {
					t.Errorf("%v after %d attempts, want %q after %d", err, len(u.requests), tt.want, tt.attempts)
				}
				if took < tt.took || took > tt.atMost {
					t.Errorf("took %v, want %v to %v", took, tt.took, tt.atMost)
				}
				if e, ok := errors.AsType[*Error](err); ok && (e.RetryAfter <= 0 || e.RetryAfter > maxRetryAfter) {
					t.Errorf("RetryAfter = %v", e.RetryAfter)
				}
			})
		})
	}
}

func TestAttemptsAreBoundedAndCounted(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 502, 503, 504} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(status, "") })
				_, err := client.Page(t.Context(), "1001", PageOptions{})
				e, ok := errors.AsType[*Error](err)
				if !ok || len(u.requests) != maxAttempts || e.Attempts != maxAttempts || e.RetryAfter <= 0 {
					t.Errorf("%d requests, error %+v", len(u.requests), e)
				}
			})
		})
	}
}

func TestARefusalMadeUpByTheEdgeIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404} {
		synctest.Test(t, func(t *testing.T) {
			edge := func() *http.Response { return reply(status, "", "X-Cache", "Error from cloudfront") }
			client, u := newTestClient(t, afterFailures(1, edge))
			if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil || len(u.requests) != 2 {
				t.Errorf("%d once: %v after %d requests", status, err, len(u.requests))
			}
			client, u = newTestClient(t, afterFailures(9, edge))
			if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); CauseOf(err) != CauseUnavailable || len(u.requests) != 2 {
				t.Errorf("%d for ever: %v after %d requests", status, err, len(u.requests))
			}
		})
	}
}

func TestWhoGivesUpIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(503, "", "Retry-After", "20") })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := client.Page(ctx, "1001", PageOptions{})
		if CauseOf(err) != CauseCancelled || time.Since(start) != time.Second || len(u.requests) != 1 {
			t.Errorf("%v after %v and %d requests", err, time.Since(start), len(u.requests))
		}
	})
}
