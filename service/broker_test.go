package service

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// setup is what a test may change before a broker starts.
type setup struct {
	site     *confluencetest.Site
	client   confluenceclient.Config
	service  Config
	upstream func(http.RoundTripper) http.RoundTripper // around the simulator; nil: nothing

	simulator   []confluencetest.Option
	credentials func(*confluencetest.Simulator) confluenceclient.Credentials // nil: those of the simulator's default token
}

// Things of the sample site that have no name to know them by.
const (
	trashedPage, draftPage, archivedPage, purgedPage = "4001", "4002", "4003", "4004"

	bigAttachment, unsizedAttachment = "att80", "att81" // 5 MiB; without a size in its description
)

// withToken uses the sample site's token of this name.
func withToken(name string) func(*setup) {
	return func(s *setup) {
		s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
			token := sim.TokenNamed(name)
			return basic(token.Email, token.Token)
		}
	}
}

func basic(email, token string) confluenceclient.Credentials {
	return confluenceclient.Credentials{Scheme: confluenceclient.SchemeBasic, Email: email, Secret: func() string { return token }}
}

// broker is the whole product in memory: gRPC over bufconn, the real service,
// the real client, the simulator.
type broker struct {
	brokerv1.BrokerServiceClient
	sim     *confluencetest.Simulator
	server  *Server
	conn    *grpc.ClientConn
	logs    *lockedBuffer
	spans   *tracetest.InMemoryExporter
	metrics *sdkmetric.ManualReader
	errors  *lockedBuffer // every status that came back, with details
}

// newBroker starts a broker that admits anonymous callers and logs everything.
// When the test ends it looks for the token in whatever came out.
func newBroker(t testing.TB, changes ...func(*setup)) *broker {
	t.Helper()
	s := setup{site: confluencetest.SampleSite()}
	b := &broker{logs: &lockedBuffer{}, errors: &lockedBuffer{}, spans: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader()}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.metrics))
	logger := slog.New(traced{slog.NewJSONHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})})
	s.service = Config{AllowAnonymous: true, Logger: logger, TracerProvider: traces, MeterProvider: meters}
	s.client = confluenceclient.Config{
		SiteURL: confluencetest.SiteURL, GatewayURL: confluencetest.GatewayURL, MediaHosts: []string{confluencetest.MediaHost},
		TracerProvider: traces, MeterProvider: meters,
	}
	for _, change := range changes {
		change(&s)
	}
	b.sim = confluencetest.New(s.site, s.simulator...)
	if s.client.CloudID == "" {
		s.client.CloudID = b.sim.CloudID
	}
	s.client.Credentials = basic(b.sim.Email, b.sim.Token)
	if s.credentials != nil {
		s.client.Credentials = s.credentials(b.sim)
	}
	s.client.Transport = b.sim.Transport()
	if s.upstream != nil {
		s.client.Transport = s.upstream(s.client.Transport)
	}
	var err error
	if s.service.Client, err = confluenceclient.New(s.client); err != nil {
		t.Fatal(err)
	}
	if b.server, err = NewServer(s.service); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the server has ended
		b.checkSecrets(t, s.client.Credentials)
		for _, complaint := range b.sim.Suspicious() {
			t.Errorf("a careful client would not send this: %s", complaint)
		}
	})
	b.serve(t)
	return b
}

func (b *broker) serve(t testing.TB) {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(listener) }()
	var err error
	b.conn, err = grpc.NewClient("passthrough:///broker",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, resp any, conn *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			err := call(ctx, method, req, resp, conn, opts...)
			b.note(err)
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	b.BrokerServiceClient = brokerv1.NewBrokerServiceClient(b.conn)
	t.Cleanup(func() {
		_ = b.conn.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		b.server.Stop(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func (b *broker) note(err error) {
	if err != nil {
		_, _ = fmt.Fprintln(b.errors, status.Convert(err).Proto(), err)
	}
}

// inBubble runs a test on a clock of its own, where waits take no time and
// synctest.Wait tells when everything has come to rest.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func withMetadata(ctx context.Context, kv ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, kv...)
}

// download reads an attachment to the end or to its error. data is what came.
func (b *broker) download(ctx context.Context, req *brokerv1.GetAttachmentRequest) (about *brokerv1.Attachment, data []byte, sum *brokerv1.Checksum, err error) {
	stream, err := b.GetAttachment(ctx, req)
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return about, data, sum, nil
		}
		if err != nil {
			b.note(err)
			return about, data, sum, err
		}
		switch part := part.GetPart().(type) {
		case *brokerv1.GetAttachmentResponse_Attachment:
			about = part.Attachment
		case *brokerv1.GetAttachmentResponse_Data:
			data = append(data, part.Data...)
		case *brokerv1.GetAttachmentResponse_Checksum:
			sum = part.Checksum
		}
	}
}

// api is the requests that reached the simulator's API, by path.
func (b *broker) api() []string {
	var paths []string
	for _, req := range b.sim.Requests() {
		paths = append(paths, req.Path)
	}
	return paths
}

// checkSecrets looks for the token, in each form that it has on the wire, in
// everything that leaves the broker.
func (b *broker) checkSecrets(t testing.TB, credentials confluenceclient.Credentials) {
	t.Helper()
	token := strings.TrimSpace(credentials.Secret()) // as it is sent
	var metrics metricdata.ResourceMetrics
	if err := b.metrics.Collect(context.Background(), &metrics); err != nil {
		t.Errorf("metrics cannot be searched: %v", err)
	}
	for where, text := range map[string]string{
		"logs": b.logs.String(), "statuses": b.errors.String(),
		"spans": fmt.Sprintf("%+v", b.spans.GetSpans()), "metrics": fmt.Sprintf("%+v", metrics),
	} {
		for what, secret := range map[string]string{
			"the token": token, "the Authorization header": base64.StdEncoding.EncodeToString([]byte(credentials.Email + ":" + token)),
			"a signed address": "token=", "an access token": "eyJ", "what a caller sent as authorization": "JUSTATOKEN",
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%s hold %s", where, what)
			}
		}
	}
}

// failedAs checks the status of err and returns its ErrorInfo.
func failedAs(t testing.TB, err error, code codes.Code, reason string) *errdetails.ErrorInfo {
	t.Helper()
	info := detail[*errdetails.ErrorInfo](status.Convert(err))
	if status.Code(err) != code || info.GetReason() != reason || info.GetDomain() != "confluence.broker" {
		t.Fatalf("error = %v, %v, want %v %s", err, info, code, reason)
	}
	provoked.Store(reason, true)
	provoked.Store(info.GetMetadata()["method"], true)
	return info
}

// fields is the fields that a BadRequest names.
func fields(err error) []string {
	var names []string
	for _, v := range detail[*errdetails.BadRequest](status.Convert(err)).GetFieldViolations() {
		names = append(names, v.GetField())
	}
	return names
}

func byID(id string) *brokerv1.GetPageRequest {
	return &brokerv1.GetPageRequest{Page: &brokerv1.GetPageRequest_PageId{PageId: id}}
}

func byURL(url string) *brokerv1.GetPageRequest {
	return &brokerv1.GetPageRequest{Page: &brokerv1.GetPageRequest_Url{Url: url}}
}

func byTitle(space, title string) *brokerv1.GetPageRequest {
	return &brokerv1.GetPageRequest{Page: &brokerv1.GetPageRequest_Title_{Title: &brokerv1.GetPageRequest_Title{SpaceKey: space, Title: title}}}
}

func byText(text string) *brokerv1.SearchRequest {
	return &brokerv1.SearchRequest{Query: &brokerv1.SearchRequest_Text{Text: text}}
}

func byCQL(cql string) *brokerv1.SearchRequest {
	return &brokerv1.SearchRequest{Query: &brokerv1.SearchRequest_Cql{Cql: cql}}
}

// traced adds trace ids to records, as the program's own handler does.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, record slog.Record) error {
	record.AddAttrs(slog.String("trace_id", trace.SpanContextFromContext(ctx).TraceID().String()))
	return h.Handler.Handle(ctx, record)
}

// lockedBuffer is a bytes.Buffer for many goroutines.
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
