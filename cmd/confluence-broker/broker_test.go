package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// running is a broker before a simulator.
type running struct {
	broker      brokerv1.BrokerServiceClient
	diagnostics brokerv1.DiagnosticsServiceClient
	admin       string
	stop        context.CancelFunc
	ended       chan error
}

func startRunning(t *testing.T, grace time.Duration) *running {
	t.Helper()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	sim := startSimulation(listen(), confluencetest.New(confluencetest.SampleSite()), nil)
	t.Cleanup(sim.close)
	c := config{allowAnonymous: true, shutdownGrace: grace}
	if err := sim.configure(&c); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	tel, err := newTelemetry(t.Context(), func(string) string { return "" }, log)
	if err != nil {
		t.Fatal(err)
	}
	calls, admin := listen(), listen()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{admin: "http://" + admin.Addr().String(), stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- runBroker(ctx, c, tel, log, calls, admin) }()
	conn, err := grpc.NewClient("passthrough:///"+calls.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r.broker, r.diagnostics = brokerv1.NewBrokerServiceClient(conn), brokerv1.NewDiagnosticsServiceClient(conn)
	return r
}

// download begins a stream of more bytes than fit on the way, so that the call
// stays open as long as nobody reads them.
func (r *running) download(ctx context.Context, t *testing.T) brokerv1.BrokerService_GetAttachmentClient {
	t.Helper()
	stream, err := r.broker.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: "att80"})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func (r *running) readiness(t *testing.T) int {
	t.Helper()
	resp, err := http.Get(r.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestOpenCallsMayFinishWhileTheBrokerIsNoLongerReady(t *testing.T) {
	t.Parallel()
	r := startRunning(t, time.Hour)
	ctx, hangUp := context.WithCancel(t.Context())
	r.download(ctx, t)
	if got := r.readiness(t); got != http.StatusOK {
		t.Errorf("readiness = %d before the stop, want 200", got)
	}
	r.stop()
	for r.readiness(t) != http.StatusServiceUnavailable { // the test's own deadline bounds it
	}
	select {
	case err := <-r.ended:
		t.Fatalf("the broker ended with a call open: %v", err)
	default:
	}
	hangUp()
	if err := <-r.ended; err != nil {
		t.Errorf("the broker ended with %v", err)
	}
}

func TestCallsThatOutlastTheGraceAreEnded(t *testing.T) {
	t.Parallel()
	r := startRunning(t, time.Millisecond)
	stream := r.download(t.Context(), t)
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("the broker ended with %v", err)
	}
	var err error
	for err == nil {
		_, err = stream.Recv() // what was on the way already
	}
	if errors.Is(err, io.EOF) {
		t.Error("the stream that was cut looks like a whole one")
	}
}

func TestChecksInsideTheBrokerAreCountedLikeAnyUpstreamRequest(t *testing.T) {
	t.Parallel()
	r := startRunning(t, time.Millisecond)
	metrics := func() string {
		resp, err := http.Get(r.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const audit = "/wiki/rest/api/audit" // which only the checks read
	if strings.Contains(metrics(), audit) {
		t.Error("the audit log was read before any check ran")
	}
	if _, err := r.diagnostics.Diagnose(t.Context(), &brokerv1.DiagnoseRequest{}); err != nil {
		t.Fatal(err)
	}
	if text := metrics(); !strings.Contains(text, audit) {
		t.Errorf("metrics after the checks do not have %s:\n%s", audit, text)
	}
}
