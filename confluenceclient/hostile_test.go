package confluenceclient

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ok is an answer of JSON with its length.
func ok(body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s", len(body), strings.Join(headers, ""), body)
}

func says(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
}

// Whatever comes over the wire ends as one of the causes, after a bounded number
// of requests and within a bounded time, even for a caller without a deadline.
func TestWhateverComesOverTheWireEndsInACause(t *testing.T) {
	t.Parallel()
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(pageJSONText), pageJSONText)
	tests := []struct {
		name   string
		answer func(net.Conn)
		want   Cause // empty: the page
	}{
		{"a page", says(ok(pageJSONText)), ""},
		{"1xx answers before it", says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok(pageJSONText)), ""},
		{"trailers behind it", says(chunked + chunk + "0\r\nX-Failure-Category: FAILURE_CLIENT_AUTH\r\n\r\n"), ""},
		{"white space behind it", says(ok(pageJSONText + "\r\n \t")), ""},
		{"1xx answers for ever", func(conn net.Conn) { trickle(conn, "HTTP/1.1 103 Early Hints\r\n\r\n") }, CauseUnavailable},
		{"nothing at all", func(conn net.Conn) { _ = conn.Close() }, CauseUnavailable},
		{"silence", func(net.Conn) {}, CauseUnavailable},
		{"no HTTP", says("SSH-2.0-OpenSSH_9.6\r\n"), CauseUnavailable},
		{"a header that trickles", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			trickle(conn, "X-A: b\r\n")
		}, CauseUnavailable},
		{"a body that trickles", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
			trickle(conn, " ")
		}, CauseUnavailable},
		{"an error's body that trickles", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n")
			trickle(conn, " ")
		}, CauseInvalid},
		{"an error's body that never comes", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\n")
		}, CauseUnavailable},
		{"an error's body without an end", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n")
			for block := strings.Repeat("x", 64<<10); ; {
				if _, err := io.WriteString(conn, block); err != nil {
					return
				}
			}
		}, CauseTokenRejected}, // as the control read is answered the same
		{"a body without an end", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
			for block := strings.Repeat(" ", 64<<10); ; {
				if _, err := io.WriteString(conn, block); err != nil {
					return
				}
			}
		}, CauseTooLarge},
		{"a length larger than we read", says("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"), CauseTooLarge},
		{"a length longer than the body", says("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n" + pageJSONText), CauseUnavailable},
		{"a length shorter than the body", says("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n" + pageJSONText), CauseBadResponse},
		{"two lengths", says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), CauseUnavailable},
		{"a negative length", says("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"), CauseUnavailable},
		{"a chunk that breaks off", says(chunked + "ff\r\n{"), CauseUnavailable},
		{"a chunk of no size", says(chunked + "zz\r\n{}"), CauseUnavailable},
		{"gzip that is none", says(ok("{}", "Content-Encoding: gzip\r\n")), CauseUnavailable},
		{"another coding", says(ok("\x1b\x0e\x00\xf8", "Content-Encoding: br\r\n")), CauseBadResponse},
		{"garbage behind the JSON", says(ok(pageJSONText + "]")), CauseBadResponse},
		{"two documents", says(ok(pageJSONText + pageJSONText)), CauseBadResponse},
		{"a byte order mark", says(ok("\uFEFF" + pageJSONText)), CauseBadResponse},
		{"NUL bytes", says(ok("\x00" + pageJSONText)), CauseBadResponse},
		{"UTF-16", says(ok("{\x00}\x00")), CauseBadResponse},
		{"JSON nested without measure", says(ok(`{"x":` + strings.Repeat("[", 200_000))), CauseBadResponse},
		{"JSON nested without measure in what is not read", says(ok(`{"x":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`)), CauseBadResponse},
		{"no content", says("HTTP/1.1 204 No Content\r\n\r\n"), CauseBadResponse},
		{"a part", says("HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}"), CauseBadResponse},
		{"an upgrade", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), CauseBadResponse},
		{"a status that is none", says("HTTP/1.1 999 Whatever\r\nContent-Length: 0\r\n\r\n"), CauseUnavailable},
		{"a redirect to another host", says("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"), CauseBadResponse},
		{"a redirect to itself", says("HTTP/1.1 307 Temporary Redirect\r\nLocation: #\r\nContent-Length: 0\r\n\r\n"), CauseBadResponse},
		{"HTML with 200", says("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"), CauseBadResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				p.serveRaw(t, tt.answer)
				client := pipeClient(t, p, nil, func(c *Config) { c.MaxResponseBytes = 1 << 20 })
				begin := time.Now()
				_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
				if CauseOf(err) != tt.want || (tt.want == "" && err != nil) {
					t.Errorf("Page = %v, want cause %q", err, tt.want)
				}
				if dialed := p.dialed.Load(); dialed > 3*maxAttempts {
					t.Errorf("%d connections, want few", dialed)
				}
				if took := time.Since(begin); took > 15*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A small answer must not grow large on our side, be it a page or an error.
func TestACompressedBombIsNotInflated(t *testing.T) { // not parallel: it measures memory
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	zeros := strings.Repeat(" ", 1<<20)
	for range 64 {
		_, _ = io.WriteString(packer, zeros)
	}
	_ = packer.Close()
	for status, want := range map[string]Cause{"200 OK": CauseTooLarge, "400 Bad Request": CauseInvalid} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			p.serveRaw(t, says(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", status, bomb.Len(), bomb.String())))
			client := pipeClient(t, p, nil, func(c *Config) { c.MaxResponseBytes = 1 << 20 })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := client.Page(t.Context(), "1001", PageOptions{Format: FormatStorage})
			runtime.ReadMemStats(&after)
			if CauseOf(err) != want {
				t.Errorf("%s: %v, want %s", status, err, want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("%s: %d MiB were allocated, want a few", status, took>>20)
			}
		})
	}
}
