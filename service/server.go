package service

import (
	"context"
	"net"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/stats"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/policy"
)

const (
	// maxRequestBytes is far more than any good request has.
	maxRequestBytes = 1 << 20
	// maxHeaderBytes has room for a token of 8 KiB, and traces beside it.
	maxHeaderBytes = 16 << 10
	// handshakeTimeout is for TLS and HTTP/2 together: who takes longer holds a
	// connection without being anybody.
	handshakeTimeout = 10 * time.Second
)

// Server serves the broker's API, grpc.health.v1 and reflection.
type Server struct {
	grpc     *grpc.Server
	health   *health.Server
	stopping stopping
}

// NewServer checks cfg and returns a server that is ready to Serve. Health is
// SERVING from the start: the broker needs nothing before its first call.
func NewServer(cfg Config) (*Server, error) {
	s, err := newService(cfg)
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	identification, err := newIdentification(cfg)
	if err != nil {
		return nil, err
	}
	stopping := newStopping()
	// The order is the point: log sees the status that the caller gets, status
	// sees every failure, stopping cancels all that is inside of it, identification
	// and admission turn callers away before any work is done, conceal knows for whom
	// it hides, and recover is innermost, so that a panic is logged, counted and traced
	// like any other failure.
	layers := []layer{
		around(logCalls(cfg.Logger)),
		around(makeStatus),
		endStalled(cfg.StallTimeout),
		stopping.layer(),
		keepTimeToAnswer(),
		limitAnswers(cfg.MaxMessageBytes),
		around(s.audit.refusals),
		identification.layer(),
		admission{budgets: &policy.Budgets{}, audit: s.audit}.layer(),
		around(conceal),
		recoverPanics(),
	}
	server := &Server{
		grpc:     grpc.NewServer(append(options(cfg), chain(layers)...)...),
		health:   health.NewServer(),
		stopping: stopping,
	}
	brokerv1.RegisterBrokerServiceServer(server.grpc, s)
	brokerv1.RegisterDiagnosticsServiceServer(server.grpc, s)
	healthv1.RegisterHealthServer(server.grpc, server.health)
	for _, desc := range services() {
		server.health.SetServingStatus(desc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	}
	if !cfg.NoReflection {
		reflection.Register(server.grpc) // v1 and v1alpha
	}
	return server, nil
}

func options(cfg Config) []grpc.ServerOption {
	transport := insecure.NewCredentials()
	if cfg.TLS != nil {
		transport = credentials.NewTLS(cfg.TLS)
	}
	return []grpc.ServerOption{
		grpc.Creds(transport),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxConcurrentStreams(cfg.MaxStreams),
		grpc.StatsHandler(otelgrpc.NewServerHandler(
			otelgrpc.WithTracerProvider(cfg.TracerProvider),
			otelgrpc.WithMeterProvider(cfg.MeterProvider),
			otelgrpc.WithPropagators(propagation.TraceContext{}),
			// True means traced. Only what the API has: probes and reflection would
			// flood the traces, and made-up names the metrics.
			otelgrpc.WithFilter(func(call *stats.RPCTagInfo) bool { return isOurs(call.FullMethodName) }),
		)),
		grpc.MaxRecvMsgSize(maxRequestBytes),
		grpc.ForceServerCodecV2(newTextCodec()),
		// Clients may ping to keep idle connections open, also between calls;
		// the default, five minutes and only during calls, cuts those that do.
		// Connections have no greatest age: it would end downloads.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: cfg.KeepaliveMinTime, PermitWithoutStream: true}),
		// A caller that vanished without a word is found out within 80 seconds,
		// and what was under way for it ends.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.WaitForHandlers(true),
	}
}

// Serve answers calls that come in through l until Stop, and closes l.
func (s *Server) Serve(l net.Listener) error { return s.grpc.Serve(l) }

// lastWords is how long ended calls may take to reach their callers. A stream
// whose caller reads nothing would take for ever: its write waits for the caller.
const lastWords = 2 * time.Second

// Stop says NOT_SERVING to health checks and ends their watches, turns new calls
// away, waits for open ones until ctx ends, and then ends those with reason
// BROKER_STOPPING. Streams whose callers read nothing cannot be told: they are
// cut two seconds after ctx has ended, and by then it returns.
func (s *Server) Stop(ctx context.Context) {
	s.health.Shutdown()
	s.stopping.begin()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	s.stopping.finish()
	select {
	case <-done:
	case <-time.After(lastWords):
		s.grpc.Stop()
		<-done
	}
}

func services() []grpc.ServiceDesc {
	return []grpc.ServiceDesc{brokerv1.BrokerService_ServiceDesc, brokerv1.DiagnosticsService_ServiceDesc}
}

// methods are the full names of the API's methods.
var methods = fullMethodNames()

func fullMethodNames() map[string]bool {
	names := map[string]bool{}
	for _, service := range services() {
		for _, m := range service.Methods {
			names["/"+service.ServiceName+"/"+m.MethodName] = true
		}
		for _, m := range service.Streams {
			names["/"+service.ServiceName+"/"+m.StreamName] = true
		}
	}
	return names
}

// streams are the full names of those that stream.
var streams = streamNames()

func streamNames() map[string]bool {
	names := map[string]bool{}
	for _, service := range services() {
		for _, m := range service.Streams {
			names["/"+service.ServiceName+"/"+m.StreamName] = true
		}
	}
	return names
}

// isOurs tells whether a full method name is one of the broker's API.
func isOurs(fullMethod string) bool { return methods[fullMethod] }
