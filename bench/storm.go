package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// storm is far more load than the upstream allows: equal callers offer ten times
// its rate, an indexer has ten thousand reads in the queue, and one more caller
// asks for a page now and then. Every read is of another page, so that no cache
// helps.
type storm struct {
	site    *confluencetest.Site // from stormSite
	rate    int                  // what the upstream allows, in requests a second
	headers bool                 // its answers tell the limit, the reason and the wait
	batch   bool                 // the indexer is there
	phase   time.Duration        // where in one of the upstream's seconds it begins
	length  time.Duration
}

// stormResult is what came of it.
type stormResult struct {
	offered    int
	sent       int64
	limited    int64         // of those sent, answered 429
	goodput    float64       // pages a second
	fairness   float64       // Jain's index over the equal callers; 1 is fair
	patience   time.Duration // 99th percentile of what the one caller waited
	unexpected error
}

const (
	equalCallers  = 10
	stormDeadline = 5 * time.Second
	batchQueue    = 10_000
	// learning is when the one caller comes: until then there are pauses, for as
	// long as chance will have it, whoever else is there.
	learning = 5 * time.Second
)

func (s storm) run(ctx context.Context) (stormResult, error) {
	wire := &countingWire{headers: s.headers}
	client, err := newStormClient(s.site, wire, confluencetest.WithRateLimit(s.rate), confluencetest.WithLatency(20*time.Millisecond, 10*time.Millisecond))
	if err != nil {
		return stormResult{}, err
	}
	time.Sleep(s.phase)
	run := &stormRun{client: client}
	ctx, stop := context.WithTimeout(ctx, s.length)
	defer stop()
	var all sync.WaitGroup
	if s.batch {
		for range batchQueue {
			all.Go(func() {
				_ = run.read(ctx, run.indexed.Add(1), confluenceclient.Caller{Name: "indexer", Class: confluenceclient.ClassBatch})
			})
		}
	}
	served := make([]atomic.Int64, equalCallers)
	for i := range served {
		all.Go(func() {
			run.offer(ctx, s.rate, func(ctx context.Context) {
				if run.read(ctx, run.nextPage(), confluenceclient.Caller{Name: fmt.Sprint("caller ", i)}) == nil {
					served[i].Add(1)
				}
			})
		})
	}
	var waits []time.Duration
	var mu sync.Mutex
	all.Go(func() {
		time.Sleep(learning)
		run.offer(ctx, 2, func(ctx context.Context) {
			start := time.Now()
			if run.read(ctx, run.nextPage(), confluenceclient.Caller{Name: "person"}) == nil {
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, time.Since(start))
			}
		})
	})
	<-ctx.Done()
	passed := wire.passed.Load()
	all.Wait()
	slices.Sort(waits)
	return stormResult{
		offered: int(run.offered.Load()), sent: wire.sent.Load(), limited: wire.limited.Load(),
		goodput: float64(passed) / s.length.Seconds(), fairness: jain(served),
		patience: waits[len(waits)*99/100], unexpected: run.unexpected(),
	}, nil
}

// jain is Jain's index of fairness: the square of the sum by n times the sum of
// squares.
func jain(served []atomic.Int64) float64 {
	var sum, squares float64
	for i := range served {
		n := float64(served[i].Load())
		sum, squares = sum+n, squares+n*n
	}
	return sum * sum / (float64(len(served)) * squares)
}

// stormRun reads pages, no two at the same time the same.
type stormRun struct {
	client  *confluenceclient.Client
	indexed atomic.Int64 // pages of the indexer
	asked   atomic.Int64 // pages of all others
	offered atomic.Int64
	other   atomic.Pointer[error]
}

const stormPages = 3 * batchQueue

func stormSite() *confluencetest.Site { return confluencetest.Generate(stormPages, 1) }

// nextPage is the number of a page that the indexer leaves alone.
func (r *stormRun) nextPage() int64 { return batchQueue + 1 + r.asked.Add(1)%(stormPages-batchQueue) }

func newStormClient(site *confluencetest.Site, wire *countingWire, options ...confluencetest.Option) (*confluenceclient.Client, error) {
	sim := confluencetest.New(site, options...)
	wire.next = sim.Transport()
	return confluenceclient.New(confluenceclient.Config{
		SiteURL: confluencetest.SiteURL, GatewayURL: confluencetest.GatewayURL, CloudID: sim.CloudID,
		Credentials: confluenceclient.Credentials{Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return sim.Token }},
		Transport:   wire, CacheBytes: -1,
	})
}

// offer starts so many calls a second, whatever becomes of them, and waits for
// those that it started.
func (r *stormRun) offer(ctx context.Context, perSecond int, call func(context.Context)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, stormDeadline)
				defer cancel()
				call(ctx)
			})
		}
	}
}

func (r *stormRun) read(ctx context.Context, page int64, caller confluenceclient.Caller) error {
	r.offered.Add(1)
	const before = 100_000 // the first page's id
	_, err := r.client.Page(confluenceclient.WithCaller(ctx, caller), fmt.Sprint(before+page), confluenceclient.PageOptions{})
	switch confluenceclient.CauseOf(err) {
	case "", confluenceclient.CauseRateLimited, confluenceclient.CauseUnavailable, confluenceclient.CauseDeadline, confluenceclient.CauseCancelled:
	default:
		r.other.Store(&err)
	}
	return err
}

// unexpected is a failure of a read that no load explains.
func (r *stormRun) unexpected() error {
	if err := r.other.Load(); err != nil {
		return *err
	}
	return nil
}

// countingWire counts what goes to the upstream.
type countingWire struct {
	next    http.RoundTripper
	headers bool
	down    atomic.Bool // nothing gets through

	sent, passed, limited atomic.Int64
}

func (w *countingWire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.sent.Add(1)
	if w.down.Load() {
		return nil, errDown
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		w.passed.Add(1)
	case http.StatusTooManyRequests:
		w.limited.Add(1)
	}
	if !w.headers {
		for name := range resp.Header {
			if name == "Retry-After" || strings.Contains(strings.ToLower(name), "ratelimit") {
				resp.Header.Del(name)
			}
		}
	}
	return resp, nil
}

func percent(part, whole float64) float64 { return math.Round(1000*part/whole) / 10 }
