package service

import (
	"context"
	"errors"
	"slices"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// maxExceptions is how many exceptions of a kind a query says. What it does not
// say is left out of its results later.
const maxExceptions = 100

// narrow keeps a query to what the caller may read, as far as CQL can say it.
// What is found is held against the policy again: the index lags, and knows
// nothing of restrictions. findsNothing: there is no space to search.
//
// Spaces that the caller may not read are taken out of the ones it asks for, as
// those are that the policy has never heard of.
func (s *service) narrow(ctx context.Context, q query, asked []string) (narrowed query, findsNothing bool, err error) {
	r := readerOf(ctx)
	keys, all := asked, len(asked) == 0
	if !r.seesAll() {
		if keys, all, err = s.searchable(ctx, asked); err != nil {
			return q, false, err
		}
		_, labels, subtrees := r.rules.Exceptions()
		q.without = exceptions(labels, subtrees)
	}
	if !all && len(keys) == 0 {
		return q, true, nil
	}
	if term := anyOf("space", keys); term != "" {
		q.filters = append([]string{term}, q.filters...)
	}
	return q, false, nil
}

// searchable returns the spaces to search: of those asked for, or else of all. all
// means that there is no need to name them.
func (s *service) searchable(ctx context.Context, asked []string) (keys []string, all bool, err error) {
	rules := readerOf(ctx).rules
	exact, _, all := rules.SpaceKeys()
	hidden, _, _ := rules.Exceptions()
	switch {
	case len(asked) > 0:
		keys = asked
	case all && len(hidden) == 0 && !rules.SearchesByList():
		return nil, true, nil
	case all || rules.SearchesByList():
		if keys, err = s.client.SpaceKeys(ctx); err != nil {
			return nil, false, err
		}
	default:
		keys = exact
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !rules.Space(key).Allowed }), false, nil
}

// exceptions are the terms for what is hidden. What is on a page has labels of its
// own, which do not hide it; those of the page do, and that is checked later.
func exceptions(labels, subtrees []string) []string {
	var terms []string
	if n := len(labels); n > 0 && n <= maxExceptions {
		terms = append(terms, `(type in ("attachment","comment") or label not in `+quotedList(labels)+`)`)
	}
	if n := len(subtrees); n > 0 && n <= maxExceptions {
		terms = append(terms, "ancestor not in "+quotedList(subtrees), "id not in "+quotedList(subtrees))
	}
	return terms
}

// visibleHits leaves out the hits that the caller may not read.
func (s *service) visibleHits(ctx context.Context, hits []confluenceclient.SearchResult) ([]confluenceclient.SearchResult, error) {
	if readerOf(ctx).seesAll() {
		return hits, nil
	}
	return keep(ctx, hits, func(ctx context.Context, hit confluenceclient.SearchResult) (bool, error) {
		on, place, err := s.hitPlace(ctx, hit)
		return s.mayShow(ctx, hit.Type, hit.ID, on, place, err)
	})
}

// hitPlace is what the hit tells, and more where rules need it: of what a comment
// or an attachment is on.
func (s *service) hitPlace(ctx context.Context, hit confluenceclient.SearchResult) (on string, place confluenceclient.Place, err error) {
	r := readerOf(ctx)
	place.SpaceKey = hit.SpaceKey
	if hit.Type == confluenceclient.TypeSpace || r.needs() == (confluenceclient.Facts{}) || !r.inSpace(hit.SpaceKey).Allowed {
		return hit.ID, place, nil
	}
	on, kind := hit.ID, hit.Type
	if hit.Type == confluenceclient.TypeComment || hit.Type == confluenceclient.TypeAttachment {
		on, kind = hit.ContainerID, hit.ContainerType
	}
	place, err = s.place(ctx, kind, on, s.maxAge)
	return on, place, err
}

// withoutQuery takes Confluence's words out of a refusal: they quote the query,
// which holds more than what the caller wrote.
func (r reader) withoutQuery(err error) error {
	var upstream *confluenceclient.Error
	if r.seesAll() || !errors.As(err, &upstream) || upstream.Cause != confluenceclient.CauseInvalid {
		return err
	}
	bare := *upstream
	bare.Message = "Confluence refuses the query"
	return &bare
}
