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
	aboard    map[Caller]int
	followers map[follower]int // and how often they asked to follow
}

// follower is told of each caller that was not aboard before, and of each that
// has left for good: a request that waits, or the company of a read within this one.
type follower interface {
	add(caller Caller)
	remove(caller Caller)
}

type companyKey struct{}

func companyOf(ctx context.Context) *company {
	c, _ := ctx.Value(companyKey{}).(*company)
	return c
}

func newCompany() *company {
	return &company{aboard: map[Caller]int{}, followers: map[follower]int{}}
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
	if c.followers[f]++; c.followers[f] > 1 {
		return
	}
	for caller := range c.aboard {
		f.add(caller)
	}
}

func (c *company) unfollow(f follower) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.followers[f]--; c.followers[f] > 0 {
		return
	}
	delete(c.followers, f)
	for caller := range c.aboard {
		f.remove(caller)
	}
}

func (c *company) add(caller Caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aboard[caller]++; c.aboard[caller] > 1 {
		return
	}
	for f := range c.followers {
		f.add(caller)
	}
}

func (c *company) remove(caller Caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aboard[caller]--; c.aboard[caller] > 0 {
		return
	}
	delete(c.aboard, caller)
	for f := range c.followers {
		f.remove(caller)
	}
}
