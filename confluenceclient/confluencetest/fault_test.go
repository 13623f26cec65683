package confluencetest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const page = "/wiki/api/v2/pages/1001"

func TestFaultsActWhereAndAsOftenAsTheySay(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.sim.AddFault(Fault{Route: "/wiki/api/v2/pages/{id}", Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "<html>slow down</html>", After: 1, Count: 2})
	var got []int
	for range 5 {
		got = append(got, c.get(page).status)
	}
	if diff := cmp.Diff([]int{200, 429, 429, 200, 200}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	c.sim.AddFault(Fault{Route: "/wiki/api/v2/pages", Status: 503, Count: 1})
	limited := c.get(page)
	if limited.status != 503 {
		t.Errorf("a path that begins with the fault's: %d", limited.status)
	}
	c.sim.AddFault(Fault{Route: "/wiki/api/v2/spaces", Status: 503})
	c.sim.AddFault(Fault{Face: FaceMedia, Status: 503})
	if got := c.get(page); got.status != 200 {
		t.Errorf("another endpoint's fault acts: %d", got.status)
	}
	c.sim.ClearFaults()
	if got := c.get("/wiki/api/v2/spaces"); got.status != 200 {
		t.Errorf("a fault that was cleared acts: %d", got.status)
	}
}

func TestFaultsOfEachKind(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	with := func(f Fault) reply {
		c.sim.ClearFaults()
		c.sim.AddFault(f)
		return c.get(page)
	}
	if got := with(Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "<html>"}); got.header.Get("Retry-After") != "7" || got.header.Get("Content-Type") != "text/html" {
		t.Errorf("header = %v", got.header)
	}
	if got := with(Fault{Header: http.Header{"X-Cache": {"Error from cloudfront"}}}); got.status != 200 || got.header.Get("X-Cache") == "" || !strings.Contains(got.body, "Run Book") {
		t.Errorf("a header on the real answer: %d %v", got.status, got.header)
	}
	if got := with(Fault{Reset: true}); !errors.Is(got.err, syscall.ECONNRESET) {
		t.Errorf("a cut connection: %v", got.err)
	}
	if got := with(Fault{ShortBody: 10}); got.status != 200 || len(got.body) != 10 || !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("a short body: %d bytes, %v", len(got.body), got.err)
	}
	if got := with(Fault{NoLength: true}); got.header.Get("Content-Length") != "" || !strings.Contains(got.body, "Run Book") {
		t.Errorf("no length: %v", got.header)
	}
	if got := with(Fault{NoLength: true, ShortBody: 10}); len(got.body) != 10 || got.err == nil {
		t.Errorf("no length, and short: %d bytes, %v", len(got.body), got.err)
	}
	if got := c.sim.Requests(); got[2].Status != 0 || got[2].Route == "" {
		t.Errorf("log of the cut connection = %+v", got[2])
	}
}

func TestDelaysEndWithTheirRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, WithLatency(time.Second, 0))
		start := time.Now()
		if got := c.get(page); got.status != 200 || time.Since(start) != time.Second {
			t.Errorf("%d after %v, want a second", got.status, time.Since(start))
		}
		c.sim.AddFault(Fault{Delay: time.Hour})
		client := http.Client{Transport: c.sim.Transport(), Timeout: 5 * time.Second}
		start = time.Now()
		_, err := client.Get(GatewayURL + "/")
		if err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v, want the client's own timeout", err, time.Since(start))
		}
	})
}

func TestRateLimitCountsByEndpointAndSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, WithRateLimit(2))
		var got []int
		for range 3 {
			got = append(got, c.get(page).status)
		}
		refused := c.get("/wiki/api/v2/pages/1000")
		if diff := cmp.Diff([]int{200, 200, 429}, got); diff != "" || refused.status != 429 {
			t.Errorf("statuses, then %d (-want +got):\n%s", refused.status, diff)
		}
		for name, want := range map[string]string{
			"Retry-After": "1", "X-Ratelimit-Limit": "2", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Nearlimit": "true",
			"Ratelimit-Reason": "confluence-burst-based", "X-Ratelimit-Reset": "2000-01-01T00:00:01Z",
		} {
			if refused.header.Get(name) != want {
				t.Errorf("%s = %q, want %q", name, refused.header.Get(name), want)
			}
		}
		if got := c.get("/wiki/api/v2/spaces"); got.status != 200 {
			t.Errorf("another endpoint: %d", got.status)
		}
		time.Sleep(time.Second)
		if got := c.get(page); got.status != 200 || got.header.Get("X-Ratelimit-Remaining") != "1" {
			t.Errorf("a second later: %d %v", got.status, got.header)
		}
	})
}

func TestFaultsFromCommandLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Fault{
		"route=/wiki/api/v2/pages/{id},status=429,retry-after=1,count=2": {Route: "/wiki/api/v2/pages/{id}", Status: 429, Header: http.Header{"Retry-After": {"1"}}, Count: 2},
		"face=media,short-body=1KiB,after=3":                             {Face: FaceMedia, ShortBody: 1024, After: 3, Header: http.Header{}},
		"delay=1m30s":                                                    {Delay: 90 * time.Second, Header: http.Header{}},
		"reset":                                                          {Reset: true, Header: http.Header{}},
		"no-length=true,header=X-Cache: Error, status=503":               {NoLength: true, Status: 503, Header: http.Header{"X-Cache": {"Error"}}},
		`status=200,body={"a":1,"b":2}`:                                  {Status: 200, Body: `{"a":1,"b":2}`, Header: http.Header{}},
	} {
		got, err := ParseFault(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseFault(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "route=/x", "status=42", "status=x", "nosuch=1", "face=moon,status=500", "delay=soon", "header=x,status=500", "count=x,status=500", "short-body=-1"} {
		if got, err := ParseFault(text); err == nil {
			t.Errorf("ParseFault(%q) = %+v, want an error", text, got)
		}
	}
}
