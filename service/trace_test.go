package service

import (
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// serverSpans is the spans of calls that have ended. Use it inBubble: a span
// ends shortly after its caller has the answer.
func serverSpans(b *broker) (spans tracetest.SpanStubs) {
	synctest.Wait()
	for _, span := range b.spans.GetSpans() {
		if span.SpanKind == trace.SpanKindServer {
			spans = append(spans, span)
		}
	}
	return spans
}

func clientSpans(b *broker) (spans tracetest.SpanStubs) {
	for _, span := range b.spans.GetSpans() {
		if span.SpanKind == trace.SpanKindClient {
			spans = append(spans, span)
		}
	}
	return spans
}

func attr(span tracetest.SpanStub, key attribute.Key) string {
	for _, kv := range span.Attributes {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

func TestACallIsOneServerSpanWithItsAttemptsBelow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		if _, err := b.GetPage(ctx, byID("1001")); err != nil {
			t.Fatal(err)
		}
		server, client := serverSpans(b), clientSpans(b)
		if len(server) != 1 || len(client) != 1 {
			t.Fatalf("%d server and %d client spans, want one of each", len(server), len(client))
		}
		if server[0].Name != "confluence.broker.v1.BrokerService/GetPage" || server[0].Parent.SpanID().String() != "b7ad6b7169203331" ||
			server[0].SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("server span %s of trace %v under %v does not go on with the caller's", server[0].Name, server[0].SpanContext.TraceID(), server[0].Parent.SpanID())
		}
		if client[0].Name != "GET /wiki/api/v2/pages/{id}" || client[0].Parent.SpanID() != server[0].SpanContext.SpanID() {
			t.Errorf("client span %s is not below the server's", client[0].Name)
		}
	})
}

func TestServerSpanTellsTheCachesOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		bypass := byID("1001")
		bypass.MaxAge = durationpb.New(0)
		for _, step := range []struct {
			req  *brokerv1.GetPageRequest
			want string
		}{{byID("1001"), "miss"}, {byID("1001"), "hit"}, {bypass, "bypass"}} {
			b.spans.Reset()
			if _, err := b.GetPage(t.Context(), step.req); err != nil {
				t.Fatal(err)
			}
			if got := attr(serverSpans(b)[0], "confluence_broker.cache"); got != step.want {
				t.Errorf("confluence_broker.cache = %q, want %q", got, step.want)
			}
			if asked := len(clientSpans(b)); (asked == 0) != (step.want == "hit") {
				t.Errorf("a %s made %d upstream requests", step.want, asked)
			}
		}
	})
}

func TestServerSpanTellsTheCachesOutcomeOfFailuresToo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		bypass := byID("404404")
		bypass.MaxAge = durationpb.New(0)
		for _, step := range []struct {
			req  *brokerv1.GetPageRequest
			want string
		}{{byID("404404"), "miss"}, {bypass, "bypass"}, {byTitle("NOSUCH", "x"), "miss"}, {byID("junk"), ""}} {
			b.spans.Reset()
			if _, err := b.GetPage(t.Context(), step.req); err == nil {
				t.Fatalf("%v was found", step.req)
			}
			if got := attr(serverSpans(b)[0], "confluence_broker.cache"); got != step.want {
				t.Errorf("%v: confluence_broker.cache = %q, want %q", step.req, got, step.want)
			}
		}
	})
}

func TestAbsenceIsNoErrorOfTheServerSpan(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		_, err := b.GetPage(t.Context(), byID("404404"))
		failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
		span := serverSpans(b)[0]
		if span.Status.Code != otelcodes.Unset || attr(span, "rpc.response.status_code") != "NOT_FOUND" || attr(span, "confluence_broker.reason") != "PAGE_NOT_FOUND" {
			t.Errorf("server span has status %v and attributes %v", span.Status, span.Attributes)
		}
		if client := clientSpans(b); len(client) == 0 || attr(client[0], "http.response.status_code") != "404" {
			t.Errorf("client spans %v, want one with 404 first", client)
		}
	})
}

func TestProbesMakeNoSpansAndNoMetrics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		for range 50 {
			if _, err := healthv1.NewHealthClient(b.conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		stream, err := reflectionv1.NewServerReflectionClient(b.conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		_ = stream.CloseSend()
		_ = b.conn.Invoke(t.Context(), "/confluence.broker.v1.BrokerService/Made-Up", &brokerv1.DiagnoseRequest{}, &brokerv1.DiagnoseResponse{})
		synctest.Wait()
		if spans := b.spans.GetSpans(); len(spans) > 0 {
			t.Errorf("spans %v, want none", spans)
		}
		if got := metricPoints(t, b); len(got) > 0 {
			t.Errorf("metrics %v, want none", got)
		}
	})
}

func TestMetricsTellNothingOfThePeer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		_, _ = b.GetPage(t.Context(), byID("404404"))
		synctest.Wait()
		points := metricPoints(t, b)
		if len(points["rpc.server.call.duration"]) != 1 {
			t.Fatalf("metrics %v, want one series of rpc.server.call.duration", points)
		}
		for name, series := range points {
			for _, attrs := range series {
				for _, kv := range attrs.ToSlice() {
					key := string(kv.Key)
					if strings.HasPrefix(name, "rpc.") && (strings.Contains(key, "peer") || strings.HasPrefix(key, "client.") || strings.Contains(key, "port")) {
						t.Errorf("%s has the attribute %s", name, key)
					}
				}
			}
		}
	})
}

// metricPoints is the attributes of each series, by metric.
func metricPoints(t *testing.T, b *broker) map[string][]attribute.Set {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	points := map[string][]attribute.Set{}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					points[metric.Name] = append(points[metric.Name], point.Attributes)
				}
			case metricdata.Histogram[int64]:
				for _, point := range data.DataPoints {
					points[metric.Name] = append(points[metric.Name], point.Attributes)
				}
			}
		}
	}
	return points
}
