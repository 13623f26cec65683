package confluenceclient

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestOperatorsSeeTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		b := &breakable{path: "/search", status: 500}
		b.broken.Store(true)
		u := &limited{until: time.Now().Add(time.Second), only: "/pages/", headers: []string{"Retry-After", "1", "RateLimit-Reason", "confluence-burst-based"}}
		client, _ := newTestClient(t, nil, func(c *Config) {
			c.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
			c.Transport = either{search: b, pages: &upstream{answer: u.answer}}
		})
		if err := ask(t.Context(), client, opGetPage); err != nil {
			t.Error(err)
		}
		askFor(t, client, opSearch, 5*time.Second)
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range all.ScopeMetrics[0].Metrics {
			seen[m.Name] = true
			if m.Name == "confluence_broker.upstream.in_flight" {
				for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
					if point.Value != 0 {
						t.Errorf("%d requests in flight after all have ended", point.Value)
					}
				}
			}
		}
		for _, name := range []string{"wait.duration", "waiting", "in_flight", "concurrency.limit", "breaker.state", "retries", "retries.left", "refusals"} {
			if !seen["confluence_broker.upstream."+name] {
				t.Errorf("no metric %s among %v", name, slices.Sorted(maps.Keys(seen)))
			}
		}
	})
}

// either sends searches one way and all else another.
type either struct{ search, pages http.RoundTripper }

func (e either) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, "/search") {
		return e.search.RoundTrip(req)
	}
	return e.pages.RoundTrip(req)
}
