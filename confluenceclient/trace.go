package confluenceclient

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const scopeName = "github.com/confluence-broker/confluence-broker/confluenceclient"

// traceLayer makes a client span of each attempt, named by method and path
// template. Attributes come from a fixed list: no query, since queries hold
// search words and signed addresses, and no header but Atlassian's request id.
type traceLayer struct {
	next     http.RoundTripper
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

func newTrace(tracers trace.TracerProvider, meters metric.MeterProvider) (*traceLayer, error) {
	duration, err := meters.Meter(scopeName).Float64Histogram("http.client.request.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of upstream attempts, up to the response header."),
		// As OpenTelemetry's conventions for HTTP advise.
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	return &traceLayer{tracer: tracers.Tracer(scopeName), duration: duration}, err
}

// around returns the layer around next.
func (t *traceLayer) around(next http.RoundTripper) http.RoundTripper {
	return &traceLayer{next: next, tracer: t.tracer, duration: t.duration}
}

func (t *traceLayer) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callFrom(req.Context())
	start := time.Now()
	ctx, span := t.tracer.Start(req.Context(), req.Method+" "+call.op.Path,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			semconv.HTTPRequestMethodKey.String(req.Method),
			semconv.URLTemplate(call.op.Path),
			semconv.ServerAddress(req.URL.Hostname()),
			semconv.ServerPort(port(req)),
			attribute.String("confluence_broker.operation", call.op.Name),
			attribute.Int("confluence_broker.attempt", call.attempt),
			attribute.Float64("confluence_broker.wait", call.waited.Seconds()),
		))
	call.waited = 0
	if call.attempt > 1 {
		span.SetAttributes(semconv.HTTPRequestResendCount(call.attempt - 1))
	}
	req = req.Clone(ctx)
	if call.op.API == "v1" || call.op.API == "v2" { // the others are none of Confluence's own
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	}
	resp, err := t.next.RoundTrip(req)
	t.record(req, call, resp, err, time.Since(start))
	if err != nil {
		// Only the kind of error: its text may hold an address with its query.
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType(ctx, err)))
		span.SetStatus(codes.Error, errorType(ctx, err))
		span.End()
		return nil, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode))
	if id := requestID(resp.Header); id != "" {
		span.SetAttributes(attribute.String("confluence_broker.upstream_request_id", id))
	}
	// By convention a client span with 4xx is an error. Absence is the one
	// exception: it is an answer, and would mark every trace of a miss red.
	if resp.StatusCode >= 400 && resp.StatusCode != http.StatusNotFound {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(resp.StatusCode)))
		span.SetStatus(codes.Error, http.StatusText(resp.StatusCode))
	}
	resp.Body = &spanBody{ReadCloser: resp.Body, span: span}
	return resp, nil
}

func (t *traceLayer) record(req *http.Request, call *call, resp *http.Response, err error, took time.Duration) {
	attrs := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(req.Method), semconv.URLTemplate(call.op.Path), semconv.ServerAddress(req.URL.Hostname()),
	}
	if err != nil {
		attrs = append(attrs, semconv.ErrorTypeKey.String(errorType(req.Context(), err)))
	} else {
		attrs = append(attrs, semconv.HTTPResponseStatusCode(resp.StatusCode))
	}
	t.duration.Record(req.Context(), took.Seconds(), metric.WithAttributes(attrs...))
}

func port(req *http.Request) int {
	if p, err := strconv.Atoi(req.URL.Port()); err == nil {
		return p
	}
	return 443 // http has a port in its address: it is for loopback only
}

// spanBody ends the span when the answer has been read, so that a slow
// download is seen as one.
type spanBody struct {
	io.ReadCloser
	span trace.Span
	size int64
	once sync.Once
}

func (b *spanBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.size += int64(n)
	if err == io.EOF {
		b.end()
	} else if err != nil {
		b.span.SetStatus(codes.Error, "body cut short")
		b.end()
	}
	return n, err
}

func (b *spanBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

func (b *spanBody) end() {
	b.once.Do(func() {
		b.span.SetAttributes(semconv.HTTPResponseBodySize(int(b.size)))
		b.span.End()
	})
}
