package confluenceclient

import (
	"errors"
	"fmt"
	"time"
)

// Cause is what went wrong, in Confluence's terms.
type Cause string

// The causes. Each has one row in the error table of package service.
const (
	CauseInvalid       Cause = "invalid"        // Confluence refused a parameter, a cursor or the CQL
	CauseNotFound      Cause = "not_found"      // absent, or hidden from our account
	CauseTokenRejected Cause = "token_rejected" // revoked, expired, cut short, wrong scheme or e-mail
	CauseScopeMissing  Cause = "scope_missing"  // the token lives but lacks a scope
	CauseMisrouted     Cause = "misrouted"      // wrong cloud ID or gateway path
	CauseForbidden     Cause = "forbidden"      // the account may not use Confluence
	CauseGone          Cause = "gone"           // Atlassian removed the endpoint
	CauseRateLimited   Cause = "rate_limited"   // 429
	CauseUnavailable   Cause = "unavailable"    // 5xx, connection refused or cut, no verdict to be had
	CauseBadResponse   Cause = "bad_response"   // an answer that the API does not promise
	CauseTooLarge      Cause = "too_large"      // larger than a limit of ours; Size and Limit tell
	CauseOutOfRange    Cause = "out_of_range"   // an offset behind the end; Size and Limit tell
	CauseTruncated     Cause = "truncated"      // a file ended early; Size came, Limit was due
	CauseCancelled     Cause = "cancelled"      // the context was cancelled
	CauseDeadline      Cause = "deadline"       // the context's deadline passed
)

// Error is any failure of this package's calls. It holds no secret, no query
// string and no page text. Confluence's own words are in it for CauseInvalid
// alone, where they are about what the caller sent.
type Error struct {
	Op         *Operation // what was asked; nil before anything was asked
	Cause      Cause
	StatusCode int           // HTTP status of the last attempt; 0: none came
	RequestID  string        // Atlassian's id of the last attempt
	RetryAfter time.Duration // when waiting helps: how long; 0: not told
	Attempts   int           // HTTP requests made for this operation
	Host, Path string        // CauseMisrouted: what was asked, without a query
	Size       int64         // CauseTooLarge, CauseOutOfRange, CauseTruncated: bytes seen
	Limit      int64         // the same: bytes allowed or expected
	Message    string        // one sentence for people
	Err        error         // the error beneath, for logs; may be nil

	shutOut bool // CauseForbidden: the account may use nothing at all
}

// Error returns the message with the operation in front of it.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = string(e.Cause)
	}
	if e.Op != nil {
		text = e.Op.Name + ": " + text
	}
	if e.StatusCode != 0 {
		text = fmt.Sprintf("%s (HTTP %d)", text, e.StatusCode)
	}
	return text
}

// Unwrap returns the error beneath.
func (e *Error) Unwrap() error { return e.Err }

// CauseOf returns the cause of err, or "" when err is not an *Error.
func CauseOf(err error) Cause {
	var e *Error
	if errors.As(err, &e) {
		return e.Cause
	}
	return ""
}
