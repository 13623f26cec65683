package service

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/policy"
)

// callerUnknown is all that anybody is told who is not let in. What was wrong
// is in the log, for the operator: to others it would say how to guess better.
const callerUnknown = "the broker does not know who calls; its operator finds the reason in the broker's log, can name callers in the policy, and can admit anonymous ones with --allow-anonymous"

// retryUnchecked is when a caller may come again whose issuer cannot be asked
// now: then the broker asks it again.
const retryUnchecked = 10 * time.Second

// identification finds out who calls, before anything is done for them.
type identification struct {
	verifier       *caller.Verifier
	policy         func() *policy.Policy
	allowAnonymous bool
	reflection     []string // who may ask for the API's description; empty: every caller
	calls          metric.Int64Counter
}

func newIdentification(cfg Config) (identification, error) {
	i := identification{verifier: cfg.Verifier, policy: cfg.Policy, allowAnonymous: cfg.AllowAnonymous, reflection: cfg.ReflectionCallers}
	var err, meterErr error
	if i.verifier == nil {
		i.verifier, err = caller.New(caller.Config{})
	}
	if i.policy == nil {
		open := policy.Open()
		i.policy = func() *policy.Policy { return open }
	}
	i.calls, meterErr = cfg.MeterProvider.Meter("github.com/confluence-broker/confluence-broker/service").Int64Counter("confluence_broker.calls",
		metric.WithUnit("{call}"), metric.WithDescription("Calls by how their callers are known: certificate, jwt, key, anonymous or refused."))
	return i, errors.Join(err, meterErr)
}

func (i identification) layer() layer {
	return layer{
		unary: func(ctx context.Context, req any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			ctx, err := i.identify(ctx, call.FullMethod)
			if err != nil {
				return nil, err
			}
			return handle(ctx, req)
		},
		stream: func(srv any, stream grpc.ServerStream, call *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, err := i.identify(stream.Context(), call.FullMethod)
			if err != nil {
				return err
			}
			return handle(srv, &streamWith{ServerStream: stream, ctx: ctx})
		},
	}
}

// identify puts the caller into the context. Health stays open, for those who
// look after the broker; everything else is for callers that are let in.
func (i identification) identify(ctx context.Context, fullMethod string) (context.Context, error) {
	if strings.HasPrefix(fullMethod, "/"+healthv1.Health_ServiceDesc.ServiceName+"/") {
		return ctx, nil
	}
	c, kind, err := i.caller(ctx)
	i.calls.Add(ctx, 1, metric.WithAttributeSet(identityAttributes[kind]))
	switch {
	case err != nil:
		return nil, err
	case !isOurs(fullMethod) && len(i.reflection) > 0 && !slices.Contains(i.reflection, c.Name):
		return nil, &failure{
			cause: causeCallerNotAllowed, message: "the caller may not ask for the description of the API",
			metadata: map[string]string{"rule": "reflection"},
		}
	}
	return withReader(ctx, reader{rules: c, identity: kind}), nil
}

// caller tells who calls, and how that is known. A caller that says who it is
// is that or is refused: it is never anonymous.
func (i identification) caller(ctx context.Context) (c *policy.Caller, kind string, err error) {
	md, _ := metadata.FromIncomingContext(ctx)
	evidence, err := i.verifier.Identify(ctx, md.Get("authorization"), connection(ctx))
	if err != nil {
		return nil, refused, unidentified(err)
	}
	if !evidence.Anonymous() {
		if c, err = i.policy().Caller(evidence); err != nil {
			return nil, refused, unidentified(err)
		}
		return c, evidence.Kind(), nil
	}
	if c, ok := i.policy().Anonymous(); ok && i.allowAnonymous {
		return c, evidence.Kind(), nil
	}
	return nil, refused, unidentified(errors.New("the call says nothing about who makes it, and anonymous callers are not admitted"))
}

func unidentified(err error) error {
	var refusal *caller.Error
	switch {
	case errors.As(err, &refusal) && refusal.Temporary():
		return &failure{
			cause: causeCallerUnchecked, err: err, retryAfter: retryUnchecked,
			message: "the broker cannot check now who calls; nothing may be wrong with what the caller sent",
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &failure{cause: causeCallerUnknown, message: callerUnknown, err: err}
}

// connection is the state of the call's TLS connection, nil without TLS.
func connection(ctx context.Context) *tls.ConnectionState {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil
	}
	return &info.State
}

// refused is the kind of those who are not let in.
const refused = "refused"

// identityAttributes are all kinds that there are, so that nobody can make more.
var identityAttributes = func() map[string]attribute.Set {
	sets := map[string]attribute.Set{}
	for _, kind := range []string{"certificate", "jwt", "key", "anonymous", refused} {
		sets[kind] = attribute.NewSet(attribute.String("identity", kind))
	}
	return sets
}()
