package policy

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Budgets counts what callers use of their budgets. It goes by the callers'
// names, and so outlives the reading of a new policy: nobody gets a fresh budget
// by that, and new numbers hold from the next call on. The zero value is ready
// for use, and may be used concurrently.
type Budgets struct {
	mu       sync.Mutex
	accounts map[string]*account // never removed: operators name few callers
}

// account is what one caller uses.
type account struct {
	calls   *rate.Limiter // nil until the first call that counts
	streams int           // open now
}

// Take takes one call out of c's budget. Where there is none left it takes
// nothing, and tells how long until there is one.
func (b *Budgets) Take(c *Caller) (wait time.Duration, ok bool) {
	if c.Budget.Rate == 0 {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, now := b.account(c), time.Now()
	limit := rate.Limit(c.Budget.Rate)
	switch {
	case a.calls == nil:
		a.calls = rate.NewLimiter(limit, c.Budget.Burst)
	case a.calls.Limit() != limit || a.calls.Burst() != c.Budget.Burst:
		a.calls.SetLimitAt(now, limit) // what has been saved up stays
		a.calls.SetBurstAt(now, c.Budget.Burst)
	}
	reservation := a.calls.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// OpenStream counts a stream that begins, unless c has as many as it may have.
// Call done when it ends.
func (b *Budgets) OpenStream(c *Caller) (done func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(c)
	if c.Budget.Streams > 0 && a.streams >= c.Budget.Streams {
		return func() {}, false
	}
	a.streams++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		a.streams--
	}), true
}

func (b *Budgets) account(c *Caller) *account {
	a, ok := b.accounts[c.Name]
	if !ok {
		if b.accounts == nil {
			b.accounts = map[string]*account{}
		}
		a = &account{}
		b.accounts[c.Name] = a
	}
	return a
}
