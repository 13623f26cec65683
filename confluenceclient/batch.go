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
	most    int           // ids that one request can hold
	turn    chan struct{} // held by the look-up under way
	flights flights[*batch, map[string]V]

	mu   sync.Mutex
	next *batch // gathers ids; nil: nobody waits
}

// batch is the ids of one look-up, and how many wait for each.
type batch struct{ ids map[string]int }

func newGathering[V any](most int) *gathering[V] {
	return &gathering[V]{most: most, turn: make(chan struct{}, 1)}
}

// ask returns what read tells, at least of ids, which must fit into one request.
// read gets the ids of all who wait, in as many look-ups as it takes requests.
func (g *gathering[V]) ask(ctx context.Context, op *Operation, ids []string, read func(ctx context.Context, ids []string) (map[string]V, error)) (map[string]V, error) {
	b := g.join(ids)
	defer g.part(b, ids)
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

// join adds ids to those that are looked up next, or after them where they do not
// fit.
func (g *gathering[V]) join(ids []string) *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil || !g.next.fits(ids, g.most) {
		g.next = &batch{ids: map[string]int{}}
	}
	for _, id := range ids {
		g.next.ids[id]++
	}
	return g.next
}

// part takes back what join added: who has left wants nothing looked up.
func (g *gathering[V]) part(b *batch, ids []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		if b.ids[id]--; b.ids[id] == 0 {
			delete(b.ids, id)
		}
	}
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

func (b *batch) fits(ids []string, most int) bool {
	size := len(b.ids)
	for _, id := range ids {
		if b.ids[id] == 0 {
			size++
		}
	}
	return size <= most
}
