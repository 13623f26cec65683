package confluenceclient

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// memory keeps what Confluence has told, all kinds of it within one bound of
// bytes: which kind is worth the room differs from site to site, and what is
// asked for often stays (W-TinyLFU). It is safe for concurrent use.
type memory struct {
	entries *otter.Cache[any, entry] // by the key types of the stores; nil: nothing is kept
	doubts  atomic.Uint64            // how often the token was refused
	lookups metric.Int64Counter
}

// entry is one thing that Confluence told: a value or its absence.
type entry struct {
	value  any
	absent *Error
	asked  moment
	weight uint32
}

// moment is when something is asked for: what comes cannot be newer than that,
// nor more certain.
type moment struct {
	time  time.Time
	doubt uint64 // memory.doubts at that time
}

// entryBytes is about what an entry takes besides its value and the texts of its
// key: its own fields, the boxed key, and the cache's node, table and queues. A
// test holds the sum of all weights against the heap.
const entryBytes = 320

// newMemory makes a memory of so many bytes; one that keeps nothing when they are
// negative.
func newMemory(maxBytes int64, meters metric.MeterProvider) (*memory, error) {
	m := &memory{}
	if maxBytes >= 0 {
		m.entries = otter.Must(&otter.Options[any, entry]{
			MaximumWeight: uint64(maxBytes),
			Weigher:       func(_ any, e entry) uint32 { return e.weight },
		})
	}
	return m, m.measure(meters.Meter(scopeName))
}

func (m *memory) measure(meter metric.Meter) (err error) {
	// Package service counts into a counter of this name too: the names of its
	// caches are others, or Prometheus would refuse both.
	m.lookups, err = meter.Int64Counter("confluence_broker.cache.lookups",
		metric.WithUnit("{lookup}"), metric.WithDescription("Answers by the cache they were looked for in and where they came from."))
	if err != nil || m.entries == nil {
		return err
	}
	size, err := meter.Int64ObservableUpDownCounter("confluence_broker.cache.size",
		metric.WithUnit("By"), metric.WithDescription("Memory that cached answers of Confluence take; Markdown and text made of them are not in it."))
	if err != nil {
		return err
	}
	count, err := meter.Int64ObservableUpDownCounter("confluence_broker.cache.entries",
		metric.WithUnit("{entry}"), metric.WithDescription("Cached answers of Confluence; Markdown and text made of them are not among them."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(size, int64(min(m.entries.WeightedSize(), math.MaxInt64)))
		o.ObserveInt64(count, int64(m.entries.EstimatedSize()))
		return nil
	}, size, count)
	return err
}

// count counts one answer of the cache called name.
func (m *memory) count(ctx context.Context, name string, source Source) {
	m.lookups.Add(ctx, 1, metric.WithAttributes(
		attribute.String("confluence_broker.cache.name", name), attribute.String("confluence_broker.cache.outcome", string(source))))
}

func (m *memory) now() moment { return moment{time.Now(), m.doubts.Load()} }

// doubt makes everything that is known too old: Confluence does not accept the
// token any more. What is known may still be better than nothing.
func (m *memory) doubt() { m.doubts.Add(1) }

func (m *memory) get(key any) (entry, bool) {
	if m.entries == nil {
		return entry{}, false
	}
	return m.entries.GetIfPresent(key)
}

// put keeps e, unless something newer is there: of two reads at the same time
// the one that was sent first may well come last.
func (m *memory) put(key any, e entry) {
	if m.entries == nil {
		return
	}
	m.entries.Compute(key, func(old entry, found bool) (entry, otter.ComputeOp) {
		if found && old.asked.time.After(e.asked.time) {
			return old, otter.CancelOp
		}
		return e, otter.WriteOp
	})
}

// young tells whether what was asked for then is at most maxAge old, and was told
// to a token that still works.
func (m *memory) young(asked moment, maxAge time.Duration) bool {
	return maxAge > 0 && asked.doubt == m.doubts.Load() && time.Since(asked.time) <= maxAge
}
