package confluenceclient

import (
	"context"
	"sync"
)

// company is on whose behalf a shared read runs, while they come and go. What
// waits for its turn follows it: an interactive caller that asks for what an
// indexer has queued far behind must not wait as far behind.
type company struct {
	mu        sync.Mutex
	aboard    tally[Caller]
	followers tally[follower]
}

// follower is told of each caller that was not aboard before, and of each that
// has left for good: a request that waits, or the company of a read within this one.
type follower interface {
	add(caller Caller)
	remove(caller Caller)
}

// tally counts how often each is there.
type tally[K comparable] map[K]int

// enter tells whether k was not there before.
func (c tally[K]) enter(k K) (first bool) {
	c[k]++
	return c[k] == 1
}

// leave tells whether k is not there any more.
func (c tally[K]) leave(k K) (last bool) {
	if c[k]--; c[k] > 0 {
		return false
	}
	delete(c, k)
	return true
}

type companyKey struct{}

func companyOf(ctx context.Context) *company {
	c, _ := ctx.Value(companyKey{}).(*company)
	return c
}

func newCompany() *company {
	return &company{aboard: tally[Caller]{}, followers: tally[follower]{}}
}

// board takes in whoever ctx runs for: one caller, or a company of its own.
func (c *company) board(ctx context.Context) {
	if outer := companyOf(ctx); outer != nil {
		outer.follow(c)
	} else {
		c.add(callerOf(ctx))
	}
}

func (c *company) leave(ctx context.Context) {
	if outer := companyOf(ctx); outer != nil {
		outer.unfollow(c)
	} else {
		c.remove(callerOf(ctx))
	}
}

// follow tells f of all who are aboard, and from now on of who comes and goes.
// Locks are taken from the outside in: company, company within, limit.
func (c *company) follow(f follower) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.followers.enter(f) {
		return
	}
	for caller := range c.aboard {
		f.add(caller)
	}
}

func (c *company) unfollow(f follower) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.followers.leave(f) {
		return
	}
	for caller := range c.aboard {
		f.remove(caller)
	}
}

func (c *company) add(caller Caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aboard.enter(caller) {
		return
	}
	for f := range c.followers {
		f.add(caller)
	}
}

func (c *company) remove(caller Caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aboard.leave(caller) {
		return
	}
	for f := range c.followers {
		f.remove(caller)
	}
}
