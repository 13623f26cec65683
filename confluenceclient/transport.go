package confluenceclient

import (
	"context"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// newTransport stacks the layers that every request passes, outermost last.
// The order is the point of this function:
//
//	retry ▸ limit ▸ breakers ▸ trace ▸ auth ▸ http.Transport
//
// Retry is outside limit, so that what comes again waits for its turn as all else
// does. Breakers are inside of it, so that the one probe of an open breaker is not
// one that stands in a queue. Trace is within, so that each attempt that goes out
// is a span of its own. Auth is innermost: no layer above ever sees the token, so
// none can leak it.
func newTransport(cfg Config, gateway *url.URL) (*retry, error) {
	transport := cfg.Transport
	if transport == nil {
		transport = newBaseTransport(cfg)
	}
	transport = &stall{transport, cfg.StallTimeout} // innermost, so that no body goes unwatched
	traced, err := newTrace(tracerProvider(cfg), meterProvider(cfg))
	if err != nil {
		return nil, err
	}
	meters, err := newLimitMeters(meterProvider(cfg))
	if err != nil {
		return nil, err
	}
	sending := newBreakers(traced.around(newAuth(transport, traced.around(transport), cfg, gateway)), meters)
	return &retry{next: newLimit(sending, sending, meters), budget: newRetryBudget(meters.retriesLeft), meters: meters}, nil
}

func tracerProvider(cfg Config) trace.TracerProvider {
	if cfg.TracerProvider == nil {
		return noop.NewTracerProvider()
	}
	return cfg.TracerProvider
}

func meterProvider(cfg Config) metric.MeterProvider {
	if cfg.MeterProvider == nil {
		return metricnoop.NewMeterProvider()
	}
	return cfg.MeterProvider
}

// call is what the layers know of the operation under way. Attempts of one
// operation follow one another, so it needs no lock.
type call struct {
	op      *Operation
	query   url.Values    // of the request; smaller changes it
	attempt int           // attempts that went out
	waited  time.Duration // since the latest attempt, or since the beginning

	cred *credential // that gateway requests are signed with
	sent time.Time   // the latest attempt, after its access token was there

	tokenStale bool // the latest attempt was refused for an access token that has been dropped
}

type callKey struct{}

func withCall(ctx context.Context, op *Operation) (context.Context, *call) {
	c := &call{op: op}
	return c.in(ctx), c
}

func (c *call) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func callFrom(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// finish notes on an error how often the operation was tried.
func (c *call) finish(e *Error) *Error {
	e.Attempts = max(e.Attempts, c.attempt)
	return e
}
