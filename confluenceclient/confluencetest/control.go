package confluencetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Control returns a handler for programs that cannot call this package: a
// simulator that runs as a process offers it on a port of its own.
//
//	GET    /requests        the requests so far, a JSON object a line, without credentials
//	GET    /suspicious      what a careful client would not have sent, a sentence a line
//	POST   /faults          adds a fault; the body is as ParseFault reads it
//	DELETE /faults          removes all faults
//	POST   /revoke/{name}   revokes the token or OAuth client of this name in the fixture
//	POST   /expire          ends all access tokens of OAuth clients, which may get new ones
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		for _, r := range s.Requests() {
			_ = encoder.Encode(r.line()) // the reader may have left
		}
	})
	mux.HandleFunc("GET /suspicious", func(w http.ResponseWriter, _ *http.Request) {
		for _, complaint := range s.Suspicious() {
			fmt.Fprintln(w, complaint)
		}
	})
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		var f Fault
		if err == nil {
			f, err = ParseFault(strings.TrimSpace(string(text)))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.AddFault(f)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /revoke/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if !slices.Contains(append(s.TokenNames(), s.ClientNames()...), name) {
			http.Error(w, "there is no token or OAuth client of this name", http.StatusNotFound)
			return
		}
		s.revoke(name)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /expire", func(w http.ResponseWriter, _ *http.Request) {
		s.ExpireAccessTokens()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// line is a request as the log of a process shows it: headers and the queries of
// signed addresses hold credentials, and are left out.
func (e *Request) line() object {
	line := object{
		"time": e.Time, "face": e.Face, "method": e.Method, "path": e.Path, "route": e.Route, "token": e.Token,
		"status": e.Status, "atl_traceid": e.TraceID, "suspicious": e.Suspicious,
	}
	if e.Face == FaceGateway {
		line["query"] = e.Query
	}
	return line
}
