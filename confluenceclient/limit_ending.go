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
	burst      bool // the 429 is about the operation's burst alone
	failed     bool // connection failure, or 5xx except 501
	overload   bool // more at a time is too much
	retryAfter time.Duration
	perSecond  float64
}

func endingOf(ctx context.Context, resp *http.Response, err error, now time.Time) ending {
	if err != nil {
		// An *Error is no connection's: it comes from a layer of ours, which sent
		// nothing.
		broken := ctx.Err() == nil && CauseOf(err) == ""
		return ending{failed: broken, overload: broken && isBrokenConnection(err)}
	}
	status := resp.StatusCode
	end := ending{perSecond: perSecondLimit(resp.Header, now)}
	end.refused = status == http.StatusTooManyRequests
	end.failed = isTransientStatus(status) && !end.refused
	end.answered = !end.refused && !end.failed
	end.overload = end.refused || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
	if end.refused {
		end.burst = isBurst(resp.Header)
		end.retryAfter, _ = retryAfter(resp.Header, now)
	}
	return end
}

func (e ending) forOperation(ofTenant bool) ending {
	e.refused = e.refused && (e.burst || !ofTenant)
	return e
}

func (e ending) forTenant() ending {
	e.refused = e.refused && !e.burst
	e.failed, e.perSecond = false, 0 // of one operation, until others say so too
	return e
}

// isBrokenConnection leaves out what never became one: that says nothing of load.
func isBrokenConnection(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}
