package confluenceclient

import (
	"errors"
	"time"
)

// refusal is a decision of our own to send nothing. It is final: whatever the
// wait would be, the caller is told and not kept.
type refusal struct {
	reason string
	err    *Error
}

// The reasons, as metrics have them.
const (
	reasonDeadline  = "deadline"   // the wait is longer than the caller's time
	reasonPaused    = "paused"     // the upstream wants a pause that is too long for anybody
	reasonQueueFull = "queue_full" // too much waits already
	reasonBroken    = "breaker"    // the operation fails

	reasonTokenEndpoint = "token_endpoint" // access tokens are not to be had, and were asked for a moment ago
)

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

func refuse(cause Cause, reason string, wait time.Duration) error {
	message := map[string]string{
		reasonDeadline:  "Confluence limits the rate of requests, and this one's turn would come after the caller's time",
		reasonPaused:    "Confluence limits the rate of requests, and wants none for a long time",
		reasonQueueFull: "Confluence limits the rate of requests, and too many wait already",
		reasonBroken:    "Confluence or the gateway has a fault, and is asked again when there is hope",
	}[reason]
	return &refusal{reason: reason, err: &Error{Cause: cause, RetryAfter: wait, Message: message}}
}
