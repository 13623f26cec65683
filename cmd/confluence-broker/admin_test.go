package main

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func TestReadinessTellsOfConfluenceButDoesNotDependOnIt(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	ready.Store(true)
	status := confluenceclient.Status{Operations: []confluenceclient.OperationStatus{
		{Operation: "getPageById", Breaker: "closed", Pace: confluenceclient.PaceStatus{Limit: 49}},
	}}
	var token confluenceclient.TokenStatus
	admin := newAdmin(prometheus.NewRegistry(), &ready, func() confluenceclient.Status { return status },
		func() confluenceclient.TokenStatus { return token })
	check := func(code int, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		admin.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		if w.Code != code || w.Body.String() != want {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body, code, want)
		}
	}
	check(http.StatusOK, "ready\n")
	status.Tenant.Paused = 1500 * time.Millisecond
	status.Operations = append(status.Operations,
		confluenceclient.OperationStatus{Operation: "getPages", Breaker: "closed", Pace: confluenceclient.PaceStatus{Paused: time.Second}},
		confluenceclient.OperationStatus{Operation: "searchByCQL", Breaker: "open", Pace: confluenceclient.PaceStatus{Paused: time.Second}})
	check(http.StatusOK, "ready\nConfluence wants no requests for 1.5s\nConfluence wants no requests for getPages for 1s\nConfluence fails searchByCQL; the breaker is open\n")
	status = confluenceclient.Status{}
	seen := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token = confluenceclient.TokenStatus{Standing: "rejected", SeenAt: seen, Candidate: "unknown", AccessUntil: seen}
	check(http.StatusOK, "ready\nthe token: rejected, as Confluence said at 2026-03-01T12:00:00Z\na newer token is not in use: unknown\n"+
		"the OAuth access token ended at 2026-03-01T12:00:00Z and could not be renewed\n")
	ready.Store(false)
	check(http.StatusServiceUnavailable, "stopping\n")
}
