package service

import (
	"cmp"
	"context"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// Content that is hidden from a caller must look absent to it: in the status
// (conceal), and in how soon that comes. A caller is therefore told "no" only
//
//   - from what Confluence says when it is asked on this caller's behalf, and
//     never from what others have caused to be cached: a page that a cache hides
//     would answer sooner than one that is not there; or
//   - from what this caller was told before, to the same question.
//
// To ask costs the same requests for both (confluenceclient.Place). What comes
// from a cache is good enough for a yes.

// noContent is an id that nothing has. Where hidden content would cost a look at
// its place, absent content costs a look at this.
const noContent = "1"

// mayRead returns the place of content that the caller may read, and fails as for
// absent content otherwise. The answer may be maxAge old.
func (s *service) mayRead(ctx context.Context, kind confluenceclient.ContentType, id string, maxAge time.Duration) (confluenceclient.Place, error) {
	r := readerOf(ctx)
	if r.seesAll() {
		return confluenceclient.Place{}, nil
	}
	q := r.question(kind, id)
	if last, ok := s.verdicts.saidNo(q, maxAge); ok {
		return confluenceclient.Place{}, s.denied(ctx, last, kind, id)
	}
	return s.decide(ctx, q, kind, id, maxAge)
}

// decide answers q, which turned out to be about this content, and remembers the
// answer.
func (s *service) decide(ctx context.Context, q question, kind confluenceclient.ContentType, id string, maxAge time.Duration) (confluenceclient.Place, error) {
	r, asked := readerOf(ctx), time.Now()
	place, err := s.findPlace(ctx, q, kind, id, maxAge)
	if confluenceclient.CauseOf(err) == confluenceclient.CauseNotFound {
		s.verdicts.keep(q, policy.Decision{}, "", asked)
		return confluenceclient.Place{}, s.denied(ctx, verdict{}, kind, id)
	}
	if err != nil {
		return confluenceclient.Place{}, err
	}
	decision := r.at(id, place)
	s.verdicts.keep(q, decision, place.SpaceKey, asked)
	if !decision.Allowed {
		s.audit.note(ctx, kind, id, place.SpaceKey, decision)
		return confluenceclient.Place{}, absent(kind)
	}
	return place, nil
}

// findPlace asks Confluence for the place, unless the caller may read by what is
// known of it.
func (s *service) findPlace(ctx context.Context, q question, kind confluenceclient.ContentType, id string, maxAge time.Duration) (confluenceclient.Place, error) {
	r := readerOf(ctx)
	if place, ok := s.client.KnownPlace(kind, id, r.needs(), maxAge); ok && r.at(id, place).Allowed {
		return place, nil
	}
	if !s.verdicts.saidYes(q) {
		maxAge = 0
	}
	return s.place(ctx, kind, id, maxAge)
}

// place asks for the facts that the caller's rules need. Restrictions are looked
// for above the content only where nothing else hides it: for what is hidden anyway,
// and for what is absent, its own are asked for, and cost the same. What is hidden
// by a restriction above it alone takes the time of one more request.
func (s *service) place(ctx context.Context, kind confluenceclient.ContentType, id string, maxAge time.Duration) (confluenceclient.Place, error) {
	r := readerOf(ctx)
	facts := r.needs()
	facts.Restricted = false
	place, err := s.client.Place(ctx, kind, id, facts, maxAge)
	if !r.needs().Restricted || err != nil && confluenceclient.CauseOf(err) != confluenceclient.CauseNotFound {
		return place, err
	}
	var above []string
	if err == nil && r.at(id, place).Allowed {
		above = place.Ancestors
	}
	restricted, unknown := s.client.Restricted(ctx, id, above, maxAge)
	place.Restricted = restricted
	if err != nil && confluenceclient.CauseOf(unknown) == confluenceclient.CauseNotFound {
		return place, err
	}
	return place, cmp.Or(unknown, err)
}

// askForNothing makes what is absent cost what hidden content costs whose place
// has to be found after it was found itself.
func (s *service) askForNothing(ctx context.Context) error {
	if readerOf(ctx).needs() == (confluenceclient.Facts{}) {
		return nil
	}
	_, err := s.place(ctx, confluenceclient.TypePage, noContent, 0)
	if confluenceclient.CauseOf(err) == confluenceclient.CauseNotFound {
		return nil
	}
	return err // a refusal of the token, say, that hidden content would meet too
}

// denied is the failure for what is not there. It may be so by what the caller was
// told last; then the audit hears again why.
func (s *service) denied(ctx context.Context, last verdict, kind confluenceclient.ContentType, id string) error {
	if last.decision.Rule != "" {
		s.audit.note(ctx, kind, id, last.space, last.decision)
	} else {
		s.audit.absent(ctx, kind, id)
	}
	return absent(kind)
}

// absent is the one failure for content that is not there, or not for the caller.
// conceal puts it into words.
func absent(kind confluenceclient.ContentType) error {
	subject := "content"
	switch kind {
	case confluenceclient.TypePage, confluenceclient.TypeAttachment, confluenceclient.TypeSpace:
		subject = string(kind)
	}
	return &failure{cause: confluenceclient.CauseNotFound, subject: subject}
}

// conceal gives what is not found one form for callers from whom something is
// hidden: what Confluence said of it goes to the log alone.
func conceal(ctx context.Context, _ string, next func() error) error {
	err := next()
	r := readerOf(ctx)
	if err == nil || r.rules == nil || r.seesAll() {
		return err
	}
	f := failureOf(ctx, err)
	if f.cause != confluenceclient.CauseNotFound {
		return err
	}
	subject := f.subjectName()
	return &failure{
		cause: f.cause, subject: subject, err: f.err,
		message: subject + " not found: there is none, or none that this caller may read",
	}
}
