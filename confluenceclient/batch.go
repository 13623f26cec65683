package confluenceclient

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// gathering looks things up by id, many in one request. One look-up is under way
// at a time; the ids that are asked for meanwhile go together into the next. So
// a lone caller never waits for others to come, and under load a request serves
// all who wait. Make it with newGathering.
type gathering[V any] struct {
	turn    chan struct{} // held by the look-up under way
	flights flights[*batch, map[string]V]

	mu   sync.Mutex
	next *batch // gathers ids; nil: nobody waits
}

// batch is the ids of one look-up.
type batch struct{ ids map[string]struct{} }

func newGathering[V any]() *gathering[V] { return &gathering[V]{turn: make(chan struct{}, 1)} }

// ask returns what read tells, at least of ids. read gets the ids of all who
// wait.
func (g *gathering[V]) ask(ctx context.Context, op *Operation, ids []string, read func(ctx context.Context, ids []string) (map[string]V, error)) (map[string]V, error) {
	b := g.join(ids)
	found, _, err := share(ctx, &g.flights, op, b, func(ctx context.Context) (map[string]V, error) {
		select {
		case g.turn <- struct{}{}:
			defer func() { <-g.turn }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return read(ctx, g.close(b))
	})
	return found, err
}

// join adds ids to those that are looked up next.
func (g *gathering[V]) join(ids []string) *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &batch{ids: map[string]struct{}{}}
	}
	for _, id := range ids {
		g.next.ids[id] = struct{}{}
	}
	return g.next
}

// close ends the gathering of ids into b.
func (g *gathering[V]) close(b *batch) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == b {
		g.next = nil
	}
	return slices.Sorted(maps.Keys(b.ids))
}
