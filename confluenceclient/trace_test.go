package confluenceclient

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func traced(t *testing.T, answer func(*http.Request) *http.Response) (*Client, *upstream, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	client, u := newTestClient(t, answer, func(c *Config) { c.TracerProvider = tracers })
	return client, u, spans
}

func TestEachAttemptIsASpanNamedByItsTemplate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, u, spans := traced(t, afterFailures(1, func() *http.Response {
			return reply(429, "", "Retry-After", "2", "Atl-Traceid", "abc123")
		}))
		if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil {
			t.Fatal(err)
		}
		got := spans.GetSpans()
		if len(got) != 2 {
			t.Fatalf("%d spans, want one for each of 2 attempts", len(got))
		}
		for i, span := range got {
			if span.Name != "GET /wiki/api/v2/pages/{id}" || span.SpanKind != trace.SpanKindClient {
				t.Errorf("span %d: %s, %s", i, span.Name, span.SpanKind)
			}
		}
		want := []map[string]string{
			{"confluence_broker.attempt": "1", "http.response.status_code": "429", "confluence_broker.upstream_request_id": "abc123"},
			{"confluence_broker.attempt": "2", "http.request.resend_count": "1", "http.response.status_code": "200"},
		}
		for i, span := range got {
			attrs := map[string]string{}
			for _, kv := range span.Attributes {
				attrs[string(kv.Key)] = kv.Value.String()
			}
			for name, value := range want[i] {
				if wait := attrs["confluence_broker.wait"]; (i == 0) != (wait == "0") || i == 1 && !strings.HasPrefix(wait, "2") {
					t.Errorf("span %d: wait %s", i, wait)
				}
				if attrs[name] != value {
					t.Errorf("span %d: %s = %q, want %q", i, name, attrs[name], value)
				}
			}
		}
		if got[0].Status.Code != codes.Error || got[1].Status.Code != codes.Unset {
			t.Errorf("statuses %v, %v", got[0].Status, got[1].Status)
		}
		if parent := u.requests[0].Header.Get("Traceparent"); !strings.Contains(parent, got[0].SpanContext.SpanID().String()) {
			t.Errorf("traceparent = %q", parent)
		}
	})
}

func TestAbsenceIsNoErrorAndSecretsAndQueriesStayOutOfSpans(t *testing.T) {
	t.Parallel()
	client, _, spans := traced(t, func(req *http.Request) *http.Response {
		switch {
		case req.URL.Host == "media.example":
			return reply(200, "01234")
		case strings.HasSuffix(req.URL.Path, "/download"):
			return reply(302, "", "Location", signed)
		}
		return reply(404, `{"errors":[{"title":"Cannot find a page with id [1]"}]}`)
	})
	_, _ = client.Page(t.Context(), "1", PageOptions{})
	_, _ = client.Search(t.Context(), SearchRequest{CQL: `text ~ "salary of dana CANARY"`, Limit: 1})
	if _, err := download(t.Context(), client, attachmentOf(nil), 0); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()
	if got[0].Status.Code != codes.Unset {
		t.Errorf("absence is marked %v", got[0].Status)
	}
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "CANARY") || strings.Contains(text, "salary") || strings.Contains(text, "cql=") {
		t.Errorf("spans hold a secret or a query: %s", text)
	}
	if last := got[len(got)-1]; last.Name != "GET /file/{fileId}/binary" {
		t.Errorf("the media span is named %s", last.Name)
	}
}
