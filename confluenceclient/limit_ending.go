package confluenceclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ending is what a request's end says of the upstream.
type ending struct {
	answered   bool // it was let in
	refused    bool // 429
	ofTenant   bool // the 429 is about all that the tenant asks
	noReason   bool // the 429 does not say what it is about
	failed     bool // connection failure, no answer for long, or 5xx except 501
	overload   bool // more at a time is too much
	retryAfter time.Duration
	perSecond  float64
}

// hungAfter is how long an answer may not have begun before whoever leaves then
// has left a failure behind: an upstream that only hangs would never be seen to
// fail by callers that have less time than the client itself.
const hungAfter = 5 * time.Second

// endingOf reads the end of what was sent at since.
func endingOf(ctx context.Context, resp *http.Response, err error, since, now time.Time) ending {
	if err != nil {
		// An *Error is no connection's: it comes from a layer of ours, which sent
		// nothing.
		broken := CauseOf(err) == "" && (ctx.Err() == nil || now.Sub(since) >= hungAfter)
		return ending{failed: broken, overload: broken && isBrokenConnection(err)}
	}
	status := resp.StatusCode
	end := ending{perSecond: perSecondLimit(resp.Header, now)}
	end.refused = status == http.StatusTooManyRequests
	end.failed = isTransientStatus(status) && !end.refused
	end.answered = !end.refused && !end.failed
	end.overload = end.refused || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
	if end.refused {
		end.ofTenant = isAboutTenant(resp.Header)
		end.noReason = resp.Header.Get("RateLimit-Reason") == ""
		end.retryAfter, _ = retryAfter(resp.Header, now)
	}
	return end
}

func (e ending) forOperation() ending {
	e.refused = e.refused && !e.ofTenant
	return e
}

func (e ending) forTenant() ending {
	e.refused = e.refused && e.ofTenant
	e.failed, e.perSecond = false, 0 // of one operation, until others say so too
	return e
}

// isBrokenConnection leaves out what never became one: that says nothing of load.
func isBrokenConnection(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}
