package confluencetest

import (
	"net/http"
	"strings"
	"time"
)

// Fault is something that goes wrong with the requests that match it. Of several
// faults that match, the one that was added first acts, unless it is used up or
// lets the request pass.
type Fault struct {
	// Route is the template of an endpoint, or how a path begins; with or without
	// /ex/confluence/{cloudId} and /wiki in front. Empty: any.
	Route string
	Face  Face // empty: any

	Status    int           // answer with this status, Header and Body; 0: the real answer (or PerSecond's), with Header added
	Header    http.Header   // canonical names
	Body      string        // its type is told by its first sign, unless Header has Content-Type
	Delay     time.Duration // wait first, or until the client leaves
	Jitter    time.Duration // wait by up to so much more
	PerSecond int           // let so many matching requests of a second pass, and answer 429 to the others; 0: no limit
	Reset     bool          // cut the connection instead of answering
	ShortBody int64         // cut the connection after so many bytes of the body; 0: do not
	NoLength  bool          // send no Content-Length

	After int // let so many matching requests pass first
	Count int // act so many times; 0: for ever
}

type activeFault struct {
	Fault
	passed, acted int
	second        second
}

// AddFault makes f act from the next request on.
func (s *Simulator) AddFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &activeFault{Fault: f})
}

// ClearFaults removes all faults.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Simulator) hasFaults() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults) > 0
}

// asked is what a fault can know of a request. template is that of its endpoint,
// inner the path as the gateway hands it to Confluence; either may be empty.
type asked struct {
	face                  Face
	path, inner, template string
}

func (s *Simulator) asked(face Face, r *http.Request) asked {
	a := asked{face: face, path: r.URL.Path}
	switch face {
	case FaceGateway:
		_, a.inner, _ = innerPath(a.path)
	case FaceSite:
		a.inner = a.path
	}
	if route, _ := s.routeFor(r, a.inner); route != nil {
		a.template = route.path
	}
	return a
}

func (s *Simulator) faultFor(a asked) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.matches(a) || (f.Count > 0 && f.acted >= f.Count) {
			continue
		}
		if f.passed < f.After {
			f.passed++
			continue
		}
		if f.PerSecond > 0 && f.second.admit(f.PerSecond, time.Now()) >= 0 {
			continue
		}
		f.acted++
		return &f.Fault
	}
	return nil
}

func (f *Fault) matches(a asked) bool {
	route, isTemplate := f.template()
	switch {
	case f.Face != "" && f.Face != a.face:
		return false
	case isTemplate:
		return shape(route) == shape(a.template)
	case strings.HasPrefix(a.path, f.Route):
		return true
	}
	if cloudID, inner, ok := innerPath(f.Route); ok {
		return strings.HasPrefix(a.path, "/ex/confluence/"+cloudID+"/") && strings.HasPrefix(a.inner, inner)
	}
	return strings.HasPrefix(a.inner, f.Route) || strings.HasPrefix(a.inner, withWiki(f.Route))
}

// template is the fault's route below the gateway's /ex/confluence/{cloudId},
// and whether it is a template of an endpoint, not the begin of a path.
func (f *Fault) template() (route string, ok bool) {
	route = strings.TrimPrefix(f.Route, "/ex/confluence/{cloudId}")
	return withWiki(route), strings.Contains(route, "{")
}

// withFaults serves a request, or spoils it.
func (s *Simulator) withFaults(w http.ResponseWriter, r *http.Request, entry *Request, serve func(http.ResponseWriter)) {
	if !s.hasFaults() {
		serve(w)
		return
	}
	a := s.asked(entry.Face, r)
	f := s.faultFor(a)
	if f == nil {
		serve(w)
		return
	}
	entry.set(a.template)
	sleep(r, s.jittered(f.Delay, f.Jitter))
	if f.Reset || r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	}
	if f.ShortBody > 0 || f.NoLength || len(f.Header) > 0 {
		w = &spoiledWriter{ResponseWriter: w, fault: f, left: f.ShortBody}
	}
	if f.PerSecond > 0 {
		tellLimit(w.Header(), f.PerSecond, 0, time.Now())
	}
	switch {
	case f.PerSecond > 0 && f.Status == 0:
		refuseRate(w)
		return
	case f.Status == 0:
		serve(w)
		return
	}
	answer(w, f.Status, contentTypeOf(f.Body), []byte(f.Body))
}

func contentTypeOf(body string) string {
	switch {
	case body == "":
		return ""
	case strings.ContainsAny(body[:1], "{["):
		return "application/json"
	case body[0] == '<':
		return "text/html"
	}
	return "text/plain"
}

// spoiledWriter adds a fault's headers to an answer, and ends it early.
type spoiledWriter struct {
	http.ResponseWriter
	fault *Fault
	left  int64
	begun bool
}

func (w *spoiledWriter) WriteHeader(status int) {
	w.begun = true
	for name, values := range w.fault.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.fault.NoLength {
		w.Header().Del("Content-Length")
	}
	w.ResponseWriter.WriteHeader(status)
	if w.fault.NoLength {
		w.flush() // or net/http would count a short body itself
	}
}

func (w *spoiledWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.fault.ShortBody == 0 || int64(len(p)) <= w.left {
		w.left -= int64(len(p))
		return w.ResponseWriter.Write(p)
	}
	_, _ = w.ResponseWriter.Write(p[:w.left])
	w.flush()
	panic(http.ErrAbortHandler)
}

func (w *spoiledWriter) flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *spoiledWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
