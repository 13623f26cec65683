package confluencetest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheTransportStreamsAndEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := callerOf(t, New(Generate(90, 3)))
		address := ""
		for _, a := range c.get("/wiki/api/v2/attachments?limit=250").results(t) {
			if a["fileSize"] == float64(4<<30) {
				address = c.location("/wiki/rest/api/content/" + a["pageId"].(string) + "/child/attachment/" + a["id"].(string) + "/download")
			}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.sim.Transport().RoundTrip(req)
		if err != nil || resp.ContentLength != 4<<30 {
			t.Fatalf("ContentLength = %v, %v, want 4 GiB", resp, err)
		}
		if n, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		resp.Body.Close()
		synctest.Wait() // the simulator's goroutine has ended, or the bubble would not
	})
}

func TestRequestsOverTheTransportLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		address string
		latency time.Duration
		reset   bool
	}{
		{"an answer", nil, AuthURL, 0, false},
		{"a client that left before the answer", nil, AuthURL, 5 * time.Second, false},
		{"a client that left before the connection was cut", nil, AuthURL, 5 * time.Second, true},
		{"a connection that was cut", nil, AuthURL, 0, true},
		{"a host that is none", nil, "https://nowhere.example", 0, false},
		{"a context that is over", over, AuthURL, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) { // fails when a goroutine of the simulator stays
			sim := New(SampleSite(), WithLatency(test.latency, 0))
			if test.reset {
				sim.AddFault(Fault{Reset: true})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if test.ctx != nil {
				ctx = test.ctx
			}
			body := &closing{Reader: strings.NewReader("grant_type=client_credentials")}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, test.address, body)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := sim.Transport().RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			synctest.Wait()
			if got := body.closed.Load(); got != 1 {
				t.Errorf("%s: the request's body was closed %d times, want once", test.name, got)
			}
		})
	}
}

// closing counts how often it is closed.
type closing struct {
	io.Reader
	closed atomic.Int32
}

func (c *closing) Close() error {
	c.closed.Add(1)
	return nil
}
