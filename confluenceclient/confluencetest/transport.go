package confluencetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
)

// Transport returns a round tripper that reaches the simulator without sockets,
// at the addresses [GatewayURL], [SiteURL], [AuthURL] and [MediaHost]. Bodies
// stream: the simulator writes no faster than the client reads. A request ends
// with its context, and other hosts are not found. It works inside
// testing/synctest.
func (s *Simulator) Transport() http.RoundTripper { return memory{s} }

type memory struct{ *Simulator }

func (s memory) RoundTrip(req *http.Request) (*http.Response, error) {
	body := req.Body // to be closed by us, whatever happens
	if body == nil {
		body = http.NoBody
	}
	if err := req.Context().Err(); err != nil {
		_ = body.Close()
		return nil, err
	}
	if !s.plays(req.URL.Host) {
		_ = body.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: req.URL.Hostname(), IsNotFound: true}}
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	served := req.Clone(ctx)
	served.Body = body
	served.Host = req.URL.Host
	if req.Host != "" {
		served.Host = req.Host
	}
	served.RequestURI = req.URL.RequestURI()
	reader, writer := io.Pipe()
	w := &pipeWriter{header: http.Header{}, pipe: writer, begun: make(chan struct{}), failed: make(chan struct{})}
	go w.serve(s, served)
	select {
	case <-w.begun:
	case <-w.failed:
		cancel(nil)
		return nil, fmt.Errorf("simulated connection: %w", syscall.ECONNRESET)
	case <-ctx.Done():
		cancel(nil)
		_ = reader.CloseWithError(ctx.Err()) // or the simulator would write to nobody for ever
		return nil, ctx.Err()
	}
	stop := context.AfterFunc(ctx, func() { _ = reader.CloseWithError(context.Cause(ctx)) })
	answer := &pipeBody{PipeReader: reader, stop: func() { stop(); cancel(nil) }, left: w.length}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: answer, ContentLength: w.length, Request: req,
	}, nil
}

// pipeWriter is the server's side of an answer.
type pipeWriter struct {
	header        http.Header
	sent          http.Header // header as it was when the answer began
	status        int
	length        int64 // -1: not told
	pipe          *io.PipeWriter
	once          sync.Once
	begun, failed chan struct{}
}

// serve answers the request. Its body is closed at the end, or when the client
// leaves, so that nothing goes on reading it.
func (w *pipeWriter) serve(handler http.Handler, req *http.Request) {
	body := req.Body
	unused := context.AfterFunc(req.Context(), func() { _ = body.Close() })
	defer func() {
		if unused() {
			_ = body.Close()
		}
	}()
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // a panic's value is compared as net/http does
			w.once.Do(func() { close(w.failed) })
			_ = w.pipe.CloseWithError(io.ErrUnexpectedEOF)
		} else if p != nil {
			panic(p)
		}
	}()
	handler.ServeHTTP(w, req)
	w.WriteHeader(http.StatusOK)
	_ = w.pipe.Close()
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent, w.length = status, w.header.Clone(), -1
		if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil {
			w.length = n
		}
		close(w.begun)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

// Flush does nothing: nothing is held back.
func (w *pipeWriter) Flush() {}

// pipeBody is the client's side. Like net/http, it takes an end before the
// Content-Length for an error.
type pipeBody struct {
	*io.PipeReader
	stop func()
	left int64
}

func (b *pipeBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if b.left >= 0 {
		b.left -= min(int64(n), b.left)
	}
	if errors.Is(err, io.EOF) && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *pipeBody) Close() error {
	b.stop()
	return b.PipeReader.Close()
}
