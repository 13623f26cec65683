package service

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/peer"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// admission lets calls of known callers in, by methods that they may call and
// within their budgets. All of it comes before anything is asked upstream. Health
// and reflection are not its business: they show nothing of Confluence.
type admission struct {
	budgets *policy.Budgets
	audit   audit
}

func (a admission) layer() layer { return entering(a.enter) }

func (a admission) enter(ctx context.Context, fullMethod string) (context.Context, func(), error) {
	if !isOurs(fullMethod) {
		return ctx, func() {}, nil
	}
	r := readerOf(ctx)
	r.method = rpcName(fullMethod)
	ctx = withReader(ctx, r)
	if d := r.rules.Method(r.method); !d.Allowed {
		a.audit.call(ctx, outcomeDenied, d.Rule)
		return ctx, nil, notAllowed("this caller may not call "+r.method, d)
	}
	leave, err := a.spend(ctx, r.rules, streams[fullMethod])
	if err != nil {
		return ctx, nil, err
	}
	return confluenceclient.WithCaller(ctx, upstreamCaller(ctx, r.rules)), leave, nil
}

// spend takes a call, and a stream if it is one, out of the caller's budget.
func (a admission) spend(ctx context.Context, rules *policy.Caller, streaming bool) (leave func(), err error) {
	if wait, ok := a.budgets.Take(rules); !ok {
		a.audit.call(ctx, outcomeDenied, rules.Name+": budget")
		return nil, overBudget(wait, "calls", fmt.Sprintf("%g calls a second, %d at once", rules.Budget.Rate, rules.Budget.Burst))
	}
	if !streaming {
		return func() {}, nil
	}
	leave, ok := a.budgets.OpenStream(rules)
	if !ok {
		a.audit.call(ctx, outcomeDenied, rules.Name+": budget of streams")
		return nil, overBudget(time.Second, "streams", fmt.Sprintf("%d streams open at the same time", rules.Budget.Streams))
	}
	return leave, nil
}

// upstreamCaller is who shares the upstream. Anonymous callers are told apart by
// the host that they call from, so that one of them cannot starve the others.
func upstreamCaller(ctx context.Context, rules *policy.Caller) confluenceclient.Caller {
	caller := confluenceclient.Caller{Name: rules.Name, Class: confluenceclient.ClassInteractive, Weight: rules.Weight}
	if rules.Class == policy.Batch {
		caller.Class = confluenceclient.ClassBatch
	}
	if from, ok := peer.FromContext(ctx); ok && rules.Name == policy.AnonymousName {
		host, _, err := net.SplitHostPort(from.Addr.String())
		if err != nil {
			host = from.Addr.String() // a socket of this machine
		}
		caller.Name += " " + host
	}
	return caller
}

func notAllowed(message string, d policy.Decision) error {
	return &failure{cause: causeCallerNotAllowed, message: message, metadata: map[string]string{"rule": d.Rule}}
}

func overBudget(wait time.Duration, subject, limit string) error {
	return &failure{
		cause: causeOverBudget, message: "the caller has used up its budget: " + limit, retryAfter: wait,
		quota: &errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{Subject: subject, Description: limit}}},
	}
}
