package confluenceclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a network of one server, in memory: it works within testing/synctest.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	dialed atomic.Int32
	silent atomic.Int32 // of so many connections, what is on its way to clients gets lost
}

// newPipes is closed when the test ends.
func newPipes(t *testing.T) *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- &wire{far, p, p.dialed.Add(1)}:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// wire is a server's side of a connection.
type wire struct {
	net.Conn
	pipes  *pipes
	number int32
}

func (w *wire) Write(b []byte) (int, error) {
	if w.number <= w.pipes.silent.Load() {
		return len(b), nil
	}
	return w.Conn.Write(b)
}

// serveHTTP serves over p, by HTTP/2 where a certificate is given.
func (p *pipes) serveHTTP(t *testing.T, cert *tls.Certificate, serve http.HandlerFunc) {
	server := &http.Server{Handler: serve, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if cert == nil {
			_ = server.Serve(p)
			return
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}}
		_ = server.ServeTLS(p, "", "")
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// serveRaw lets answer write what it likes to each connection, which stays open
// until the client closes it or close is the answer's last word.
func (p *pipes) serveRaw(t *testing.T, answer func(net.Conn)) {
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				request := make(chan struct{})
				open.Go(func() {
					read := sync.OnceFunc(func() { close(request) })
					defer read()
					for buf := make([]byte, 4<<10); ; read() {
						if _, err := conn.Read(buf); err != nil {
							return
						}
					}
				})
				<-request
				answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = p.Close()
		open.Wait()
	})
}

// trickle sends text every second until nobody takes it.
func trickle(conn net.Conn, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// over is the client's own transport over p.
func (p *pipes) over(t *testing.T, cfg Config, cert *tls.Certificate) *http.Transport {
	transport := newBaseTransport(cfg)
	transport.DialContext = p.dial
	if cert != nil {
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// certificate is for example.com.
func certificate() *tls.Certificate {
	server := httptest.NewTLSServer(nil)
	server.Close()
	cert := server.TLS.Certificates[0]
	cert.Leaf = server.Certificate()
	return &cert
}

// pipeClient reads through the client's own transport over p.
func pipeClient(t *testing.T, p *pipes, cert *tls.Certificate, change ...func(*Config)) *Client {
	cfg := testConfig(nil)
	cfg.GatewayURL = "http://127.0.0.1"
	if cert != nil {
		cfg.GatewayURL = "https://example.com"
	}
	for _, c := range change {
		c(&cfg)
	}
	cfg.Transport = p.over(t, cfg, cert)
	client, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestEachStepOfAConnectionHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	limits := Config{TLSTimeout: 3 * time.Second, HeaderTimeout: 5 * time.Second}
	tests := []struct {
		name, url string
		serve     func(net.Conn)
		want      time.Duration
	}{
		{"a TLS handshake that does not come", "https://example.com/", func(net.Conn) {}, limits.TLSTimeout},
		{"an answer that does not begin", "http://example.com/", func(net.Conn) {}, limits.HeaderTimeout},
		{"a header that trickles", "http://example.com/", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			trickle(conn, "X-A: b\r\n")
		}, limits.HeaderTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				p.serveRaw(t, tt.serve)
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
				begin := time.Now()
				_, err := p.over(t, limits, nil).RoundTrip(req)
				if took := time.Since(begin); err == nil || took != tt.want {
					t.Errorf("%v after %v, want an error after %v", err, took, tt.want)
				}
			})
		})
	}
}

// All reads share an HTTP/2 connection. When it dies without a word, what is
// under way is tried on a new one as soon as a ping has not come back, and what
// comes then does not wait at all.
func TestAnHTTP2ConnectionThatGoesSilentIsReplaced(t *testing.T) {
	t.Parallel()
	cert := certificate()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.serveHTTP(t, cert, func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("HTTP/%d, want 2", r.ProtoMajor)
			}
			_, _ = io.WriteString(w, pageJSONText)
		})
		client := pipeClient(t, p, cert)
		read := func() time.Duration {
			begin := time.Now()
			if _, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage}); err != nil {
				t.Error(err)
			}
			return time.Since(begin)
		}
		if took := read(); took != 0 {
			t.Errorf("a live connection: %v", took)
		}
		p.silent.Store(p.dialed.Load())
		if took := read(); took < pingAfter || took > pingAfter+pingTimeout+time.Second {
			t.Errorf("a dead connection: the call took %v, want at most %v and a pause", took, pingAfter+pingTimeout)
		}
		if took := read(); took != 0 {
			t.Errorf("the connection after it: %v", took)
		}
	})
}

func TestReadsBeyondTheStreamsOfAConnectionAreServed(t *testing.T) {
	t.Parallel()
	cert := certificate()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.serveHTTP(t, cert, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, "{}")
		})
		transport := p.over(t, Config{}, cert)
		errs := make(chan error)
		const reads = 400 // a connection has 250 streams
		for range reads {
			go func() {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
				resp, err := transport.RoundTrip(req)
				if err == nil {
					closeBody(resp)
				}
				errs <- err
			}()
		}
		for range reads {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.serveHTTP(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Much", strings.Repeat("x", 2*maxHeaderBytes))
		})
		_, err := pipeClient(t, p, nil).Page(t.Context(), "1001", PageOptions{})
		if CauseOf(err) != CauseUnavailable {
			t.Errorf("Page = %v", err)
		}
	})
}
