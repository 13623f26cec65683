package confluencetest

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Server is a simulator on loopback sockets, one for each face, so that a
// request which went to the wrong host shows.
type Server struct {
	*Simulator
}

// NewServer starts a server that ends with the test. When it ends, the test
// fails for each request that a careful client would not have sent, with a
// sentence that says what was probably done wrong; see [Allow].
func NewServer(t testing.TB, site *Site, opts ...Option) *Server {
	t.Helper()
	var listeners []*httptest.Server
	for range 4 {
		listeners = append(listeners, httptest.NewUnstartedServer(nil))
	}
	address := func(i int) string { return "http://" + listeners[i].Listener.Addr().String() }
	// Clients keep the Authorization header when only the port changes, so the
	// media host needs a name of its own to be another host, as Atlassian's is.
	media := strings.Replace(address(3), "127.0.0.1", "localhost", 1)
	opts = append(opts, func(s *Simulator) {
		s.hosts = hosts{gateway: address(0), site: address(1), auth: address(2), media: media}
	})
	s := &Server{Simulator: New(site, opts...)}
	for _, listener := range listeners {
		listener.Config.Handler = s.Simulator
		listener.Start()
	}
	t.Cleanup(func() {
		for _, listener := range listeners {
			listener.CloseClientConnections()
			listener.Close()
		}
		for _, complaint := range s.Suspicious() {
			t.Errorf("confluencetest: a careful client would not send this: %s", complaint)
		}
	})
	return s
}

// GatewayURL is what stands in for https://api.atlassian.com.
func (s *Server) GatewayURL() string { return s.hosts.gateway }

// SiteURL is what stands in for https://SITE.atlassian.net.
func (s *Server) SiteURL() string { return s.hosts.site }

// AuthURL is what stands in for https://auth.atlassian.com/oauth/token.
func (s *Server) AuthURL() string { return s.hosts.auth + "/oauth/token" }

// MediaHost is host and port of what stands in for api.media.atlassian.com.
func (s *Server) MediaHost() string { return strings.TrimPrefix(s.hosts.media, "http://") }
