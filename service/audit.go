package service

import (
	"context"
	"errors"
	"log/slog"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// audit writes a line for each decision about who may read what, in a stream of
// its own. It holds ids and names of rules, and no word of any content or query.
// The trace id is the handler's to add, as in the log.
type audit struct{ log *slog.Logger }

// Outcomes of a decision.
const (
	outcomeAllowed = "allowed"
	outcomeDenied  = "denied"
	outcomeAbsent  = "absent" // nothing was there to decide about
)

// note is the decision about one thing.
func (a audit) note(ctx context.Context, kind confluenceclient.ContentType, id, space string, d policy.Decision) {
	outcome := outcomeDenied
	if d.Allowed {
		outcome = outcomeAllowed
	}
	a.line(ctx, outcome, d.Rule, kind, id, space)
}

// absent is what is asked for and not there.
func (a audit) absent(ctx context.Context, kind confluenceclient.ContentType, id string) {
	a.line(ctx, outcomeAbsent, "", kind, id, "")
}

// call is the decision about the call itself.
func (a audit) call(ctx context.Context, outcome, rule string) {
	a.line(ctx, outcome, rule, "", "", "")
}

// refusals notes callers that are not known.
func (a audit) refusals(ctx context.Context, fullMethod string, next func() error) error {
	err := next()
	var f *failure
	if errors.As(err, &f) && (f.cause == causeCallerUnknown || f.cause == causeCallerUnchecked) {
		a.call(withReader(ctx, reader{identity: refused, method: rpcName(fullMethod)}), outcomeDenied, string(f.cause))
	}
	return err
}

func (a audit) line(ctx context.Context, outcome, rule string, kind confluenceclient.ContentType, id, space string) {
	if !a.log.Enabled(ctx, slog.LevelInfo) {
		return // most brokers write no audit, and every call comes by here
	}
	r := readerOf(ctx)
	attrs := []slog.Attr{slog.String("caller", r.name()), slog.String("identity", r.identity), slog.String("method", r.method)}
	for _, optional := range []slog.Attr{
		slog.String("content_type", string(kind)), slog.String("content_id", id), slog.String("space", space), slog.String("rule", rule),
	} {
		if optional.Value.String() != "" {
			attrs = append(attrs, optional)
		}
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "decision", append(attrs, slog.String("outcome", outcome))...)
}
