package confluenceclient

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"
)

// store is the part of a memory that holds answers of one kind. Keys of different
// stores are of different types. Values are shared, so nobody may change them.
type store[K comparable, V any] struct {
	memory  *memory
	name    string             // for metrics
	size    func(K, V) int     // bytes of what key and value point to
	least   time.Duration      // how long values are believed even by who asks for newer ones
	readBy  func(K) *Operation // nil: all are read by the same
	flights flights[K, told[V]]
}

func newStore[K comparable, V any](m *memory, name string, size func(K, V) int) *store[K, V] {
	return &store[K, V]{memory: m, name: name, size: size}
}

// believedFor sets how long values are believed even by who asks for newer ones.
func (s *store[K, V]) believedFor(least time.Duration) *store[K, V] {
	s.least = least
	return s
}

// told is what Confluence told: a value or its absence, and when.
type told[V any] struct {
	value  V
	absent *Error
	asked  moment
}

func (t told[V]) err() error {
	if t.absent == nil {
		return nil
	}
	again := *t.absent
	again.Attempts = 0 // none, this time
	return &again
}

// answer returns what is known of key if it is young enough, otherwise what read
// tells, or, where that fails and the caller allows it, what was known before.
func (s *store[K, V]) answer(ctx context.Context, op *Operation, key K, want Tolerance, read func(context.Context) (V, error)) (value V, fresh Freshness, err error) {
	defer func() { s.memory.count(ctx, s.name, cmp.Or(fresh.Source, want.upstream())) }()
	if got, ok := s.young(key, want.MaxAge); ok {
		return got.value, Freshness{Source: SourceHit, AsOf: got.asked.time}, got.err()
	}
	got, source, err := s.ask(ctx, op, key, want, read)
	if err == nil {
		return got.value, Freshness{Source: source, AsOf: got.asked.time}, got.err()
	}
	if old, ok := s.stale(key, want.MaxStale, err); ok {
		return old.value, Freshness{Source: SourceStale, AsOf: old.asked.time, Failure: err}, nil
	}
	return value, fresh, err
}

// ask reads, once for all who ask for key at the same time, and keeps what comes.
func (s *store[K, V]) ask(ctx context.Context, op *Operation, key K, want Tolerance, read func(context.Context) (V, error)) (told[V], Source, error) {
	got, led, err := share(ctx, &s.flights, op, key, func(ctx context.Context) (told[V], error) {
		if got, ok := s.young(key, want.MaxAge); ok {
			return got, nil // it came between a look into the cache and this read
		}
		now := s.memory.now()
		value, err := read(ctx)
		if err != nil {
			s.settle(key, err, now)
			return told[V]{}, err
		}
		s.put(key, value, now)
		return told[V]{value: value, asked: now}, nil
	})
	if !led {
		return got, SourceCoalesced, err
	}
	return got, want.upstream(), err
}

// known returns what was told of key, however old.
func (s *store[K, V]) known(key K) (told[V], bool) {
	e, ok := s.memory.get(key)
	value, _ := e.value.(V) // nil for an absence
	return told[V]{value: value, absent: e.absent, asked: e.asked}, ok
}

// young returns what was told of key if it is at most maxAge old; absence only
// if it is seconds old.
func (s *store[K, V]) young(key K, maxAge time.Duration) (told[V], bool) {
	got, ok := s.known(key)
	most := max(maxAge, s.least)
	if got.absent != nil {
		most = min(maxAge, maxAbsence)
	}
	return got, ok && s.memory.young(got.asked, most)
}

// stale returns a value at most maxStale old, where err leaves open what is true
// now.
func (s *store[K, V]) stale(key K, maxStale time.Duration, err error) (told[V], bool) {
	got, ok := s.known(key)
	return got, ok && got.absent == nil && maxStale > 0 && time.Since(got.asked.time) <= maxStale && mayBeStale(err)
}

func (s *store[K, V]) put(key K, value V, asked moment) {
	s.memory.put(key, entry{value: value, asked: asked, weight: s.weight(key, value)})
}

// settle keeps what a failure tells: that there is nothing, or that the token has
// no right to what is known, of key alone or of more.
func (s *store[K, V]) settle(key K, err error, asked moment) {
	var e *Error
	switch errors.As(err, &e); CauseOf(err) {
	case CauseNotFound:
		var none V
		s.memory.put(key, entry{absent: e, asked: asked, weight: s.weight(key, none)})
	case CauseForbidden, CauseScopeMissing:
		s.forget(key)
	}
	s.refused(err)
}

// refused acts on a refusal of the token. One that lost a right must not go on
// with what it got by it; one that is dead shows nothing of the kind. A refusal of
// one thing, to a token and account that work, says nothing of all else: callers
// that run into one must not empty what the others share.
func (s *store[K, V]) refused(err error) {
	var e *Error
	switch {
	case !errors.As(err, &e):
	case e.Cause == CauseTokenRejected:
		s.memory.doubt()
	case e.shutOut:
		s.clear(func(K) bool { return true })
	case e.Cause == CauseScopeMissing && e.StatusCode != 0: // said just now, not remembered
		s.clear(func(key K) bool { return s.readBy == nil || s.readBy(key) == e.Op })
	}
}

func (s *store[K, V]) forget(key K) {
	if s.memory.entries != nil {
		s.memory.entries.Invalidate(key)
	}
}

func (s *store[K, V]) weight(key K, value V) uint32 {
	return uint32(min(entryBytes+s.size(key, value), math.MaxUint32))
}

// clear forgets what is concerned. It looks at all keys of the memory, and is for
// refusals that stop everything anyway.
func (s *store[K, V]) clear(concerned func(K) bool) {
	if s.memory.entries == nil {
		return
	}
	for key := range s.memory.entries.Keys() {
		if ours, ok := key.(K); ok && concerned(ours) {
			s.memory.entries.Invalidate(key)
		}
	}
}
