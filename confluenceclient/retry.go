package confluenceclient

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	maxAttempts = 5
	// maxSleep bounds what the client itself sleeps between two attempts. A
	// longer wait is the caller's to make: it gets the time and an answer.
	maxSleep = 30 * time.Second
	// maxRetryAfter bounds what callers are told: upstream headers have held
	// numbers that overflow (atlassian-python-api#1593).
	maxRetryAfter = 15 * time.Minute
)

// retry repeats what may succeed later: rate limits, server faults, broken
// connections, and refusals that the edge makes up under load. Everything is a
// GET, so repeating is safe.
type retry struct{ next http.RoundTripper }

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call := req.Context(), callFrom(req.Context())
	delays := newDelays()
	edgeRefused, renewed := false, false
	for {
		call.attempt++
		resp, err := r.next.RoundTrip(req)
		again := err != nil && isTransient(ctx, err)
		if err == nil {
			again = isTransientStatus(resp.StatusCode)
			if isEdgeRefusal(resp) && !edgeRefused {
				edgeRefused, again = true, true
			}
			if call.tokenStale && !renewed {
				renewed, again, call.tokenStale = true, true, false
			}
		}
		wait := delays.NextBackOff()
		var ours *Error
		if errors.As(err, &ours) {
			wait = max(wait, ours.RetryAfter)
		}
		if err == nil {
			if told, ok := retryAfter(resp.Header, time.Now()); ok {
				// At least what was told, never less than the backoff, and not all
				// callers at the same instant.
				wait = max(wait, told+rand.N(told/20+1))
			}
		}
		// Never sleep past the caller's deadline: it is better off with an
		// answer now that says how long to wait.
		if !again || call.attempt >= maxAttempts || wait > maxSleep || !fits(ctx, wait) {
			return resp, err
		}
		if err == nil {
			closeBody(resp)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		call.waited = wait
		req = call.smaller(req, resp, err)
	}
}

// newDelays grows from a quarter of a second, half of it at random, so that
// many callers that failed together do not come back together.
func newDelays() *backoff.ExponentialBackOff {
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval = 250 * time.Millisecond
	delays.Multiplier = 2
	delays.MaxInterval = 10 * time.Second
	return delays
}

func isTransient(ctx context.Context, err error) bool {
	// An *Error comes from a layer of ours: a decision, not a fault, except when
	// the server that hands out access tokens has one.
	return ctx.Err() == nil && (CauseOf(err) == "" || CauseOf(err) == CauseUnavailable)
}

func isTransientStatus(status int) bool {
	return status == http.StatusTooManyRequests ||
		(status >= 500 && status != http.StatusNotImplemented)
}

// isEdgeRefusal recognises refusals that the content delivery network makes up
// under load on routes that worked a moment ago (api-facts §1b).
func isEdgeRefusal(resp *http.Response) bool {
	return (resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusNotFound) &&
		strings.EqualFold(resp.Header.Get("X-Cache"), "Error from cloudfront")
}

// retryAfter reads how long the upstream wants us to wait: Retry-After in
// seconds or as a date (RFC 9110 §10.2.3), else X-RateLimit-Reset, an ISO 8601
// instant. Nonsense counts as absent.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 {
			return 0, false
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return untilInstant(at, now), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, header.Get("X-RateLimit-Reset")); err == nil {
			return untilInstant(at, now), true
		}
	}
	return 0, false
}

func untilInstant(at, now time.Time) time.Duration {
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

func fits(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
