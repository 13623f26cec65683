package confluenceclient

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"time"
)

// stall gives up a body from which nothing comes for too long while somebody
// reads. While nobody does, nothing is stalled. It is below all that read bodies,
// so that those of errors and of media hosts end as well.
type stall struct {
	next    http.RoundTripper
	timeout time.Duration
}

var errStalled = errors.New("no byte came within the stall timeout")

// maxStalls is how many times the stall timeout an answer may be waited for in
// all: it must not trickle for ever. Files may; only who reads them knows how
// long is too long.
const maxStalls = 4

func (s *stall) RoundTrip(req *http.Request) (*http.Response, error) {
	left := maxStalls * s.timeout
	if op := callFrom(req.Context()).op; op == opMedia || op == opDownload {
		left = math.MaxInt64
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	resp, err := s.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	timer := time.AfterFunc(s.timeout, func() { cancel(errStalled) })
	timer.Stop()
	resp.Body = &guard{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, timeout: s.timeout, left: left, timer: timer}
	return resp, nil
}

// guard is a body under watch.
type guard struct {
	io.ReadCloser
	ctx           context.Context
	cancel        context.CancelCauseFunc
	timeout, left time.Duration
	timer         *time.Timer // runs while somebody reads
}

func (g *guard) Read(p []byte) (int, error) {
	begin := time.Now()
	g.timer.Reset(min(g.timeout, g.left))
	n, err := g.ReadCloser.Read(p)
	g.timer.Stop()
	g.left -= time.Since(begin)
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(g.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close cancels first, rather than letting the connection read what is left.
func (g *guard) Close() error {
	g.timer.Stop()
	g.cancel(nil)
	return g.ReadCloser.Close()
}
