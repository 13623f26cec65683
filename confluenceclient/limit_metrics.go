package confluenceclient

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// limitMeters is what operators see of the budget. All instruments are recorded
// where something happens rather than observed, since nothing ends a client.
type limitMeters struct {
	waits       metric.Float64Histogram
	waiters     metric.Int64UpDownCounter
	inFlight    metric.Int64UpDownCounter
	windowLimit metric.Float64Gauge
	rates       metric.Float64Gauge
	breakers    metric.Int64Gauge
	retries     metric.Int64Counter
	aside       metric.Float64Gauge
	refusals    metric.Int64Counter

	byClass [2]metric.MeasurementOption
}

func newLimitMeters(meters metric.MeterProvider) (*limitMeters, error) {
	meter := meters.Meter(scopeName)
	m := &limitMeters{}
	problems := make([]error, 9)
	m.waits, problems[0] = meter.Float64Histogram("confluence_broker.upstream.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that requests waited for their turn, refused ones included, by class of caller."),
		metric.WithExplicitBucketBoundaries(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120))
	m.waiters, problems[1] = meter.Int64UpDownCounter("confluence_broker.upstream.waiting", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that wait for their turn, by class of caller."))
	m.inFlight, problems[2] = meter.Int64UpDownCounter("confluence_broker.upstream.in_flight", metric.WithUnit("{request}"),
		metric.WithDescription("Requests to Confluence whose answer has not begun."))
	m.windowLimit, problems[3] = meter.Float64Gauge("confluence_broker.upstream.concurrency.limit", metric.WithUnit("{request}"),
		metric.WithDescription("How many requests to Confluence may be in flight."))
	m.rates, problems[4] = meter.Float64Gauge("confluence_broker.upstream.rate.limit", metric.WithUnit("{request}/s"),
		metric.WithDescription("Rate that is kept to, by operation and for the tenant; 0: none is known."))
	m.breakers, problems[5] = meter.Int64Gauge("confluence_broker.upstream.breaker.state",
		metric.WithDescription("State of the breaker of an operation; 0: closed, 1: half open, 2: open."))
	m.retries, problems[6] = meter.Int64Counter("confluence_broker.upstream.retries", metric.WithUnit("{request}"),
		metric.WithDescription("Requests sent again, by reason."))
	m.refusals, problems[7] = meter.Int64Counter("confluence_broker.upstream.refusals", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that were refused rather than sent, by reason."))
	m.aside, problems[8] = meter.Float64Gauge("confluence_broker.upstream.retries.left", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that may be sent again for failures before reads have put more of them aside; below 1 none is."))
	for class, name := range classNames {
		m.byClass[class] = metric.WithAttributeSet(attribute.NewSet(attribute.String("confluence_broker.class", name)))
	}
	return m, errors.Join(problems...)
}

var classNames = [2]string{ClassInteractive: "interactive", ClassBatch: "batch"}

// waited notes how long a request waited, and why it was refused if it was.
func (m *limitMeters) waited(ctx context.Context, wait time.Duration, err error) {
	m.waits.Record(ctx, wait.Seconds(), m.byClass[callerOf(ctx).Class])
	var r *refusal
	if errors.As(err, &r) {
		m.refusals.Add(ctx, 1, because(r.reason))
	}
}

func (m *limitMeters) waiting(class Class, change int64) {
	m.waiters.Add(context.Background(), change, m.byClass[class])
}

func (m *limitMeters) underWay(change int64) { m.inFlight.Add(context.Background(), change) }

func (m *limitMeters) concurrency(limit float64) {
	m.windowLimit.Record(context.Background(), limit)
}

func (m *limitMeters) retry(ctx context.Context, reason string) {
	m.retries.Add(ctx, 1, because(reason))
}

func (m *limitMeters) retriesLeft(n float64) { m.aside.Record(context.Background(), n) }

// rate returns what reports the rate of an operation, or of the tenant.
func (m *limitMeters) rate(of string) func(float64) {
	option := operation(of)
	return func(limit float64) { m.rates.Record(context.Background(), limit, option) }
}

// breaker returns what reports the state of an operation's breaker.
func (m *limitMeters) breaker(op *Operation) func(gobreaker.State) {
	option := operation(op.Name)
	return func(state gobreaker.State) { m.breakers.Record(context.Background(), int64(state), option) }
}

func because(reason string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("confluence_broker.reason", reason)))
}

func operation(name string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("confluence_broker.operation", name)))
}
