package service

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// maxPlacesAtOnce is how many items of one listing are looked up at the same time
// where rules need to know more of each than the listing tells.
const maxPlacesAtOnce = 8

// keep returns the items of a listing that may be shown, in their order. One of
// which it cannot be told fails the call: shown, it might leak, and left out, the
// listing would be short without a word.
func keep[T any](ctx context.Context, items []T, mayShow func(context.Context, T) (bool, error)) ([]T, error) {
	show := make([]bool, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxPlacesAtOnce)
	for i, item := range items {
		group.Go(func() (err error) {
			show[i], err = mayShow(ctx, item)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var kept []T
	for i, item := range items {
		if show[i] {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// visibleChildren leaves out the children that the caller may not read.
func (s *service) visibleChildren(ctx context.Context, parentID string, parent confluenceclient.Place, children []confluenceclient.Child) ([]confluenceclient.Child, error) {
	if readerOf(ctx).seesAll() {
		return children, nil
	}
	return keep(ctx, children, func(ctx context.Context, child confluenceclient.Child) (bool, error) {
		place, err := s.childPlace(ctx, parentID, parent, child)
		return s.mayShow(ctx, child.Type, child.ID, child.ID, place, err)
	})
}

// maxLinksDecided is how many linked pages of one body are looked at where rules
// need more than their space. Further ones keep the names that they have in the
// body, as absent ones do.
const maxLinksDecided = 100

// visiblePages leaves out the linked pages that the caller may not read.
func (s *service) visiblePages(ctx context.Context, pages map[string]confluenceclient.Page) (map[string]confluenceclient.Page, error) {
	r := readerOf(ctx)
	if r.seesAll() {
		return pages, nil
	}
	ids := slices.Sorted(maps.Keys(pages))
	if r.needs() != (confluenceclient.Facts{}) {
		ids = ids[:min(len(ids), maxLinksDecided)]
	}
	shown, err := keep(ctx, ids, func(ctx context.Context, id string) (bool, error) {
		place := confluenceclient.Place{SpaceID: pages[id].SpaceID, SpaceKey: pages[id].SpaceKey}
		var err error
		if r.needs() != (confluenceclient.Facts{}) && r.inSpace(place.SpaceKey).Allowed {
			place, err = s.place(ctx, confluenceclient.TypePage, id, s.maxAge)
		}
		return s.mayShow(ctx, confluenceclient.TypePage, id, id, place, err)
	})
	visible := map[string]confluenceclient.Page{}
	for _, id := range shown {
		visible[id] = pages[id]
	}
	return visible, err
}

// childPlace is what the listing tells, and more where rules need it.
func (s *service) childPlace(ctx context.Context, parentID string, parent confluenceclient.Place, child confluenceclient.Child) (confluenceclient.Place, error) {
	needs := readerOf(ctx).needs()
	if child.SpaceID == "" || needs.Labels || needs.Restricted {
		return s.place(ctx, child.Type, child.ID, s.maxAge)
	}
	place := confluenceclient.Place{
		SpaceID: child.SpaceID, SpaceKey: parent.SpaceKey,
		Ancestors: append(slices.Clone(parent.Ancestors), parentID),
	}
	var err error
	if child.SpaceID != parent.SpaceID {
		place.SpaceKey, err = s.client.SpaceKeyByID(ctx, child.SpaceID)
	}
	return place, err
}

// mayShow decides about an item of a listing by its place, or by err that was met
// on the way to it. decidedBy is the content whose place it is: the item itself, or
// what it is on.
func (s *service) mayShow(ctx context.Context, kind confluenceclient.ContentType, id, decidedBy string, place confluenceclient.Place, err error) (bool, error) {
	switch confluenceclient.CauseOf(err) {
	case confluenceclient.CauseNotFound, confluenceclient.CauseInvalid: // gone since, or of a kind that has no place
		s.audit.absent(ctx, kind, id)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r := readerOf(ctx)
	d := r.at(decidedBy, place)
	s.audit.note(ctx, kind, id, place.SpaceKey, d)
	if !d.Allowed {
		return false, nil
	}
	if decidedBy == id {
		s.verdicts.sawAllowed(r.question(kind, id))
	}
	return true, nil
}
