package confluencetest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with the requests that match it. Of several
// faults that match, the one that was added first and is not used up acts.
type Fault struct {
	Route string // template of an endpoint, or how a path (with or without /ex/confluence/{cloudId}) begins; empty: any
	Face  Face   // empty: any

	Status    int           // answer with this status, Header and Body; 0: the real answer, with Header added
	Header    http.Header   // canonical names
	Body      string        // its type is told by its first sign, unless Header has Content-Type
	Delay     time.Duration // wait first, or until the client leaves
	Reset     bool          // cut the connection instead of answering
	ShortBody int64         // cut the connection after so many bytes of the body; 0: do not
	NoLength  bool          // send no Content-Length

	After int // let so many matching requests pass first
	Count int // act so many times; 0: for ever
}

type activeFault struct {
	Fault
	passed, acted int
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

func (s *Simulator) faultFor(face Face, path, template string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.matches(face, path, template) || (f.Count > 0 && f.acted >= f.Count) {
			continue
		}
		if f.passed < f.After {
			f.passed++
			continue
		}
		f.acted++
		return &f.Fault
	}
	return nil
}

func (f *Fault) matches(face Face, path, template string) bool {
	switch {
	case f.Face != "" && f.Face != face:
		return false
	case f.Route == "":
		return true
	case strings.Contains(f.Route, "{"):
		return f.Route == template
	}
	return f.Route == template || strings.HasPrefix(path, f.Route) || strings.HasPrefix(withoutGateway(path), f.Route)
}

// withoutGateway is the path below /ex/confluence/{cloudId}, or "".
func withoutGateway(path string) string {
	rest, ok := strings.CutPrefix(path, "/ex/confluence/")
	if _, inner, found := strings.Cut(rest, "/"); ok && found {
		return "/" + inner
	}
	return ""
}

// withFaults serves a request, or spoils it.
func (s *Simulator) withFaults(w http.ResponseWriter, r *http.Request, entry *Request, serve func(http.ResponseWriter)) {
	if !s.hasFaults() {
		serve(w)
		return
	}
	template := ""
	if inner := withoutGateway(r.URL.Path); inner != "" {
		if route, _ := s.routeFor(r, inner); route != nil {
			template = route.path
		}
	}
	f := s.faultFor(entry.Face, r.URL.Path, template)
	if f == nil {
		serve(w)
		return
	}
	entry.set(template)
	sleep(r, f.Delay)
	if f.Reset || r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	}
	if f.ShortBody > 0 || f.NoLength || len(f.Header) > 0 {
		w = &spoiledWriter{ResponseWriter: w, fault: f, left: f.ShortBody}
	}
	if f.Status == 0 {
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

// ParseFault reads a fault as command lines have it: key=value between commas,
// such as "route=/wiki/api/v2/pages/{id},status=429,retry-after=1,count=2". The
// keys are route, face, status, retry-after, header (NAME:VALUE, may come
// again), delay, reset, short-body, no-length, after, count; and body, which
// comes last and may hold commas.
func ParseFault(text string) (Fault, error) {
	f := Fault{Header: http.Header{}}
	for rest := text; rest != ""; {
		var part string
		if part, rest, _ = strings.Cut(rest, ","); strings.HasPrefix(part, "body=") && rest != "" {
			part, rest = part+","+rest, ""
		}
		key, value, _ := strings.Cut(part, "=")
		if err := f.set(strings.TrimSpace(key), value); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %s: %w", text, key, err)
		}
	}
	if f.Status == 0 && f.Delay == 0 && !f.Reset && f.ShortBody == 0 && !f.NoLength && len(f.Header) == 0 {
		return Fault{}, fmt.Errorf("fault %q does nothing: give it a status, header, delay, reset, short-body or no-length", text)
	}
	return f, nil
}

func (f *Fault) set(key, value string) (err error) {
	switch key {
	case "route":
		f.Route = value
	case "face":
		if f.Face = Face(value); f.Face != FaceGateway && f.Face != FaceSite && f.Face != FaceAuth && f.Face != FaceMedia {
			return errors.New("is none of gateway, site, auth, media")
		}
	case "status":
		if f.Status, err = strconv.Atoi(value); err == nil && (f.Status < 200 || f.Status > 599) {
			return errors.New("is no status from 200 to 599")
		}
	case "retry-after":
		f.Header.Set("Retry-After", value)
	case "header":
		name, content, ok := strings.Cut(value, ":")
		if !ok {
			return errors.New("is not of the form NAME:VALUE")
		}
		f.Header.Add(strings.TrimSpace(name), strings.TrimSpace(content))
	case "body":
		f.Body = value
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "reset":
		f.Reset, err = flag(value)
	case "no-length":
		f.NoLength, err = flag(value)
	case "short-body":
		f.ShortBody, err = parseSize(value)
	case "after":
		f.After, err = strconv.Atoi(value)
	case "count":
		f.Count, err = strconv.Atoi(value)
	default:
		return errors.New("is no key of a fault")
	}
	return err
}

// flag reads a key that may stand alone.
func flag(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	return strconv.ParseBool(value)
}
