package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func refuseAnonymous(s *setup) { s.service.AllowAnonymous = false }

func TestAnonymousCallersAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	b := newBroker(t, refuseAnonymous)
	ctx := t.Context()
	calls := map[string]func() error{
		"GetPage": func() error { _, err := b.GetPage(ctx, byID("1001")); return err },
		"ListChildren": func() error {
			_, err := b.ListChildren(ctx, &brokerv1.ListChildrenRequest{ParentId: "1001"})
			return err
		},
		"Search": func() error { _, err := b.Search(ctx, byText("x")); return err },
		"GetAttachment": func() error {
			_, _, _, err := b.download(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
			return err
		},
		"Diagnose": func() error {
			_, err := brokerv1.NewDiagnosticsServiceClient(b.conn).Diagnose(ctx, &brokerv1.DiagnoseRequest{})
			return err
		},
	}
	for _, desc := range services() {
		for _, name := range methodNames(desc) {
			info := failedAs(t, calls[name](), codes.Unauthenticated, "CALLER_UNKNOWN")
			if info.GetMetadata()["method"] != name {
				t.Errorf("%s: metadata %v", name, info.GetMetadata())
			}
		}
	}
	_, err := b.GetPage(ctx, byID("1001"))
	if !strings.Contains(status.Convert(err).Message(), "--allow-anonymous") {
		t.Errorf("%v does not name the operator's option", err)
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
}

func methodNames(desc grpc.ServiceDesc) (names []string) {
	for _, m := range desc.Methods {
		names = append(names, m.MethodName)
	}
	for _, s := range desc.Streams {
		names = append(names, s.StreamName)
	}
	return names
}

func TestHealthStaysOpenToAll(t *testing.T) {
	t.Parallel()
	b := newBroker(t, refuseAnonymous)
	for _, service := range []string{"", "confluence.broker.v1.BrokerService", "confluence.broker.v1.DiagnosticsService"} {
		health, err := healthv1.NewHealthClient(b.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("Check(%q) = %v, %v, want SERVING", service, health, err)
		}
	}
}

func TestUnknownMethodsKeepTheAnswerOfGRPCItself(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, method := range []string{"/confluence.broker.v1.BrokerService/DeletePage", "/none.such/Service"} {
		err := b.conn.Invoke(t.Context(), method, &brokerv1.DiagnoseRequest{}, &brokerv1.DiagnoseResponse{})
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v, want UNIMPLEMENTED", method, err)
		}
	}
}

// panicking is an upstream that panics the first time.
func panicking(s *setup) {
	var calls atomic.Int32
	s.upstream = func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			if calls.Add(1) == 1 {
				panic("out of cheese")
			}
			return next.RoundTrip(req)
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestPanicIsAnInternalFaultLikeAnyOther(t *testing.T) {
	t.Parallel()
	calls := map[string]func(context.Context, *broker) error{
		"unary": func(ctx context.Context, b *broker) error { _, err := b.GetPage(ctx, byID("1001")); return err },
		"stream": func(ctx context.Context, b *broker) error {
			_, _, _, err := b.download(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBroker(t, panicking)
				err := call(t.Context(), b)
				failedAs(t, err, codes.Internal, "INTERNAL_FAULT")
				if text := status.Convert(err).Message(); strings.Contains(text, "goroutine") || strings.Contains(text, "cheese") {
					t.Errorf("the caller is shown %q", text)
				}
				line := lastLine(t, b)
				span := serverSpans(b)[0]
				if line["trace_id"] != span.SpanContext.TraceID().String() || line["level"] != "ERROR" ||
					!strings.Contains(fmt.Sprint(line["cause"]), "out of cheese") || !strings.Contains(fmt.Sprint(line["cause"]), "goroutine") {
					t.Errorf("log line %v lacks the trace id, the panic or its stack", line)
				}
				if len(span.Events) == 0 || span.Events[0].Name != "exception" || span.Status.Code.String() != "Error" {
					t.Errorf("span has status %v and events %v, want an error and an exception", span.Status, span.Events)
				}
				if err := call(t.Context(), b); err != nil {
					t.Errorf("the next call: %v", err)
				}
			})
		})
	}
}

func TestEachCallIsOneLogLineWithoutWhatWasAsked(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	ctx := t.Context()
	if _, err := b.GetPage(ctx, byID("1001")); err != nil {
		t.Fatal(err)
	}
	line := lastLine(t, b)
	if line["level"] != "INFO" || line["method"] != "/confluence.broker.v1.BrokerService/GetPage" || line["code"] != "OK" ||
		line["duration"] == nil || line["trace_id"] == nil || line["reason"] != nil {
		t.Errorf("log line of a success = %v", line)
	}
	_, err := b.Search(ctx, byCQL(`text ~ "salary of dana" AND`))
	failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
	line = lastLine(t, b)
	if line["level"] != "INFO" || line["code"] != "InvalidArgument" || line["reason"] != "INVALID_REQUEST" {
		t.Errorf("log line of an invalid request = %v", line)
	}
	_, _ = b.Search(ctx, byText("salary of dana"))
	if all := b.logs.String(); strings.Contains(all, "dana") {
		t.Errorf("the log holds what was searched for: %s", all)
	}
	if spans := fmt.Sprintf("%+v", b.spans.GetSpans()); strings.Contains(spans, "dana") {
		t.Error("spans hold what was searched for")
	}
}

func TestHealthChecksAreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	if _, err := healthv1.NewHealthClient(b.conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	if line := lastLine(t, b); line["level"] != "DEBUG" {
		t.Errorf("log line = %v, want level DEBUG", line)
	}
}

// lastLine is the last line of the log.
func lastLine(t *testing.T, b *broker) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(b.logs.String()), "\n")
	line := map[string]any{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatalf("log %v: %v", lines, err)
	}
	return line
}

func TestAnswersAboveTheLimitSayTheirSizeAndWhatToAskFor(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(s *setup) { s.service.MaxMessageBytes = 100 })
	_, err := b.GetPage(t.Context(), byID("1001"))
	info := failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
	if info.GetMetadata()["limit"] != "100" || info.GetMetadata()["size"] == "" {
		t.Errorf("metadata = %v, want size and limit", info.GetMetadata())
	}
	if text := status.Convert(err).Message(); !strings.Contains(text, "BODY_FORMAT_NONE") {
		t.Errorf("%q does not say what to ask for", text)
	}
}

func TestAnswersUpToTheLimitPassClientsWithDefaultLimits(t *testing.T) {
	t.Parallel()
	// page is an answer whose message has that many bytes more than its text.
	page := func(b *broker, text int) (*brokerv1.GetPageResponse, error) {
		b.sim.ClearFaults()
		b.sim.AddFault(confluencetest.Fault{
			Route: "/wiki/api/v2/pages/{id}", Status: http.StatusOK,
			Body: `{"id":"1001","status":"current","version":{"number":1},"body":{"storage":{"value":"` + strings.Repeat("x", text) + `"}},"_links":{"webui":"/spaces/DOC/pages/1001"}}`,
		})
		return b.GetPage(t.Context(), &brokerv1.GetPageRequest{Page: byID("1001").GetPage(), MaxAge: durationpb.New(0)})
	}
	b := newBroker(t)
	small, err := page(b, 4000<<10)
	if err != nil {
		t.Fatal(err)
	}
	overhead := proto.Size(small) - 4000<<10
	if got, err := page(b, DefaultMaxMessageBytes-overhead); err != nil || proto.Size(got) != DefaultMaxMessageBytes {
		t.Errorf("an answer of %d bytes: %v", proto.Size(got), err)
	}
	_, err = page(b, DefaultMaxMessageBytes-overhead+1)
	failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
	_, err = page(b, 6<<20)
	failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
}

func TestPingsEveryTenSecondsAreToleratedAndManyAreNot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		every time.Duration
		cut   bool
	}{
		{"every ten seconds, without calls", 10 * time.Second, false},
		{"every 100 ms", 100 * time.Millisecond, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				answered, cut := pingFor(t, time.Minute, test.every)
				if want := int(time.Minute / test.every); cut != test.cut || (answered == want) == test.cut {
					t.Errorf("connection cut: %v, want %v; %d of %d pings answered", cut, test.cut, answered, want)
				}
			})
		})
	}
}

// pingFor pings a server as a client does that has no calls open. It tells how
// many pings were answered, and whether the server cut the connection for them.
// It speaks HTTP/2 itself: grpc-go's own client refuses to ping more often than
// every ten seconds.
func pingFor(t *testing.T, total, every time.Duration) (answered int, cut bool) {
	t.Helper()
	b := newBroker(t)
	ours, theirs := net.Pipe()
	listener := &oneConn{conn: theirs, done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(listener) }()
	framer := http2.NewFramer(ours, ours)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			switch frame, err := framer.ReadFrame(); frame := frame.(type) {
			case *http2.PingFrame:
				answered++
			case *http2.GoAwayFrame:
				cut = cut || frame.ErrCode == http2.ErrCodeEnhanceYourCalm
			default:
				if err != nil {
					return
				}
			}
		}
	}()
	_, err := io.WriteString(ours, http2.ClientPreface)
	if err = errors.Join(err, framer.WriteSettings()); err != nil {
		t.Fatal(err)
	}
	for range total / every {
		time.Sleep(every)
		if framer.WritePing(false, [8]byte{1}) != nil {
			break
		}
	}
	synctest.Wait()
	_ = ours.Close()
	<-read
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.server.Stop(ctx)
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	return answered, cut
}

// oneConn is a listener with one connection to give.
type oneConn struct {
	conn net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := NewServer(Config{}); err == nil {
		t.Error("NewServer takes a Config without a client")
	}
	if _, err := NewServer(Config{Client: &confluenceclient.Client{}, PageTokenKey: []byte("short")}); err == nil {
		t.Error("NewServer takes a short page token key")
	}
}
