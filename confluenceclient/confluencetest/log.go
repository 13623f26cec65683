package confluencetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is one request that the simulator got, in the order of arrival.
type Request struct {
	Time    time.Time
	Face    Face
	Method  string
	Path    string      // as it came
	Route   string      // template of the endpoint; empty: none, or not a face with endpoints
	Query   url.Values  // a copy
	Header  http.Header // a copy, credentials and all
	Token   string      // name of the token in the fixture; empty: none that is known
	Status  int         // of the answer; 0: none yet, or the connection was cut
	TraceID string      // the answer's Atl-Traceid

	// Suspicious says what a careful client would have done otherwise.
	Suspicious []string

	sim *Simulator
}

func (s *Simulator) record(face Face, r *http.Request) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived++
	entry := &Request{
		Time: time.Now(), Face: face, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(),
		TraceID: fmt.Sprintf("%016x%016x", mix(s.arrived), mix(s.arrived<<32)), sim: s,
	}
	s.log = append(s.log, entry)
	if len(s.log) >= 2*maxLog {
		s.log = slices.Clone(s.log[maxLog:])
	}
	return entry
}

// maxLog is how many requests are remembered at least, so that a simulator may
// run for days.
const maxLog = 50_000

// Requests returns what has come so far, or of a great many the latest 50,000.
// The result is the caller's.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.log))
	for i, entry := range s.log {
		requests[i] = *entry
		requests[i].Suspicious = slices.Clone(entry.Suspicious)
	}
	return requests
}

// Suspicious returns a sentence for each request so far that a careful client
// would not have sent, unless Allow lets it pass.
func (s *Simulator) Suspicious() []string {
	var complaints []string
	for _, r := range s.Requests() {
		for _, text := range r.Suspicious {
			complaint := fmt.Sprintf("%s %s (%s): %s", r.Method, r.Path, r.Face, text)
			if !slices.ContainsFunc(s.settings.allowed, func(word string) bool { return strings.Contains(complaint, word) }) {
				complaints = append(complaints, complaint)
			}
		}
	}
	return complaints
}

func (e *Request) set(route string) {
	e.sim.mu.Lock()
	defer e.sim.mu.Unlock()
	e.Route = route
}

func (e *Request) setToken(who identity) {
	e.sim.mu.Lock()
	defer e.sim.mu.Unlock()
	e.Token = who.name
}

func (s *Simulator) suspect(e *Request, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Suspicious = append(e.Suspicious, text)
}

// suspectRequest looks for what no request should have, whatever it is for.
func (s *Simulator) suspectRequest(e *Request, r *http.Request) {
	authorized := r.Header.Get("Authorization") != ""
	switch {
	case r.Method != http.MethodGet && e.Face != FaceAuth && !strings.HasSuffix(r.URL.Path, "/content/convert-ids-to-types") && !strings.HasSuffix(r.URL.Path, "/users-bulk"):
		s.suspect(e, "the method is "+r.Method+", but a reader only needs GET")
	case authorized && e.Face == FaceSite:
		s.suspect(e, "the token was sent to the site: scoped tokens work at the gateway only, and the site is for people's links; right only to see whether a token is a scoped one, as confluence-broker doctor does once")
	case authorized && e.Face == FaceMedia && s.isOther(r):
		s.suspect(e, "the Authorization header went along with the redirect to the media host: the signed address is enough, and the token is nobody else's business")
	}
	if r.Header.Get("Cookie") != "" {
		s.suspect(e, "a cookie was sent: the API needs none")
	}
	for name := range r.URL.Query() {
		if e.Face == FaceGateway && (strings.EqualFold(name, "token") || strings.EqualFold(name, "access_token") || name == "os_authType") {
			s.suspect(e, "a credential is in the query, where every log on the way keeps it")
		}
	}
}

// suspectQuery looks for parameters that the endpoint does not have. Confluence
// ignores them without a word.
func (s *Simulator) suspectQuery(e *Request, route *route, query url.Values) {
	if route.old {
		s.suspect(e, "the endpoint is out of Atlassian's API description, and answers 410 on many sites: v2 has what it said")
		return
	}
	for name := range query {
		switch {
		case name == "start" && strings.HasSuffix(route.path, "/search"):
			s.suspect(e, "the parameter start is ignored: listings go on by cursor only, so this client would read the first page again and again")
		case !route.knows(name):
			s.suspect(e, "the endpoint has no parameter "+name+", and ignores it")
		}
	}
}

// tracedWriter notes the status that an answer goes out with.
type tracedWriter struct {
	http.ResponseWriter
	entry *Request
}

func (w *tracedWriter) WriteHeader(status int) {
	w.entry.sim.mu.Lock()
	w.entry.Status = status
	w.entry.sim.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

func (w *tracedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
