package confluenceclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const signed = "https://media.example/file/f1/binary?token=JWTCANARY"

// media answers the download with a redirect to target and the target by serve.
func media(target string, serve func(*http.Request) *http.Response) func(*http.Request) *http.Response {
	return func(req *http.Request) *http.Response {
		if req.URL.Host == "gw.example" {
			return reply(302, "", "Location", target)
		}
		return serve(req)
	}
}

// file serves content, honouring Range when ranges is set.
func content(body string, ranges bool) func(*http.Request) *http.Response {
	return func(req *http.Request) *http.Response {
		var from int
		if _, err := fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-", &from); err != nil || !ranges {
			return reply(200, body)
		}
		if from >= len(body) {
			return reply(416, "", "Content-Range", fmt.Sprintf("bytes */%d", len(body)))
		}
		return reply(206, body[from:], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
	}
}

func sized(n int64) *int64 { return &n }

func attachmentOf(size *int64) *Attachment {
	return &Attachment{ID: "att9", ContainerID: "1001", FileSize: size, Version: Version{Number: 2}}
}

func download(ctx context.Context, client *Client, a *Attachment, offset int64) (string, error) {
	body, err := client.Download(ctx, a, offset)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	got, err := io.ReadAll(body)
	return string(got), err
}

func TestDownloadsGoThroughTheGatewayAndOnWithoutCredentials(t *testing.T) {
	t.Parallel()
	client, u := newTestClient(t, media(signed, content("0123456789", true)))
	got, err := download(t.Context(), client, attachmentOf(sized(10)), 0)
	if got != "0123456789" || err != nil {
		t.Fatalf("download = %q, %v", got, err)
	}
	want := testGateway + "/wiki/rest/api/content/1001/child/attachment/att9/download?version=2"
	if urls := u.urls(); len(urls) != 2 || urls[0] != want || urls[1] != signed {
		t.Errorf("requests = %v", urls)
	}
	for _, name := range []string{"Authorization", "Cookie", "Traceparent", "Referer"} {
		if u.requests[1].Header.Get(name) != "" {
			t.Errorf("the media host was shown %s", name)
		}
	}
}

func TestOffsetsWorkWhetherOrNotTheHostHonoursRange(t *testing.T) {
	t.Parallel()
	for _, ranges := range []bool{true, false} {
		for _, size := range []*int64{sized(10), nil} {
			for offset, want := range map[int64]string{0: "0123456789", 4: "456789", 9: "9", 10: ""} {
				client, _ := newTestClient(t, media(signed, content("0123456789", ranges)))
				got, err := download(t.Context(), client, attachmentOf(size), offset)
				if got != want || err != nil {
					t.Errorf("ranges %v, size %v, offset %d: %q, %v; want %q", ranges, size, offset, got, err, want)
				}
			}
			client, _ := newTestClient(t, media(signed, content("0123456789", ranges)))
			if _, err := download(t.Context(), client, attachmentOf(size), 11); CauseOf(err) != CauseOutOfRange {
				t.Errorf("ranges %v, size %v, offset 11: %v", ranges, size, err)
			}
		}
	}
}

func TestRedirectsElsewhereAreRefusedAndTheAddressIsNotShown(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"http://media.example/file?token=JWTCANARY", "https://evil.example/file?token=JWTCANARY", "http://127.0.0.1/file?token=JWTCANARY",
		"http://169.254.169.254/latest?token=JWTCANARY", "https://media.example@evil.example/?token=JWTCANARY", "/wiki/login?token=JWTCANARY",
		"https://gw.example/ex/confluence/" + testCloudID + "/wiki/x?token=JWTCANARY", "file:///etc/passwd?JWTCANARY", "", "https://media.example:8443/?token=JWTCANARY", "://JWTCANARY",
	} {
		client, u := newTestClient(t, media(target, content("x", true)))
		_, err := download(t.Context(), client, attachmentOf(nil), 0)
		if CauseOf(err) != CauseBadResponse || strings.Contains(fmt.Sprint(err), "CANARY") {
			t.Errorf("%q: %v", target, err)
		}
		if len(u.requests) != 1 {
			t.Errorf("%q: %v was asked", target, u.urls()[1:])
		}
	}
	client, u := newTestClient(t, media(signed, func(*http.Request) *http.Response { return reply(302, "", "Location", signed) }))
	if _, err := download(t.Context(), client, attachmentOf(nil), 0); CauseOf(err) != CauseBadResponse || len(u.requests) != 2 {
		t.Errorf("a chain of redirects: %v after %v", err, u.urls())
	}
	client, u = newTestClient(t, media("http://127.0.0.1/file?token=JWTCANARY", content("x", true)), func(c *Config) { c.MediaHosts = []string{"127.0.0.1"} })
	if _, err := download(t.Context(), client, attachmentOf(nil), 0); CauseOf(err) != CauseBadResponse || len(u.requests) != 1 {
		t.Errorf("from https to http, though loopback: %v after %v", err, u.urls())
	}
}

// broken gives some bytes and then an error.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestAPageOfHTMLIsNotTheFile(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*http.Request) *http.Response{
		"in place of the redirect": func(*http.Request) *http.Response {
			return reply(200, "<html>login</html>", "Content-Type", "text/html")
		},
		"compressed, unasked": media(signed, func(*http.Request) *http.Response { return reply(200, "x", "Content-Encoding", "gzip") }),
	} {
		client, _ := newTestClient(t, answer)
		if _, err := download(t.Context(), client, attachmentOf(nil), 0); CauseOf(err) != CauseBadResponse {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			if req.URL.Host == "gw.example" {
				return reply(status, "", "Location", signed)
			}
			return reply(200, "01234")
		})
		if got, err := download(t.Context(), client, attachmentOf(nil), 0); got != "01234" || err != nil {
			t.Errorf("redirect %d: %q, %v", status, got, err)
		}
	}
}

func TestAFileThatEndsEarlyOrLateIsNeverWhole(t *testing.T) {
	t.Parallel()
	cut := func(n int64, err error) func(*http.Request) *http.Response {
		return func(*http.Request) *http.Response {
			resp := reply(200, "")
			resp.ContentLength, resp.Body = n, io.NopCloser(broken{strings.NewReader("01234"), err})
			return resp
		}
	}
	tests := []struct {
		name  string
		size  *int64
		serve func(*http.Request) *http.Response
		limit int64
		want  Cause
	}{
		{"cut in the middle, length announced", sized(10), cut(10, io.ErrUnexpectedEOF), 0, CauseTruncated},
		{"cut in the middle, length not announced", nil, cut(-1, errors.New("connection reset")), 0, CauseTruncated},
		{"ends cleanly, but Confluence said more", sized(10), cut(-1, io.EOF), 0, CauseTruncated},
		{"announces less than Confluence said", sized(10), content("01234", false), 0, CauseTruncated},
		{"announces more than Confluence said", sized(3), content("01234", false), 0, CauseBadResponse},
		{"sends more than Confluence said", sized(3), cut(-1, io.EOF), 0, CauseBadResponse},
		{"over the limit by its size", sized(10), content("0123456789", false), 4, CauseTooLarge},
		{"over the limit by its announced length", nil, content("01234", false), 4, CauseTooLarge},
		{"over the limit by what comes", nil, cut(-1, io.EOF), 4, CauseTooLarge},
		{"refused by the media host", nil, func(*http.Request) *http.Response { return reply(403, "") }, 0, CauseUnavailable},
		{"another part than asked for", nil, func(*http.Request) *http.Response { return reply(206, "x", "Content-Range", "bytes 7-7/10") }, 0, CauseBadResponse},
	}
	for _, tt := range tests {
		client, _ := newTestClient(t, media(signed, tt.serve), func(c *Config) { c.MaxFileBytes = tt.limit })
		_, err := download(t.Context(), client, attachmentOf(tt.size), 0)
		if CauseOf(err) != tt.want || strings.Contains(fmt.Sprint(err), "CANARY") {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestASilentHostIsGivenUpAndASlowCallerIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var feed *io.PipeWriter
		client, _ := newTestClient(t, media(signed, func(req *http.Request) *http.Response {
			var body *io.PipeReader
			body, feed = io.Pipe()
			context.AfterFunc(req.Context(), func() { _ = feed.CloseWithError(context.Cause(req.Context())) })
			resp := reply(200, "")
			resp.ContentLength, resp.Body = 10, body
			return resp
		}))
		body, err := client.Download(t.Context(), attachmentOf(sized(10)), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = body.Close() }()
		go func() { _, _ = feed.Write([]byte("01234")) }()
		time.Sleep(time.Hour) // the caller is slow: that is no stall
		got := make([]byte, 5)
		if _, err := io.ReadFull(body, got); err != nil || !bytes.Equal(got, []byte("01234")) {
			t.Fatalf("read %q, %v", got, err)
		}
		start := time.Now()
		_, err = body.Read(got)
		if CauseOf(err) != CauseTruncated || time.Since(start) != defaultStallTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestADownloadEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client, _ := newTestClient(t, media(signed, func(*http.Request) *http.Response {
		resp := reply(200, "")
		resp.ContentLength, resp.Body = 10, io.NopCloser(broken{strings.NewReader("01234"), errors.New("use of closed connection")})
		return resp
	}))
	body, err := client.Download(ctx, attachmentOf(sized(10)), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	cancel()
	if _, err := io.ReadAll(body); CauseOf(err) != CauseCancelled {
		t.Errorf("read after cancel: %v", err)
	}
}

func TestAttachmentsKnowTheirContainerSpaceAndSize(t *testing.T) {
	t.Parallel()
	const text = `{"id":"att9","status":"current","title":"a (1) ü.png","mediaType":"image/png","comment":"c","pageId":"1001",%s"version":{"number":4},
		"downloadLink":"/download/attachments/1001/a.png?version=4","webuiLink":"/spaces/DOC/pages/1001/Run+Book?preview=%%2F1001%%2F9%%2Fa.png","_links":{"base":"https://acme.example/wiki"}}`
	for size, want := range map[string]*int64{``: nil, `"fileSize":5,`: sized(5), `"fileSize":null,`: nil, `"fileSize":0,`: nil, `"fileSize":-1,`: nil, `"fileSize":"5",`: sized(5), `"fileSize":5.0,`: sized(5)} {
		client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(200, fmt.Sprintf(text, size)) })
		a, err := client.Attachment(t.Context(), "att9", 0)
		if err != nil {
			t.Fatal(err)
		}
		if (a.FileSize == nil) != (want == nil) || (want != nil && *a.FileSize != *want) {
			t.Errorf("%q: size %v", size, a.FileSize)
		}
		if a.ContainerID != "1001" || a.SpaceKey != "DOC" || a.WebURL != "https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book?preview=%2F1001%2F9%2Fa.png" {
			t.Errorf("attachment = %+v", a)
		}
		if got := u.urls()[0]; got != testGateway+"/wiki/api/v2/attachments/att9" {
			t.Errorf("request = %s", got)
		}
	}
}
