package confluenceclient

import (
	"context"
	"errors"
	"time"
)

// Tolerance is how old an answer may be. The zero value asks Confluence, and
// fails when Confluence fails.
type Tolerance struct {
	MaxAge   time.Duration // how old an answer from the cache may be; 0: ask
	MaxStale time.Duration // how old one may be when Confluence cannot be asked; 0: none
}

// Source is where an answer came from.
type Source string

// The sources.
const (
	SourceMiss        Source = "miss"        // Confluence, since the cache had nothing young enough
	SourceBypass      Source = "bypass"      // Confluence, since the caller said so
	SourceCoalesced   Source = "coalesced"   // Confluence, in an identical read that was under way
	SourceRevalidated Source = "revalidated" // the cache, after Confluence said that nothing changed
	SourceHit         Source = "hit"         // the cache
	SourceStale       Source = "stale"       // the cache, since Confluence could not be asked
)

// Freshness tells where an answer came from and how old it is.
type Freshness struct {
	Source  Source
	AsOf    time.Time // when Confluence was last asked for what the answer says
	Failure error     // SourceStale: why Confluence could not be asked
}

// upstream is the source of an answer that was asked for with this tolerance.
func (t Tolerance) upstream() Source {
	if t.MaxAge == 0 {
		return SourceBypass
	}
	return SourceMiss
}

// maxAbsence is the longest that something is believed to be absent. A page is
// often looked for just before it is made.
const maxAbsence = 10 * time.Second

// isOutage tells whether Confluence could not be asked at all. A token that is
// rejected is an outage, too: the broker's own trouble, and what the token saw
// before it saw by right.
func isOutage(err error) bool {
	switch CauseOf(err) {
	case CauseUnavailable, CauseRateLimited, CauseDeadline, CauseTokenRejected:
		return true
	}
	return false
}

// mayBeStale tells whether err leaves open what Confluence would say. Refusals do
// not: they are about the content, or about what the token may see. An answer
// that makes no sense does, such as a maintenance page with status 200.
func mayBeStale(err error) bool { return isOutage(err) || CauseOf(err) == CauseBadResponse }

// share makes one read of identical ones under way. led tells whether this call
// made it. The end of ctx is an *Error like any other; a fault of ours is not.
func share[K comparable, V any](ctx context.Context, f *flights[K, V], op *Operation, key K, read func(context.Context) (V, error)) (value V, led bool, err error) {
	if ctx.Err() != nil {
		return value, false, classifyFailure(ctx, op, ctx.Err())
	}
	leads := make(chan struct{}, 1)
	value, err = f.do(ctx, key, func(ctx context.Context) (V, error) {
		leads <- struct{}{}
		return read(ctx)
	})
	var fault *panicked // which must reach the log also when nobody waits any more
	if cause := CauseOf(err); err != nil && ctx.Err() != nil && (cause == "" && !errors.As(err, &fault) || cause == CauseCancelled) {
		ended := classifyFailure(ctx, op, ctx.Err())
		var read *Error // cancelled because nobody waited any more
		if errors.As(err, &read) {
			ended.Op, ended.Attempts = read.Op, read.Attempts
		}
		err = ended
	}
	return value, len(leads) > 0, err
}
