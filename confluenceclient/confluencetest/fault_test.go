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

func TestFaultsActHoweverThePathIsSpelled(t *testing.T) {
	t.Parallel()
	sim := New(SampleSite())
	gateway := "/ex/confluence/" + sim.CloudID
	const another = "/ex/confluence/99999999-0000-0000-0000-000000000000"
	tests := []struct {
		route, address string
		acts           bool
	}{
		{page, GatewayURL + gateway + page, true},
		{page, GatewayURL + gateway + "/api/v2/pages/1001", true},
		{page, SiteURL + page, true},
		{"/api/v2/pages/1001", GatewayURL + gateway + page, true},
		{gateway + page, GatewayURL + gateway + "/api/v2/pages/1001", true},
		{gateway + "/api/v2/pages", GatewayURL + gateway + page, true},
		{another + "/", GatewayURL + another + page, true},
		{another + "/", GatewayURL + gateway + page, false},
		{"/wiki/api/v2/pages/{id}", GatewayURL + gateway + page, true},
		{"/wiki/api/v2/pages/{id}", GatewayURL + gateway + "/api/v2/pages/1001", true},
		{"/wiki/api/v2/pages/{id}", SiteURL + page, true},
		{"/wiki/api/v2/pages/{pageId}", GatewayURL + gateway + page, true},
		{"/api/v2/pages/{id}", GatewayURL + gateway + page, true},
		{"/ex/confluence/{cloudId}/wiki/api/v2/pages/{id}", GatewayURL + gateway + page, true},
		{"/wiki/api/v2/pages/{id}", GatewayURL + gateway + page + "/labels", false},
		{"/wiki/api/v2/pages/{id}", GatewayURL + gateway + "/wiki/api/v2/blogposts/6006", false},
		{"/wiki/api/v2/spaces", GatewayURL + gateway + "/api/v2/pages/1001", false},
		{"/wiki", GatewayURL + gateway + "/api/v2/pages/1001", true},
		{"/file/", "https://" + MediaHost + "/file/x/binary", true},
		{"/oauth/token", AuthURL, true},
		{"/_edge/tenant_info", SiteURL + "/_edge/tenant_info", true},
	}
	for _, test := range tests {
		sim.ClearFaults()
		f, err := ParseFault("status=418,route=" + test.route)
		if err != nil {
			t.Error(err)
			continue
		}
		sim.AddFault(f)
		if got := callerOf(t, sim).ask(test.address); (got.status == 418) != test.acts {
			t.Errorf("a fault on %s, %s: %d, want it to act: %v", test.route, test.address, got.status, test.acts)
		}
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

func TestFaultsLimitAndSlowOneRoute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t)
		for _, text := range []string{
			"route=/wiki/api/v2/pages/{id},per-second=2,reason=confluence-quota-tenant-based,retry-after=900",
			"route=/wiki/api/v2/spaces,delay=1s,jitter=1s",
		} {
			f, err := ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			c.sim.AddFault(f)
		}
		var got []int
		for range 3 {
			got = append(got, c.get(page).status)
		}
		refused := c.get("/wiki/api/v2/pages/1000")
		if diff := cmp.Diff([]int{200, 200, 429}, got); diff != "" || refused.status != 429 {
			t.Errorf("statuses, then %d (-want +got):\n%s", refused.status, diff)
		}
		for name, want := range map[string]string{"RateLimit-Reason": "confluence-quota-tenant-based", "Retry-After": "900", "X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "0"} {
			if refused.header.Get(name) != want {
				t.Errorf("%s = %q, want %q", name, refused.header.Get(name), want)
			}
		}
		start := time.Now()
		if got := c.get("/wiki/api/v2/spaces"); got.status != 200 || time.Since(start) < time.Second || time.Since(start) >= 2*time.Second {
			t.Errorf("a slow endpoint: %d after %v", got.status, time.Since(start))
		}
		if got := c.get(page); got.status != 200 {
			t.Errorf("more than a second later: %d", got.status)
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
		"status=200, body=a,b,":                                          {Status: 200, Body: "a,b,", Header: http.Header{}},
		"header=A:b,header=A:c,delay=0s":                                 {Header: http.Header{"A": {"b", "c"}}},
		"status=200,short-body=1,body=xy":                                {Status: 200, ShortBody: 1, Body: "xy", Header: http.Header{}},
	} {
		got, err := ParseFault(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseFault(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{
		"jitter=-1s", "per-second=0", "per-second=-1", "per-second=2,status=503", "reset,per-second=2", "reason=bored,status=429", "reason=confluence-burst-based",
		"count=-1,status=500", "after=-3,status=500", "delay=-1s", "status=204,body=x", "status=304,body=x", "body=x", "header=A:b,body=x",
		"status=500,status=501", "reset,reset", "route=/x,route=/y,status=500", "retry-after=1,retry-after=2", "count=1, count=2,status=500",
		"reset,status=500", "reset,header=A:b", "reset,short-body=1", "reset=false", "status=503,short-body=10", "status=200,short-body=1,body=x",
		"header=:x", "header=a b:x", "header=A:\x00", "retry-after=\n", "route=pages,status=500", "route=/wiki/api/v2/nothing/{id},status=500",
		"", "route=/x", "status=42", "status=x", "nosuch=1", "face=moon,status=500", "delay=soon", "header=x,status=500", "count=x,status=500", "short-body=-1",
	} {
		if got, err := ParseFault(text); err == nil {
			t.Errorf("ParseFault(%q) = %+v, want an error", text, got)
		}
	}
}
