package confluenceclient

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// When the last who waits has left, the request is dropped, the server sees that
// at once, and nothing more is asked.
func TestWhoLeavesIsSeenUpstreamAtOnce(t *testing.T) {
	t.Parallel()
	children := ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 1}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	tests := []struct {
		name   string
		answer http.HandlerFunc // hangs in the end
		read   func(context.Context, *Client) error
	}{
		{"before the answer", hang, readPage},
		{"within the answer", func(w http.ResponseWriter, r *http.Request) {
			begin(w, "application/json", `{"id":`)
			hang(w, r)
		}, readPage},
		{"on the second page of a listing", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("cursor") {
				hang(w, r)
				return
			}
			_, _ = io.WriteString(w, `{"results":[`+item("1")+`],"_links":{"next":"/x?cursor=2"}}`)
		}, func(ctx context.Context, client *Client) error {
			page, err := client.Children(ctx, children)
			if err != nil {
				return err
			}
			next := children
			next.Cursor = page.Next
			_, err = client.Children(ctx, next)
			return err
		}},
		{"within a download", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/ex/") {
				http.Redirect(w, r, "/file", http.StatusFound)
				return
			}
			begin(w, "application/octet-stream", "0123")
			hang(w, r)
		}, func(ctx context.Context, client *Client) error {
			_, err := download(ctx, client, attachmentOf(sized(10)), 0)
			return err
		}},
		{"one of two who wait, then the other", hang, func(ctx context.Context, client *Client) error {
			early, leave := context.WithTimeout(ctx, time.Second)
			defer leave()
			go func() { _ = readPage(early, client) }()
			return readPage(ctx, client)
		}},
	}
	h2 := certificate()
	for _, tt := range tests {
		for proto, cert := range map[string]*tls.Certificate{"HTTP/1.1": nil, "HTTP/2.0": h2} {
			t.Run(tt.name+" over "+proto, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var requests, under atomic.Int32
					p := newPipes(t)
					p.serveHTTP(t, cert, func(w http.ResponseWriter, r *http.Request) {
						if r.Proto != proto {
							t.Errorf("protocol %s, want %s", r.Proto, proto)
						}
						requests.Add(1)
						under.Add(1)
						defer under.Add(-1)
						tt.answer(w, r)
					})
					client := pipeClient(t, p, cert, func(c *Config) { c.MediaHosts = []string{"127.0.0.1", "example.com"} })
					ctx, cancel := context.WithCancel(t.Context())
					result := make(chan error, 1)
					go func() { result <- tt.read(ctx, client) }()
					time.Sleep(5 * time.Second)
					if under.Load() != 1 {
						t.Fatalf("%d requests under way, want 1", under.Load())
					}
					asked := requests.Load()
					cancel()
					synctest.Wait() // on this clock, no time passes meanwhile
					if under.Load() != 0 {
						t.Error("the server has not seen that the caller left")
					}
					select {
					case err := <-result:
						if err == nil || (CauseOf(err) != CauseCancelled && err != context.Canceled) { //nolint:errorlint // a wait for others ends with the context's own error
							t.Errorf("read = %v", err)
						}
					default:
						t.Error("the caller still waits")
					}
					time.Sleep(time.Minute)
					if again := requests.Load() - asked; again != 0 {
						t.Errorf("%d requests for a caller that left", again)
					}
				})
			})
		}
	}
}

func readPage(ctx context.Context, client *Client) error {
	_, err := client.Page(ctx, "1001", PageOptions{Format: FormatStorage})
	return err
}

// begin sends the first bytes of a longer body.
func begin(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

func TestADeadlineEndsAReadInTimeWhateverItWaitsFor(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an answer":      func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a retry":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a rate limit":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"the whole body": func(w http.ResponseWriter, r *http.Request) { begin(w, "application/json", "{"); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				p.serveHTTP(t, nil, answer)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err := readPage(ctx, pipeClient(t, p, nil))
				if took := time.Since(start); err == nil || took > time.Second {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
