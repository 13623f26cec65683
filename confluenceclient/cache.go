package confluenceclient

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// cache keeps decoded values together with the time at which they were asked
// for. How old a value may be is the reader's to say, call by call.
type cache[K comparable, V any] struct {
	entries *otter.Cache[K, aged[V]]
}

type aged[V any] struct {
	value V
	asked time.Time
}

// maxCachedEntries bounds the caches of small things: spaces, names.
const maxCachedEntries = 10_000

// newCache makes a cache of the given total weight; none when it is negative. A
// nil weight counts entries.
func newCache[K comparable, V any](maxWeight int64, weight func(V) uint32) *cache[K, V] {
	if maxWeight < 0 {
		return &cache[K, V]{}
	}
	if weight == nil {
		weight = func(V) uint32 { return 1 }
	}
	return &cache[K, V]{entries: otter.Must(&otter.Options[K, aged[V]]{
		MaximumWeight: uint64(maxWeight),
		Weigher:       func(_ K, e aged[V]) uint32 { return weight(e.value) },
	})}
}

// get returns the value for key when it is at most maxAge old.
func (c *cache[K, V]) get(key K, maxAge time.Duration) (V, bool) {
	var none V
	if c.entries == nil || maxAge <= 0 {
		return none, false
	}
	e, ok := c.entries.GetIfPresent(key)
	if !ok || time.Since(e.asked) > maxAge {
		return none, false
	}
	return e.value, true
}

// dropAll forgets the values for keys that match. It looks at all of them.
func (c *cache[K, V]) dropAll(match func(K) bool) {
	if c.entries == nil {
		return
	}
	for key := range c.entries.Keys() {
		if match(key) {
			c.entries.Invalidate(key)
		}
	}
}

// clear forgets everything.
func (c *cache[K, V]) clear() {
	if c.entries != nil {
		c.entries.InvalidateAll()
	}
}

// put stores a value. asked is when it was asked for, not when it came: it
// cannot be newer than that.
func (c *cache[K, V]) put(key K, value V, asked time.Time) {
	if c.entries != nil {
		c.entries.Set(key, aged[V]{value: value, asked: asked})
	}
}
