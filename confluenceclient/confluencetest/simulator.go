package confluencetest

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Face is one of the hosts that the simulator plays.
type Face string

// The faces.
const (
	FaceGateway Face = "gateway" // api.atlassian.com: /ex/confluence/{cloudId}/…
	FaceSite    Face = "site"    // SITE.atlassian.net: people's addresses, and /_edge/tenant_info
	FaceAuth    Face = "auth"    // auth.atlassian.com: /oauth/token
	FaceMedia   Face = "media"   // api.media.atlassian.com: /file/…, by signed addresses
)

// Addresses of the faces in memory (see [Simulator.Transport]).
const (
	GatewayURL = "https://api.acme.example"
	SiteURL    = "https://acme.example"
	AuthURL    = "https://auth.acme.example/oauth/token"
	MediaHost  = "media.acme.example"
)

// hosts are the addresses of the faces, without a slash at the end.
type hosts struct{ gateway, site, auth, media string }

// Simulator is Confluence Cloud as a client sees it: an http.Handler for all
// four faces. Requests for a host that is one of its own are that face's; on any
// other host, such as a single loopback listener, the path tells. Safe for
// concurrent use.
type Simulator struct {
	// CloudID names the site at the gateway.
	CloudID string
	// Email and Token are the credential of the site's first token; in the
	// sample site that is a service account's, with the fewest scopes.
	Email, Token string

	site     *Site
	hosts    hosts
	settings settings
	mux      *http.ServeMux
	key      []byte // signs cursors and download addresses, so no other server takes them

	mu      sync.Mutex
	log     []*Request // the latest
	arrived uint64     // requests ever
	faults  []*activeFault
	revoked map[string]bool   // names of tokens and OAuth clients
	access  map[string]*token // OAuth access tokens
	seconds map[string]*second
	walks   int
}

// New makes a simulator of the site.
func New(site *Site, opts ...Option) *Simulator {
	first := site.tokens[0]
	s := &Simulator{
		CloudID: site.cloudID, Email: first.account.email, Token: first.secret,
		site: site, key: make([]byte, 32), mux: http.NewServeMux(),
		hosts:   hosts{gateway: GatewayURL, site: SiteURL, auth: strings.TrimSuffix(AuthURL, "/oauth/token"), media: "https://" + MediaHost},
		revoked: map[string]bool{}, access: map[string]*token{}, seconds: map[string]*second{},
	}
	_, _ = rand.Read(s.key) // never fails
	for _, opt := range opts {
		opt(s)
	}
	for _, r := range routes() {
		method := http.MethodGet
		if r.method != "" {
			method = r.method
		}
		s.mux.Handle(method+" "+r.path, &routeHandler{route: r})
	}
	return s
}

// ServeHTTP answers for the face that the request is for.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	face := s.faceOf(r)
	entry := s.record(face, r)
	traced := &tracedWriter{ResponseWriter: w, entry: entry}
	traced.Header().Set("Atl-Traceid", entry.TraceID)
	if traced.Header().Get("Date") == "" { // net/http sets it on sockets only
		traced.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	s.suspectRequest(entry, r)
	s.pace(r)
	s.withFaults(traced, r, entry, func(w http.ResponseWriter) {
		switch face {
		case FaceGateway:
			s.gateway(w, r, entry)
		case FaceAuth:
			s.oauth(w, r)
		case FaceMedia:
			s.serveMedia(w, r)
		default:
			s.serveSite(w, r, entry)
		}
	})
}

// faceOf tells which host a request is for.
func (s *Simulator) faceOf(r *http.Request) Face {
	var mine []Face
	for face, address := range map[Face]string{FaceGateway: s.hosts.gateway, FaceSite: s.hosts.site, FaceAuth: s.hosts.auth, FaceMedia: s.hosts.media} {
		if strings.EqualFold(hostOf(address), r.Host) {
			mine = append(mine, face)
		}
	}
	if len(mine) == 1 {
		return mine[0]
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/ex/"):
		return FaceGateway
	case strings.HasPrefix(r.URL.Path, "/oauth/"):
		return FaceAuth
	case strings.HasPrefix(r.URL.Path, "/file/"):
		return FaceMedia
	}
	return FaceSite
}

// plays tells whether the host is one of the faces'.
func (s *Simulator) plays(host string) bool {
	for _, address := range []string{s.hosts.gateway, s.hosts.site, s.hosts.auth, s.hosts.media} {
		if strings.EqualFold(hostOf(address), host) {
			return true
		}
	}
	return false
}

func hostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

// addresses are what the site and the media face are called in an answer: with
// all faces on one listener, by the host that the request came to.
func (s *Simulator) addresses(r *http.Request) (site, media string) {
	for _, address := range []string{s.hosts.gateway, s.hosts.site} {
		if strings.EqualFold(hostOf(address), r.Host) {
			return s.hosts.site, s.hosts.media
		}
	}
	own := "http://" + r.Host
	if r.TLS != nil {
		own = "https://" + r.Host
	}
	return own, own
}

// pace makes the request wait for as long as WithLatency says.
func (s *Simulator) pace(r *http.Request) {
	sleep(r, s.jittered(s.settings.latency, s.settings.jitter))
}

// jittered is wait and up to jitter more.
func (s *Simulator) jittered(wait, jitter time.Duration) time.Duration {
	if jitter > 0 {
		wait += time.Duration(mix(s.nextWalk()) % uint64(jitter))
	}
	return wait
}

func (s *Simulator) nextWalk() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.walks++
	return uint64(s.walks)
}

// sleep waits until the time is over or the client has left.
func sleep(r *http.Request, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// RevokeToken makes the token of this name in the fixture a dead one. It panics
// if there is none, since a test would show nothing then.
func (s *Simulator) RevokeToken(name string) {
	s.TokenNamed(name)
	s.revoke(name)
}

// RevokeClient makes the OAuth client of this name in the fixture a dead one: it
// is granted nothing more, and the access tokens that it has are over. It panics
// if there is none.
func (s *Simulator) RevokeClient(name string) {
	s.ClientNamed(name)
	s.revoke(name)
}

// revoke ends a credential. Tokens and clients are one name space.
func (s *Simulator) revoke(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked[name] = true
}

func (s *Simulator) hasRevoked(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked[name]
}

// Credential is what a client sends for a token.
type Credential struct {
	Email, Token string   // e-mail of the token's account, and the token itself
	Scopes       []string // nil: not a scoped token
}

// TokenNamed returns the token of this name in the fixture, such as "classic" in
// the sample site. It panics if there is none.
func (s *Simulator) TokenNamed(name string) Credential {
	for _, t := range s.site.tokens {
		if t.name == name {
			return Credential{Email: t.account.email, Token: t.secret, Scopes: t.scopes}
		}
	}
	panic("confluencetest: the site has no token named " + name)
}

// TokenNames lists the fixture's tokens in their order.
func (s *Simulator) TokenNames() []string {
	var names []string
	for _, t := range s.site.tokens {
		names = append(names, t.name)
	}
	return names
}

// ClientNames lists the fixture's OAuth clients in their order.
func (s *Simulator) ClientNames() []string {
	var names []string
	for _, c := range s.site.clients {
		names = append(names, c.name)
	}
	return names
}

// ClientNamed returns id and secret of the OAuth client of this name in the
// fixture. It panics if there is none.
func (s *Simulator) ClientNamed(name string) (id, secret string) {
	for _, c := range s.site.clients {
		if c.name == name {
			return c.id, c.secret
		}
	}
	panic("confluencetest: the site has no OAuth client named " + name)
}
