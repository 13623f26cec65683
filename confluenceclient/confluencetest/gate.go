package confluencetest

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// gateway is Atlassian's API gateway: it knows cloud IDs, credentials and
// scopes, and only then hands a request to Confluence.
func (s *Simulator) gateway(w http.ResponseWriter, r *http.Request, entry *Request) {
	cloudID, inner, ok := innerPath(r.URL.Path)
	if !ok || cloudID != s.CloudID {
		if !strings.HasPrefix(r.URL.Path, "/ex/confluence/") { // another cloud ID can be a fault of the settings
			s.suspect(entry, "the gateway has no such path: every path begins with /ex/confluence/ and the cloud ID; _links.base names the site, so links are not to be followed")
		}
		refuseRoute(w, r.URL.Path)
		return
	}
	route, r := s.routeFor(r, inner)
	if route == nil {
		s.refuseUnknown(w, r, entry, inner)
		return
	}
	entry.set(route.path)
	who := s.identify(r)
	entry.setToken(who)
	switch {
	case who.refusal == cutShort:
		refuseGateway(w, "FAILURE_CLIENT_AUTH", "Unauthorized")
	case who.refusal == mismatch:
		refuseMismatch(w)
	case who.refusal == over:
		answerJSON(w, http.StatusUnauthorized, object{"code": 401, "message": "Unauthorized"})
	case who.token == nil:
		refuseAccount(w, route) // without a look at scopes
	case !who.token.opens(route):
		refuseScope(w)
	default:
		s.confluence(w, r, route, who.token.account, entry)
	}
}

// innerPath splits a path of the gateway, /ex/confluence/{cloudId}/…, into the
// cloud ID and the path that Confluence is asked for.
func innerPath(path string) (cloudID, inner string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/ex/confluence/")
	cloudID, inner, found := strings.Cut(rest, "/")
	if !ok || !found {
		return "", "", false
	}
	return cloudID, withWiki("/" + inner), true
}

// withWiki is the path with /wiki in front: both forms work (api-facts §1).
func withWiki(path string) string {
	if strings.HasPrefix(path, "/wiki/") {
		return path
	}
	return "/wiki" + path
}

// confluence answers for an account, wherever its request came through.
func (s *Simulator) confluence(w http.ResponseWriter, r *http.Request, route *route, a *account, entry *Request) {
	if a.noAccess {
		refuseAccount(w, route)
		return
	}
	s.suspectQuery(entry, route, r.URL.Query())
	if s.limited(w, route) {
		return
	}
	base, media := s.addresses(r)
	route.answer(&request{Simulator: s, w: w, http: r, route: route, account: a, query: r.URL.Query(), base: base, media: media})
}

func (s *Simulator) refuseUnknown(w http.ResponseWriter, r *http.Request, entry *Request, inner string) {
	switch {
	case r.Method != http.MethodGet: // writing needs scopes that no token of a reader has
		refuseScope(w)
	case strings.HasPrefix(inner, "/wiki/download/"):
		s.suspect(entry, "the download address is a browser's and refuses tokens (CHANGE-2735): make the path of /wiki/rest/api/content/{id}/child/attachment/{attachmentId}/download from ids")
		refuseServlet(w, s.hosts.site)
	case strings.HasPrefix(inner, "/wiki/wiki/"):
		s.suspect(entry, "/wiki is in the path twice: _links.base and _links.next of v2 have it both, so take only the cursor from a link")
		refuseRoute(w, r.URL.Path)
	default:
		s.suspect(entry, "there is no such endpoint, or the simulator does not know it")
		refuseRoute(w, r.URL.Path)
	}
}

// refuseServlet is the answer of the addresses that only browsers may use.
func refuseServlet(w http.ResponseWriter, site string) {
	w.Header().Set("WWW-Authenticate", `OAuth realm="`+site+`/wiki"`)
	refuseHTML(w, http.StatusUnauthorized)
}

// routeFor finds the route of a path, and the request with the path's values.
func (s *Simulator) routeFor(r *http.Request, inner string) (*route, *http.Request) {
	if path.Clean(inner) != strings.TrimSuffix(inner, "/") {
		return nil, r // ServeMux would redirect; the gateway does not
	}
	probe := r.Clone(r.Context())
	probe.URL.Path, probe.URL.RawPath, probe.Host = inner, "", ""
	handler, pattern := s.mux.Handler(probe)
	found, ok := handler.(*routeHandler)
	if pattern == "" || !ok {
		return nil, r
	}
	s.mux.ServeHTTP(nil, probe) // sets the path's values; routeHandler does nothing else
	probe.Host = r.Host
	return found.route, probe
}

// routeHandler makes a route known to ServeMux, which is asked for the matching
// alone: the gate stands between matching and answering.
type routeHandler struct{ route *route }

func (*routeHandler) ServeHTTP(http.ResponseWriter, *http.Request) {}

// refusal is how a credential fails.
type refusal int

const (
	unknown  refusal = iota // not known, revoked, expired, or none given
	mismatch                // e-mail and token of different accounts, or the wrong scheme
	cutShort                // the token's tail is missing
	over                    // an access token of OAuth that is no longer good, or never was
)

// identity is what a request's credential amounts to.
type identity struct {
	token   *token // nil: refused
	name    string // of the token, refused or not; empty: not known
	refusal refusal
}

func (s *Simulator) identify(r *http.Request) identity {
	email, secret, basic := r.BasicAuth()
	if !basic {
		bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			return identity{}
		}
		secret = bearer
	}
	if t := s.accessToken(secret); t != nil && !basic {
		return identity{token: t, name: t.name}
	}
	for _, t := range s.site.tokens {
		if t.secret == secret {
			return s.judge(t, email, basic)
		}
	}
	switch {
	case lostItsTail(secret):
		return identity{refusal: cutShort}
	case !basic && strings.HasPrefix(secret, "eyJ"): // as every JWT begins
		return identity{refusal: over}
	}
	return identity{}
}

func (s *Simulator) judge(t *token, email string, basic bool) identity {
	switch {
	case t.revoked, s.hasRevoked(t.name), !t.expires.IsZero() && time.Now().After(t.expires):
		return identity{name: t.name}
	case basic && !strings.EqualFold(email, t.account.email),
		!basic && !t.account.service && !s.quirk(UserTokensAsBearer):
		return identity{name: t.name, refusal: mismatch}
	}
	return identity{token: t, name: t.name}
}
