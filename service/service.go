package service

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// Defaults of Config.
const (
	DefaultMaxAge           = 30 * time.Second
	DefaultMaxMessageBytes  = 4 << 20
	DefaultCacheBytes       = 16 << 20
	DefaultKeepaliveMinTime = 5 * time.Second
	DefaultMaxStreams       = 100 // what RFC 9113 recommends as the least
	DefaultStallTimeout     = 2 * time.Minute
)

// Config is what the broker needs. Every field but Client may be left out.
type Config struct {
	// Client is the way to Confluence. Required.
	Client *confluenceclient.Client
	// MaxAge is how old an answer may be for requests that leave max_age unset.
	// 0: DefaultMaxAge; negative: such requests always ask Confluence.
	MaxAge time.Duration
	// PageTokenKey seals page tokens, 32 bytes. Replicas behind one address
	// share it. Empty: a random one, so that tokens die with the process.
	PageTokenKey []byte
	// Verifier tells who calls. Nil: one that trusts nobody.
	Verifier *caller.Verifier
	// Policy says what each caller may do, and is asked once a call, so that it
	// may change. Nil: policy.Open, which knows anonymous callers only.
	Policy func() *policy.Policy
	// CacheBytes is memory for words that were made of pages. 0: DefaultCacheBytes;
	// negative: none are kept.
	CacheBytes int64
	// AllowAnonymous admits callers that say nothing about who they are.
	AllowAnonymous bool
	// Audit gets a line for each decision about who may read what, with ids and
	// names of rules, and never a word of content. Nil: nobody does.
	Audit *slog.Logger
	// NoReflection leaves gRPC reflection out.
	NoReflection bool
	// ReflectionCallers are the names of those who may use reflection. Empty:
	// every caller that is let in.
	ReflectionCallers []string
	// TLS is for connections. Nil: none, so that whoever is on the way reads along.
	TLS *tls.Config
	// MaxStreams is how many calls a connection may have at a time.
	// 0: DefaultMaxStreams.
	MaxStreams uint32
	// StallTimeout is how long a stream waits for a caller that reads nothing.
	// 0: DefaultStallTimeout.
	StallTimeout time.Duration
	// MaxMessageBytes is the largest unary answer. 0: DefaultMaxMessageBytes,
	// which is what gRPC clients accept unless told otherwise.
	MaxMessageBytes int
	// KeepaliveMinTime is how often a client may ping. 0: DefaultKeepaliveMinTime,
	// half of the ten seconds that grpc-go clients keep to, so that jitter does
	// no harm.
	KeepaliveMinTime time.Duration
	// Diagnose runs the checks behind DiagnosticsService, once for all who ask
	// within 30 seconds. Nil: UNIMPLEMENTED.
	Diagnose func(context.Context) []confluenceclient.Finding

	Logger         *slog.Logger         // nil: no logs
	TracerProvider trace.TracerProvider // nil: no spans
	MeterProvider  metric.MeterProvider // nil: no metrics
}

func (cfg Config) withDefaults() Config {
	if cfg.MaxAge == 0 {
		cfg.MaxAge = DefaultMaxAge
	}
	if cfg.MaxMessageBytes == 0 {
		cfg.MaxMessageBytes = DefaultMaxMessageBytes
	}
	if cfg.KeepaliveMinTime == 0 {
		cfg.KeepaliveMinTime = DefaultKeepaliveMinTime
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.MaxStreams == 0 {
		cfg.MaxStreams = DefaultMaxStreams
	}
	if cfg.StallTimeout == 0 {
		cfg.StallTimeout = DefaultStallTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Audit == nil {
		cfg.Audit = slog.New(slog.DiscardHandler)
	}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = tracenoop.NewTracerProvider()
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = metricnoop.NewMeterProvider()
	}
	return cfg
}

// service implements the API. It is safe for concurrent use. Its methods fail
// with plain errors, of which NewServer's layers make statuses.
type service struct {
	brokerv1.UnimplementedBrokerServiceServer
	brokerv1.UnimplementedDiagnosticsServiceServer

	client    *confluenceclient.Client
	maxAge    time.Duration
	tokens    pageTokens
	verdicts  verdicts
	audit     audit
	diagnosis diagnosis

	conversions *conversions
}

// newService checks cfg. It asks nothing upstream.
func newService(cfg Config) (*service, error) {
	if cfg.Client == nil {
		return nil, errors.New("service: Config.Client is not set")
	}
	cfg = cfg.withDefaults()
	tokens, err := newPageTokens(cfg.PageTokenKey)
	if err != nil {
		return nil, err
	}
	conversions, err := newConversions(cfg.CacheBytes, cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &service{conversions: conversions, client: cfg.Client, maxAge: max(cfg.MaxAge, 0), tokens: tokens, verdicts: newVerdicts(), audit: audit{cfg.Audit}, diagnosis: diagnosis{run: cfg.Diagnose}}, nil
}
