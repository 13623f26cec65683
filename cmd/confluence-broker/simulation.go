package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// simulation is a simulator on a port, all of its hosts in one.
type simulation struct {
	simulator *confluencetest.Simulator
	server    *http.Server
	url       string
}

// startSimulation serves the simulator on l until close, through around, which
// may be nil.
func startSimulation(l net.Listener, simulator *confluencetest.Simulator, around func(http.Handler) http.Handler) *simulation {
	handler := http.Handler(simulator)
	if around != nil {
		handler = around(handler)
	}
	return &simulation{simulator: simulator, server: serveOn(l, handler), url: "http://" + l.Addr().String()}
}

func (s *simulation) close() { _ = s.server.Close() }

// credential is the token of this name; the empty name is the default token.
func (s *simulation) credential(name string) (confluencetest.Credential, error) {
	names := s.simulator.TokenNames()
	if name == "" {
		name = names[0]
	}
	if !slices.Contains(names, name) {
		return confluencetest.Credential{}, fmt.Errorf("the site has no token %q; it has %s", name, strings.Join(names, ", "))
	}
	return s.simulator.TokenNamed(name), nil
}

// variables point a broker at the simulator.
func (s *simulation) variables(credential confluencetest.Credential) [][2]string {
	return [][2]string{
		{"CONFLUENCE_SITE_URL", s.url},
		{"CONFLUENCE_CLOUD_ID", s.simulator.CloudID},
		{"CONFLUENCE_GATEWAY_URL", s.url},
		{"CONFLUENCE_AUTH", string(confluenceclient.SchemeBasic)},
		{"CONFLUENCE_EMAIL", credential.Email},
		{"CONFLUENCE_TOKEN", credential.Token},
		{"CONFLUENCE_OAUTH_TOKEN_URL", s.url + "/oauth/token"},
		{"CONFLUENCE_MEDIA_HOSTS", strings.TrimPrefix(s.url, "http://")},
	}
}

// configure points a broker's configuration at the simulator.
func (s *simulation) configure(c *config) error {
	credential, err := s.credential("")
	if err != nil {
		return err
	}
	c.upstream.SiteURL, c.upstream.GatewayURL, c.upstream.CloudID = s.url, s.url, s.simulator.CloudID
	c.upstream.MediaHosts = []string{strings.TrimPrefix(s.url, "http://")}
	c.upstream.Credentials = confluenceclient.Credentials{
		Scheme: confluenceclient.SchemeBasic, Email: credential.Email, Secret: fixedSecret(credential.Token).value,
	}
	return nil
}

// logRequests writes a line for each request. It leaves out the queries of
// signed addresses, as anything that logs requests should.
func logRequests(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() { // a fault may cut the connection by a panic
			query := r.URL.RawQuery
			if strings.HasPrefix(r.URL.Path, "/file/") {
				query = ""
			}
			log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "query", query,
				"status", seen.status, "duration", time.Since(begin), "atl_traceid", w.Header().Get("Atl-Traceid"))
		}()
		next.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status that was sent.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
