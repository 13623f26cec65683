package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

var soakTime = flag.Duration("soak", 2*time.Second, "how long the soak test runs; make soak takes two minutes")

const (
	soakCallers = 24

	// What may be left over when nothing is under way: idle connections that come
	// and go, caches that fill, the simulator's log of requests. A leak of a
	// kilobyte or a goroutine a call is far beyond.
	soakMemory     = 96 << 20
	soakGoroutines = 32
)

// Whatever goes wrong upstream, every call ends in a documented status, nothing
// piles up, the token is nowhere, and afterwards all is as before.
func TestSoak(t *testing.T) { // not parallel: it measures memory and goroutines
	var token atomic.Pointer[string]
	var wires *wires
	b := newBroker(t, func(s *setup) {
		s.upstream = func(sim http.RoundTripper) http.RoundTripper {
			wires = newWires(t, sim.(http.Handler))
			return wires
		}
		s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
			token.Store(&sim.Token)
			return confluenceclient.Credentials{
				Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return *token.Load() },
			}
		}
	})
	old := basic(b.sim.Email, b.sim.Token)
	var good, failed atomic.Int64
	soak := func(howLong time.Duration) (memory uint64, goroutines int) {
		ctx, cancel := context.WithTimeout(t.Context(), howLong)
		defer cancel()
		var busy sync.WaitGroup
		for range soakCallers {
			busy.Go(func() { b.callAtRandom(ctx, t, &good, &failed) })
		}
		busy.Go(func() { b.spoil(ctx) })
		for ctx.Err() == nil {
			sleepFor(ctx, time.Second)
			b.checkAndForget(t, old)
		}
		busy.Wait()
		b.sim.ClearFaults()
		return wires.rest()
	}
	memory, goroutines := soak(*soakTime / 2)
	memoryAfter, goroutinesAfter := soak(*soakTime / 2)
	t.Logf("%d calls ended well, %d did not", good.Load(), failed.Load())
	if good.Load() == 0 || failed.Load() == 0 {
		t.Error("without both, this is no storm")
	}
	t.Logf("memory %d KiB, then %d KiB; goroutines %d, then %d", memory>>10, memoryAfter>>10, goroutines, goroutinesAfter)
	if memoryAfter > memory+soakMemory {
		t.Errorf("memory grew from %d to %d KiB", memory>>10, memoryAfter>>10)
	}
	if goroutinesAfter > goroutines+soakGoroutines {
		t.Errorf("goroutines grew from %d to %d", goroutines, goroutinesAfter)
	}
	b.recover(t, "the storm")
	next := b.sim.TokenNamed("mixed").Token // of the same account
	token.Store(&next)
	b.recover(t, "a new token")
	b.awaitToken(t, "mixed")
	b.checkAndForget(t, old)
}

// callAtRandom makes one call after another, in a hurry or not; some leave early.
func (b *broker) callAtRandom(ctx context.Context, t *testing.T, good, failed *atomic.Int64) {
	rpcs := calls()
	names := slices.Sorted(maps.Keys(rpcs))
	for ctx.Err() == nil {
		name := names[rand.N(len(names))]
		// Not within ctx: a call that has begun is to end by itself.
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Millisecond+rand.N(3*time.Second))
		if rand.N(10) == 0 {
			time.AfterFunc(rand.N(50*time.Millisecond), cancel)
		}
		err := rpcs[name](call, b)
		if err == nil {
			good.Add(1)
		} else {
			failed.Add(1)
		}
		if problem := undocumented(call, err); problem != "" {
			t.Errorf("%s: %v: %s", name, err, problem)
		}
		cancel()
		sleepFor(ctx, rand.N(30*time.Millisecond))
	}
}

// undocumented says what is wrong with a call's status; empty: nothing.
func undocumented(ctx context.Context, err error) string {
	st := status.Convert(err)
	info := detail[*errdetails.ErrorInfo](st)
	deadline, _ := ctx.Deadline()
	left := ctx.Err() != nil || time.Until(deadline) < maxAnswerTime
	if err == nil || (info == nil && left && slices.Contains([]codes.Code{codes.Canceled, codes.DeadlineExceeded}, st.Code())) {
		return "" // who has left gets the status of its own library
	}
	reason, known := brokerv1.ErrorReason_value["ERROR_REASON_"+info.GetReason()]
	switch {
	case info == nil:
		return "no ErrorInfo"
	case !known:
		return "no reason of the API: " + info.GetReason()
	case brokerv1.ErrorReason(reason) == brokerv1.ErrorReason_ERROR_REASON_INTERNAL_FAULT:
		return "a fault of the broker's own"
	case strings.HasSuffix(info.GetReason(), "_NOT_FOUND"):
		if st.Code() != codes.NotFound {
			return "not the code of its reason " + info.GetReason()
		}
		return ""
	}
	for _, row := range outcomes {
		if row.reason == brokerv1.ErrorReason(reason) && row.code == st.Code() {
			return ""
		}
	}
	return "not the code of its reason " + info.GetReason()
}

// spoil lets something else go wrong upstream several times a second.
func (b *broker) spoil(ctx context.Context) {
	for ctx.Err() == nil {
		b.sim.ClearFaults()
		for range rand.N(3) {
			b.sim.AddFault(faultAtRandom())
		}
		sleepFor(ctx, rand.N(300*time.Millisecond))
	}
}

func faultAtRandom() confluencetest.Fault {
	// No long ones: they are heeded, and the storm would not be over with its faults.
	waits := []string{"0", "0.2", "1", "-5", "NaN", "soon", "", "Fri, 01 Jan 1999 12:00:07 GMT"}
	faults := []confluencetest.Fault{
		{Status: 429, Header: http.Header{"Retry-After": {waits[rand.N(len(waits))]}}},
		{PerSecond: 1 + rand.N(20)},
		{Status: 500 + rand.N(5)},
		{Status: 403, Header: http.Header{"X-Cache": {"Error from cloudfront"}}},
		{Status: 404}, {Status: 401}, {Status: 410}, {Status: 418}, {Status: 204},
		{Status: 302, Header: http.Header{"Location": {"https://elsewhere.acme.example/"}}},
		{Status: 200, Body: "<html>Log in</html>"},
		{Status: 200, Body: "{"},
		{Status: 200, Body: `{"results":[],"_links":{"next":"/x?cursor=same"}}`},
		{Reset: true},
		{ShortBody: 1 + rand.N(int64(200))},
		{NoLength: true},
		{Delay: rand.N(200 * time.Millisecond), Jitter: 100 * time.Millisecond},
		{Delay: time.Hour},
	}
	fault := faults[rand.N(len(faults))]
	fault.After = rand.N(5)
	fault.Count = rand.N(20)
	return fault
}

// recover insists that every RPC works again within the time that breakers and
// limits may take.
func (b *broker) recover(t *testing.T, after string) {
	t.Helper()
	for name, call := range calls() {
		var err error
		for range 200 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			err = call(ctx, b)
			cancel()
			if err == nil {
				break
			}
			time.Sleep(250 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("%s still fails after %s: %v", name, after, err)
		}
	}
}

// awaitToken waits until the simulator has accepted this token: a new one is
// proved while calls go on with the old one.
func (b *broker) awaitToken(t *testing.T, name string) {
	t.Helper()
	for range 200 {
		if slices.ContainsFunc(b.sim.Requests(), func(r confluencetest.Request) bool { return r.Token == name && r.Status == http.StatusOK }) {
			return
		}
		_ = calls()["GetPage"](t.Context(), b)
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("token %s was never taken", name)
}

// checkAndForget looks for the token in what came out so far, and drops it.
func (b *broker) checkAndForget(t *testing.T, credentials confluenceclient.Credentials) {
	b.checkSecrets(t, credentials)
	b.logs.reset()
	b.errors.reset()
	b.spans.Reset()
}

func (b *lockedBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}

func sleepFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// wires leads to the simulator over real connections, by HTTP/1 and HTTP/2 in
// turn.
type wires struct {
	turn  atomic.Uint32
	ways  [2]*http.Transport
	ended func() // cuts what is left of connections
}

func newWires(t *testing.T, sim http.Handler) *wires {
	server := httptest.NewUnstartedServer(sim)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	w := &wires{ended: server.CloseClientConnections}
	for i, protocols := range [][]string{{"http/1.1"}, {"h2"}} {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: protocols}}
		w.ways[i] = &http.Transport{
			ForceAttemptHTTP2: true,
			DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, server.Listener.Addr().String())
			},
		}
		t.Cleanup(w.ways[i].CloseIdleConnections)
	}
	return w
}

func (w *wires) RoundTrip(req *http.Request) (*http.Response, error) {
	return w.ways[w.turn.Add(1)%2].RoundTrip(req)
}

// rest measures what is left when nothing is under way.
func (w *wires) rest() (memory uint64, goroutines int) {
	for _, way := range w.ways {
		way.CloseIdleConnections()
	}
	w.ended()
	time.Sleep(200 * time.Millisecond) // until connections have noticed
	runtime.GC()
	runtime.GC() // pools give up theirs at the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, runtime.NumGoroutine()
}
