package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

func TestWithoutACollectorSpansAreNotRecordedButHaveIds(t *testing.T) {
	t.Parallel()
	tel, err := newTelemetry(t.Context(), func(string) string { return "" }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := newLogger(&out, slog.LevelInfo)
	ctx, span := tel.traces.Tracer("test").Start(t.Context(), "call")
	defer span.End()
	if span.IsRecording() {
		t.Error("a span that nobody collects is recorded")
	}
	log.With("a", 1).InfoContext(ctx, "hello")
	for _, id := range []string{span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()} {
		if !strings.Contains(out.String(), id) {
			t.Errorf("the log line lacks %s: %s", id, &out)
		}
	}
	tel.shutdown(log)
}

func TestALineWithoutACallHasNoTraceID(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newLogger(&out, slog.LevelInfo).InfoContext(trace.ContextWithSpanContext(t.Context(), trace.SpanContext{}), "hello")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("log line = %s", &out)
	}
}

func TestSpansReachACollectorUnderTheProgramsName(t *testing.T) { // not parallel: the exporter reads the environment
	for serviceName, want := range map[string]string{"": "confluence-broker", "wiki-reader": "wiki-reader"} {
		t.Setenv("OTEL_SERVICE_NAME", serviceName)
		if got := exportedServiceName(t); got != want {
			t.Errorf("OTEL_SERVICE_NAME=%s: service.name = %q, want %q", serviceName, got, want)
		}
	}
}

// exportedServiceName sends a span to a collector that it plays.
func exportedServiceName(t *testing.T) string {
	t.Helper()
	requests := make(chan *collectortrace.ExportTraceServiceRequest, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collectortrace.ExportTraceServiceRequest
		if err := errors.Join(err, proto.Unmarshal(body, &request)); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		requests <- &request
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tel, err := newTelemetry(t.Context(), os.Getenv, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.traces.Tracer("test").Start(t.Context(), "call")
	span.End()
	tel.shutdown(slog.New(slog.DiscardHandler))
	resource := (<-requests).GetResourceSpans()[0]
	if got := resource.GetScopeSpans()[0].GetSpans()[0].GetName(); got != "call" {
		t.Errorf("span = %q", got)
	}
	names := map[string]string{}
	for _, attribute := range resource.GetResource().GetAttributes() {
		names[attribute.GetKey()] = attribute.GetValue().GetStringValue()
	}
	return names["service.name"]
}

func TestADisabledSDKIsQuietWhateverElseIsSet(t *testing.T) { // not parallel: the exporters read the environment
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was sent something", r.URL.Path)
	}))
	defer collector.Close()
	t.Setenv("OTEL_SDK_DISABLED", "TRUE")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp")
	t.Setenv("OTEL_METRICS_EXPORTER", "otlp")
	log := slog.New(slog.DiscardHandler)
	tel, err := newTelemetry(t.Context(), os.Getenv, log)
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.traces.Tracer("test").Start(t.Context(), "call")
	if span.IsRecording() {
		t.Error("a span is recorded")
	}
	span.End()
	tel.shutdown(log)
}

// lockedBuffer takes a log that may be written to after its test has read it:
// OpenTelemetry has one place for faults in the whole process, and keeps the last
// log that it was given.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestVariablesThatMakeNoSenseAreWarnedOfAndIgnored(t *testing.T) { // not parallel: the exporters read the environment
	for name, value := range map[string]string{
		"OTEL_RESOURCE_ATTRIBUTES": "foo", "OTEL_TRACES_EXPORTER": "pigeon", "OTEL_METRICS_EXPORTER": "pigeon",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			var out lockedBuffer
			log := newLogger(&out, slog.LevelInfo)
			tel, err := newTelemetry(t.Context(), os.Getenv, log)
			if err != nil {
				t.Fatalf("the broker would not start: %v", err)
			}
			tel.shutdown(log)
			if !strings.Contains(out.String(), `"level":"WARN"`) || !strings.Contains(out.String(), "OTEL_") {
				t.Errorf("log = %s, want a warning", &out)
			}
		})
	}
}

// A collector that takes connections and never answers is worse than one that
// is down.
func TestACollectorThatNeverAnswersDoesNotHoldUpTheEnd(t *testing.T) { // not parallel: the exporter reads the environment
	ended := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	defer collector.Close()
	defer close(ended) // the exporter is still at it
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tel, err := newTelemetry(t.Context(), os.Getenv, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 { // more than the exporter holds: the rest is dropped, and nobody waits
		_, span := tel.traces.Tracer("test").Start(t.Context(), "call")
		span.End()
	}
	var out bytes.Buffer
	begin := time.Now()
	tel.shutdown(newLogger(&out, slog.LevelInfo))
	// The exporter on its own would wait ten seconds for each batch.
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("the end took %v", took)
	}
	if !strings.Contains(out.String(), "could not be exported") {
		t.Errorf("the loss was not logged: %s", &out)
	}
}

func TestAFailingExporterIsReportedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		warnings := exportWarnings(newLogger(&out, slog.LevelInfo))
		for range 120 {
			warnings.Handle(errors.New("connection refused"))
			time.Sleep(time.Second)
		}
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d warnings in two minutes, want 2:\n%s", got, &out)
		}
	})
}
