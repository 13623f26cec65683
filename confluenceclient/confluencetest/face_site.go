package confluencetest

import (
	"net/http"
	"strings"
)

// serveSite is the site's own address. It shows people's pages, tells its cloud
// ID to anybody, and of tokens takes only those without scopes: all others are
// stopped before Confluence sees them (api-facts §1).
func (s *Simulator) serveSite(w http.ResponseWriter, r *http.Request, entry *Request) {
	if r.URL.Path == "/_edge/tenant_info" {
		answerJSON(w, http.StatusOK, object{"cloudId": s.CloudID})
		return
	}
	if strings.HasPrefix(r.URL.Path, "/wiki/download/") {
		s.suspect(entry, "the download address is a browser's and refuses tokens (CHANGE-2735)")
		refuseServlet(w, s.hosts.site)
		return
	}
	route, r := s.routeFor(r, r.URL.Path)
	if route == nil {
		refuseHTML(w, http.StatusNotFound)
		return
	}
	entry.set(route.path)
	who := s.identify(r)
	entry.setToken(who)
	_, _, basic := r.BasicAuth()
	switch {
	case who.token != nil && who.token.open:
		s.confluence(w, r, route, who.token.account, entry)
	case who.token != nil && basic:
		refuseHTML(w, http.StatusUnauthorized)
	case r.Header.Get("Authorization") != "" && !basic:
		answerJSON(w, http.StatusForbidden, object{"error": "Failed to parse Connect Session Auth Token"})
	case s.quirk(AnonymousSite):
		s.anonymous(w, r, route, entry)
	case basic:
		w.Header().Set("X-Seraph-Loginreason", "AUTHENTICATED_FAILED")
		answer(w, http.StatusUnauthorized, "text/plain", []byte("Client must be authenticated to access this resource."))
	default:
		refuseAccount(w, route)
	}
}

// anonymous answers as to somebody who is nobody (jira.js#418).
func (s *Simulator) anonymous(w http.ResponseWriter, r *http.Request, route *route, entry *Request) {
	if r.Header.Get("Authorization") != "" {
		w.Header().Set("X-Seraph-Loginreason", "AUTHENTICATED_FAILED")
	}
	s.confluence(w, r, route, &account{name: "anonymous", display: "Anonymous"}, entry)
}
