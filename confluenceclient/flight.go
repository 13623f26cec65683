package confluenceclient

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// flights makes one read of the identical ones that are asked for at the same
// time. The zero value is ready. singleflight would do, but for three things:
// the read must end when nobody waits for it any more, it must know how long the
// most patient of those who wait will, and a panic must not end the program.
type flights[K comparable, V any] struct {
	mu   sync.Mutex
	open map[K]*flight[V]
}

// flight is one read under way, and the context that it runs in: with the values
// of whoever asked first, cancelled when the last who waits has left.
type flight[V any] struct {
	context.Context
	cancel  context.CancelFunc
	company *company      // on whose behalf it runs
	done    chan struct{} // closed when value and err are there
	value   V
	err     error

	mu      sync.Mutex
	waiting int
	patient bool      // somebody waits without a deadline
	latest  time.Time // of the deadlines of all others
}

// do returns what read returns, which runs once for all who ask for key while it
// runs. It returns ctx's error when ctx ends first, and to the last who leaves
// what read makes of being cancelled: how far it came.
func (f *flights[K, V]) do(ctx context.Context, key K, read func(context.Context) (V, error)) (V, error) {
	shared := f.join(ctx, key, read)
	shared.company.board(ctx)
	defer shared.company.leave(ctx)
	select {
	case <-shared.done:
		return shared.value, shared.err
	case <-ctx.Done():
		if f.leave(key, shared) {
			<-shared.done
			return shared.value, shared.err
		}
		var none V
		return none, ctx.Err()
	}
}

// join finds the flight for key, or begins it.
func (f *flights[K, V]) join(ctx context.Context, key K, read func(context.Context) (V, error)) *flight[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared, ok := f.open[key]; ok {
		shared.board(ctx)
		trace.SpanFromContext(ctx).AddLink(trace.LinkFromContext(shared))
		return shared
	}
	shared := &flight[V]{done: make(chan struct{}), company: newCompany()}
	detached := context.WithValue(context.WithoutCancel(ctx), companyKey{}, shared.company)
	shared.Context, shared.cancel = context.WithCancel(detached)
	shared.board(ctx)
	if f.open == nil {
		f.open = map[K]*flight[V]{}
	}
	f.open[key] = shared
	go func() {
		defer shared.cancel()
		shared.value, shared.err = guarded(shared, read)
		f.forget(key, shared)
		close(shared.done)
	}()
	return shared
}

// leave cancels the read when nobody waits for it any more, and tells so.
func (f *flights[K, V]) leave(key K, shared *flight[V]) (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.waiting--; shared.waiting > 0 {
		return false
	}
	shared.cancel()
	if f.open[key] == shared { // whoever asks from now on must not get a cancelled read
		delete(f.open, key)
	}
	return true
}

func (f *flights[K, V]) forget(key K, shared *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[key] == shared {
		delete(f.open, key)
	}
}

// panicked is the panic of a shared read. The text has its stack, and is for the
// log alone.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// guarded turns a panic into an error: the read runs on a goroutine of its own,
// where a panic would end the program.
func guarded[V any](ctx context.Context, read func(context.Context) (V, error)) (value V, err error) {
	defer func() {
		if p := recover(); p != nil {
			trace.SpanFromContext(ctx).RecordError(fmt.Errorf("panic: %v", p), trace.WithStackTrace(true))
			err = &panicked{value: p, stack: debug.Stack()}
		}
	}()
	return read(ctx)
}

// board counts one more who waits.
func (s *flight[V]) board(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	deadline, ok := ctx.Deadline()
	s.patient = s.patient || !ok
	if deadline.After(s.latest) {
		s.latest = deadline
	}
}

// Deadline is that of the most patient who asked: as long as one can wait, it
// pays to go on.
func (s *flight[V]) Deadline() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest, !s.patient
}
