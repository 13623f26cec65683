package confluenceclient

import (
	"context"
	"errors"
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
//
// What was refused for its rate goes back to the layer within at once, which
// keeps it until the upstream's pause is over; all else waits here, and draws on
// a budget. What the layers within refuse to send is not asked for again.
type retry struct {
	next   *limit
	budget retryBudget
	meters *limitMeters
}

// The reasons for a retry, as metrics have them.
const (
	retryRateLimited = "rate_limited"
	retryServerFault = "server_fault"
	retryConnection  = "connection"
	retryEdge        = "edge_refusal"
	retryToken       = "token_expired"
	retryCutOff      = "body_cut_off"
)

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call := req.Context(), callFrom(req.Context())
	r.budget.read()
	delays := newDelays()
	var last *http.Response // the latest answer
	tried := map[string]bool{}
	for {
		resp, err := r.next.RoundTrip(req)
		if err != nil {
			err = afterAnswer(err, last)
		}
		reason := reasonToRepeat(ctx, call, resp, err)
		if reason == "" {
			return resp, err
		}
		wait := waitOf(resp, err)
		if reason != retryRateLimited {
			wait = max(wait, delays.NextBackOff())
		}
		once := reason == retryEdge || reason == retryToken
		if once && tried[reason] || !r.allowed(ctx, call, reason, wait) {
			return resp, err
		}
		tried[reason], call.tokenStale = true, false
		if err == nil {
			last = resp
			closeBody(resp)
		}
		if reason == retryRateLimited {
			continue // the layer within knows better how long to wait
		}
		if err := r.pause(ctx, call, wait); err != nil {
			return nil, err
		}
		req = call.smaller(req, resp, err)
	}
}

// allowed tells whether a request may be sent again after wait, and counts that.
// A sleep never lasts past the caller's deadline: it is better off with an answer
// now that says how long to wait.
func (r *retry) allowed(ctx context.Context, call *call, reason string, wait time.Duration) bool {
	if call.attempt >= maxAttempts || wait > maxSleep || !fits(ctx, wait) {
		return false
	}
	if reason != retryRateLimited && !r.budget.take() {
		return false
	}
	r.meters.retry(ctx, reason)
	return true
}

func (r *retry) pause(ctx context.Context, call *call, wait time.Duration) error {
	call.waited += wait
	return sleep(ctx, wait)
}

// mayReadAgain waits a moment, and tells whether an answer that broke off may be
// asked for once more.
func (r *retry) mayReadAgain(ctx context.Context, call *call) bool {
	wait := newDelays().NextBackOff()
	return r.allowed(ctx, call, retryCutOff, wait) && r.pause(ctx, call, wait) == nil
}

// reasonToRepeat is empty where the same request would fail again, or succeeded.
func reasonToRepeat(ctx context.Context, call *call, resp *http.Response, err error) string {
	switch {
	case err != nil && isTransient(ctx, err) && !isRefusal(err):
		return retryConnection
	case err != nil:
		return ""
	case call.tokenStale:
		return retryToken
	case resp.StatusCode == http.StatusTooManyRequests:
		return retryRateLimited
	case isTransientStatus(resp.StatusCode):
		return retryServerFault
	case isEdgeRefusal(resp):
		return retryEdge
	}
	return ""
}

// waitOf is what was told: at least that, and not all callers at the same instant.
func waitOf(resp *http.Response, err error) time.Duration {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.RetryAfter
	}
	if err != nil {
		return 0
	}
	told, _ := retryAfter(resp.Header, time.Now())
	return told + randomUpTo(told/20)
}

// afterAnswer notes on a refusal of ours what the upstream itself said before.
func afterAnswer(err error, last *http.Response) error {
	var r *refusal
	if last != nil && errors.As(err, &r) {
		told := *r.err
		told.StatusCode, told.RequestID = last.StatusCode, requestID(last.Header)
		return &refusal{reason: r.reason, err: &told}
	}
	return err
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
// instant. Nonsense counts as absent, and does not hide the other header.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 { // which NaN is not
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return untilInstant(at, now), true
	}
	if at, ok := parseInstant(header.Get("X-RateLimit-Reset")); ok {
		return untilInstant(at, now), true
	}
	return 0, false
}

// parseInstant reads ISO 8601 with seconds or without: both were seen.
func parseInstant(value string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, strings.TrimSpace(value)); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// randomUpTo keeps many who wait the same time apart.
func randomUpTo(d time.Duration) time.Duration { return rand.N(d + 1) }

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
