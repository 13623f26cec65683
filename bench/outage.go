package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

var errDown = errors.New("connection refused: simulated outage")

// outage is a time in which no connection comes about, amid steady load.
type outage struct {
	site      *confluencetest.Site // from stormSite
	perSecond int                  // reads offered
	length    time.Duration
}

// outageResult is what came of it.
type outageResult struct {
	offered  int64 // reads during the outage
	sent     int64 // requests during the outage
	recovery time.Duration
	failed   int64 // reads before the outage and after the recovery
}

func (o outage) run(ctx context.Context) (outageResult, error) {
	wire := &countingWire{headers: true}
	client, err := newStormClient(o.site, wire, confluencetest.WithLatency(20*time.Millisecond, 10*time.Millisecond))
	if err != nil {
		return outageResult{}, err
	}
	run := &stormRun{client: client}
	var mu sync.Mutex
	var failures []time.Time
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() {
		run.offer(ctx, o.perSecond, func(ctx context.Context) {
			at := time.Now()
			if run.read(ctx, run.nextPage(), confluenceclient.Caller{Name: "caller"}) != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, at)
			}
		})
	})
	time.Sleep(10 * time.Second)
	begin, sent, offered := time.Now(), wire.sent.Load(), run.offered.Load()
	wire.down.Store(true)
	time.Sleep(o.length)
	wire.down.Store(false)
	end := time.Now()
	result := outageResult{offered: run.offered.Load() - offered, sent: wire.sent.Load() - sent}
	time.Sleep(30 * time.Second)
	stop()
	all.Wait()
	for _, at := range failures {
		switch {
		case at.Before(begin.Add(-stormDeadline)):
			result.failed++
		case at.After(end):
			result.recovery = max(result.recovery, at.Sub(end))
		}
	}
	if result.offered == 0 || len(failures) == 0 {
		return result, fmt.Errorf("nothing failed during the outage: it was none")
	}
	return result, run.unexpected()
}
