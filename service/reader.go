package service

import (
	"context"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// reader is on whose behalf a call reads, and what the policy says of it.
type reader struct {
	rules    *policy.Caller // nil: nobody, or nobody who is known
	identity string         // how the caller is known, for the audit
	method   string         // the RPC's short name, for the audit
}

type readerKey struct{}

func withReader(ctx context.Context, r reader) context.Context {
	return context.WithValue(ctx, readerKey{}, r)
}

// readerOf is who calls. Health alone has nobody.
func readerOf(ctx context.Context) reader {
	r, _ := ctx.Value(readerKey{}).(reader)
	return r
}

// name is the caller's in the policy.
func (r reader) name() string {
	if r.rules == nil {
		return ""
	}
	return r.rules.Name
}

// seesAll tells whether the rules hide nothing from the caller. Others must not
// be able to tell what is hidden from what is absent.
func (r reader) seesAll() bool {
	return r.rules.HidesNothing()
}

// needs is what the rules go by besides the space.
func (r reader) needs() confluenceclient.Facts {
	needs := r.rules.Needs()
	// Whether something above is restricted cannot be told without what is above.
	return confluenceclient.Facts{Ancestors: needs.Ancestors || needs.Restrictions, Labels: needs.Labels, Restricted: needs.Restrictions}
}

// everything is the decision about all content for a caller from whom nothing is
// hidden. Its place need not be known then.
func (r reader) everything() policy.Decision {
	return policy.Decision{Allowed: true, Rule: r.name() + ": nothing is hidden from it"}
}

func (r reader) inSpace(key string) policy.Decision {
	if r.seesAll() {
		return r.everything()
	}
	return r.rules.Space(key)
}

// at decides about content by where it lies.
func (r reader) at(id string, place confluenceclient.Place) policy.Decision {
	if r.seesAll() {
		return r.everything()
	}
	return r.rules.Content(policy.Content{
		SpaceKey: place.SpaceKey, ID: id, AncestorIDs: place.Ancestors, Labels: place.Labels, Restricted: place.Restricted,
		Known: r.rules.Needs(), // a Place is never without what was asked for
	})
}

// question is what a call asks when it names content by its id.
func (r reader) question(kind confluenceclient.ContentType, id string) question {
	return question{caller: r.rules, about: string(kind) + " " + id}
}
