package service

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// maxListingAge is how old listings and search results may be for requests that
// leave max_age unset: long enough for callers that ask all at once, and too short
// for a person to notice.
const maxListingAge = 5 * time.Second

// agedRequest is a request that says how old its answer may be.
type agedRequest interface {
	GetMaxAge() *durationpb.Duration
	GetMaxStale() *durationpb.Duration
}

func (v *violations) ages(req agedRequest) {
	v.duration("max_age", req.GetMaxAge())
	v.duration("max_stale", req.GetMaxStale())
}

// tolerance is how old the answer to req may be; standard where it leaves that
// open. Where something is hidden from the caller it has a bound: content says
// where it lies, and by that it is decided whether it may be read. Callers must
// not choose how long a page that was moved out of their reach goes on to be shown.
func (s *service) tolerance(ctx context.Context, req agedRequest, standard time.Duration) confluenceclient.Tolerance {
	want := confluenceclient.Tolerance{MaxAge: standard, MaxStale: req.GetMaxStale().AsDuration()}
	if age := req.GetMaxAge(); age != nil {
		want.MaxAge = age.AsDuration()
	}
	if !readerOf(ctx).seesAll() {
		want.MaxAge, want.MaxStale = min(want.MaxAge, s.maxAge), min(want.MaxStale, maxYesAge)
	}
	return want
}

// noteSource tells on the server span where the answer came from; the last word
// counts.
func noteSource(ctx context.Context, source confluenceclient.Source) {
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("confluence_broker.cache", string(source)))
}

// noteAsked tells on the server span what is true of a call that fails: nothing
// came out of the cache.
func noteAsked(ctx context.Context, want confluenceclient.Tolerance) {
	if want.MaxAge == 0 {
		noteSource(ctx, confluenceclient.SourceBypass)
	} else {
		noteSource(ctx, confluenceclient.SourceMiss)
	}
}

// older is what can be said of an answer made of two parts. The zero Freshness is
// no part.
func older(a, b confluenceclient.Freshness) confluenceclient.Freshness {
	if a.AsOf.IsZero() {
		return b
	}
	stale := a.Source == confluenceclient.SourceStale
	switch {
	case stale != (b.Source == confluenceclient.SourceStale):
		if !stale {
			a, b = b, a
		}
	case b.AsOf.Before(a.AsOf):
		a, b = b, a
	}
	if b.AsOf.Before(a.AsOf) {
		a.AsOf = b.AsOf
	}
	return a
}

// tell is what an answer says of its age, with a warning if it is an old copy. The
// server span hears of it too.
func tell(ctx context.Context, fresh confluenceclient.Freshness) (stale bool, at *timestamppb.Timestamp, warnings []*brokerv1.Warning) {
	noteSource(ctx, fresh.Source)
	if fresh.Source != confluenceclient.SourceStale {
		return false, asOf(fresh), nil
	}
	reason := failureOf(ctx, fresh.Failure).reasonName()
	return true, asOf(fresh), []*brokerv1.Warning{warning(brokerv1.WarningCode_WARNING_CODE_STALE, reason,
		"an old copy, as of %s: Confluence could not be asked", fresh.AsOf.UTC().Format(time.RFC3339))}
}

// asOf is when Confluence was last asked, to the second: all answers are of the
// same size then, and nobody takes one for newer than it is.
func asOf(fresh confluenceclient.Freshness) *timestamppb.Timestamp {
	return timeMessage(fresh.AsOf.Truncate(time.Second))
}
