package confluenceclient

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// cache keeps small things that no answer is made of, together with the time at
// which they were asked for. Answers are kept in a memory.
type cache[K comparable, V any] struct {
	entries *otter.Cache[K, aged[V]]
}

type aged[V any] struct {
	value V
	asked time.Time
}

// maxCachedEntries bounds a cache: a few megabytes.
const maxCachedEntries = 10_000

func newCache[K comparable, V any]() *cache[K, V] {
	return &cache[K, V]{entries: otter.Must(&otter.Options[K, aged[V]]{MaximumSize: maxCachedEntries})}
}

// get returns the value for key when it is at most maxAge old. How old it may be
// is the reader's to say, call by call.
func (c *cache[K, V]) get(key K, maxAge time.Duration) (V, bool) {
	e, ok := c.entries.GetIfPresent(key)
	if !ok || maxAge <= 0 || time.Since(e.asked) > maxAge {
		var none V
		return none, false
	}
	return e.value, true
}

// put stores a value. asked is when it was asked for, not when it came: it
// cannot be newer than that.
func (c *cache[K, V]) put(key K, value V, asked time.Time) {
	c.entries.Set(key, aged[V]{value: value, asked: asked})
}
