package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// newAdmin serves operators over HTTP. It shows no secret, but it is not meant
// for callers: pprof costs time, and metrics tell who calls what.
func newAdmin(registry *prometheus.Registry, ready *atomic.Bool, upstream func() confluenceclient.Status, token func() confluenceclient.TokenStatus) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		// Confluence's state is told and makes no difference, on purpose: a restart
		// or another replica would not mend it, and callers get an error that says
		// what is wrong.
		if !ready.Load() {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
		describeToken(w, token())
		describe(w, upstream())
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	// Writing has no limit: a profile takes as long as it is asked to.
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

// describeToken says, for people, what is wrong with the token.
func describeToken(w io.Writer, token confluenceclient.TokenStatus) {
	if token.Standing == "rejected" || token.Standing == "no access" {
		fmt.Fprintf(w, "the token: %s, as Confluence said at %s\n", token.Standing, token.SeenAt.UTC().Format(time.RFC3339))
	}
	if token.Candidate != "" {
		fmt.Fprintf(w, "a newer token is not in use: %s\n", token.Candidate)
	}
	if !token.AccessUntil.IsZero() && time.Now().After(token.AccessUntil) {
		fmt.Fprintf(w, "the OAuth access token ended at %s and could not be renewed\n", token.AccessUntil.UTC().Format(time.RFC3339))
	}
}

// describe says, for people, what Confluence does not serve at the moment.
func describe(w io.Writer, status confluenceclient.Status) {
	pause := func(what string, pace confluenceclient.PaceStatus) {
		if pace.Paused > 0 {
			fmt.Fprintf(w, "Confluence wants no requests%s for %s\n", what, pace.Paused.Round(time.Millisecond))
		}
	}
	pause("", status.Tenant)
	for _, op := range status.Operations {
		if op.Breaker != "closed" {
			fmt.Fprintf(w, "Confluence fails %s; the breaker is %s\n", op.Operation, op.Breaker)
			continue
		}
		pause(" for "+op.Operation, op.Pace)
	}
}
