package confluencetest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const download = "/wiki/rest/api/content/1001/child/attachment/"

// location is where a download leads.
func (c *caller) location(path string) string {
	c.t.Helper()
	got := c.get(path)
	if got.status != 302 {
		c.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return got.header.Get("Location")
}

// grantAccess is an access token for the sample site's client.
func (c *caller) grantAccess() string {
	c.t.Helper()
	access, _ := c.grant().json(c.t)["access_token"].(string)
	return access
}

// grant asks for an access token.
func (c *caller) grant() reply {
	c.t.Helper()
	id, secret := c.sim.ClientNamed("broker")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, AuthURL, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

// cursor is where a listing goes on.
func (c *caller) cursor() string {
	c.t.Helper()
	links, _ := c.get("/wiki/api/v2/pages?limit=1").json(c.t)["_links"].(object)
	next, err := url.Parse(links["next"].(string))
	if err != nil {
		c.t.Fatal(err)
	}
	return next.Query().Get("cursor")
}

func TestDownloadsLeadToASignedAddress(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	address := c.location(download + "att77/download")
	if !strings.HasPrefix(address, "https://"+MediaHost+"/file/") {
		t.Fatalf("Location = %s", address)
	}
	file := c.ask(address)
	if file.status != 200 || !strings.HasPrefix(file.body, "%PDF") || file.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("file = %d %v", file.status, file.header)
	}
	withToken := func(jwt string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = url.Values{"token": {jwt}}.Encode()
		return u.String()
	}
	for name, got := range map[string]reply{
		"a token":           c.ask(address, "Authorization", "Bearer x"),
		"a cookie":          c.ask(address, "Cookie", "a=b"),
		"no signature":      c.ask(strings.Replace(address, "token=", "t=", 1)),
		"a bad signature":   c.ask(address[:len(address)-3] + "AAA"),
		"another file":      c.ask(strings.Replace(address, "077/binary", "009/binary", 1)),
		"another simulator": newCaller(t).ask(address),
		"an access token":   c.ask(withToken(c.grantAccess())),
		"a cursor":          c.ask(withToken(c.cursor())),
		"a file that is no more": c.ask(withToken(c.sim.sign(forMedia, mediaClaims{
			Content: "att4040", Version: 1, Expires: time.Now().Add(time.Hour).Unix(),
		}))),
	} {
		if got.status != 403 && got.status != 400 {
			t.Errorf("%s: %d %v, want it refused", name, got.status, got.err)
		}
	}
	if complaints := c.sim.Suspicious(); len(complaints) != 2 {
		t.Errorf("complaints = %v, want the token and the cookie", complaints)
	}
}

func TestSignedAddressesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t)
		address := c.location(download + "att77/download")
		time.Sleep(mediaLifetime - time.Second)
		if got := c.ask(address); got.status != 200 {
			t.Errorf("shortly before: %d", got.status)
		}
		time.Sleep(2 * time.Second)
		if got := c.ask(address); got.status != 403 {
			t.Errorf("shortly after: %d, want 403", got.status)
		}
	})
}

func TestDownloadsOfOldVersionsAndWrongPlaces(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	current, old := c.ask(c.location(download+"att9/download")), c.ask(c.location(download+"att9/download?version=1"))
	if current.body == old.body || !strings.HasPrefix(old.body, "\x89PNG") {
		t.Error("the old version is the current one")
	}
	for path, want := range map[string]int{
		download + "att9/download?version=9":                           400,
		download + "att404404/download":                                404,
		"/wiki/rest/api/content/1004/child/attachment/att9/download":   404,
		"/wiki/rest/api/content/404404/child/attachment/att9/download": 404,
	} {
		if got := c.get(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := c.get("/wiki/api/v2/attachments/att9?version=1").json(t); got["version"].(object)["number"] != 1.0 {
		t.Errorf("description of the old version = %v", got)
	}
	if got := c.get("/wiki/api/v2/attachments/att81").json(t); got["fileSize"] != nil {
		t.Errorf("fileSize = %v, want it missing", got["fileSize"])
	}
	if got := c.ask(c.location("/wiki/api/v2/attachments/att9/thumbnail/download?version=1")); got.body != old.body {
		t.Errorf("thumbnail: %d", got.status)
	}
	if got := c.get("/wiki/api/v2/attachments/att77/thumbnail/download"); got.status != 404 {
		t.Errorf("thumbnail of a text: %d", got.status)
	}
	if got := newCaller(t, With(ServletLinks)).get("/wiki/api/v2/attachments/att9").json(t); !strings.HasPrefix(got["downloadLink"].(string), "/download/attachments/") {
		t.Errorf("with ServletLinks: downloadLink = %v", got["downloadLink"])
	}
}

func TestRangesAreHeededOrIgnored(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	whole := c.ask(c.location(download + "att80/download"))
	if len(whole.body) != 5<<20 {
		t.Fatalf("%d bytes, %v", len(whole.body), whole.err)
	}
	part := c.ask(c.location(download+"att80/download"), "Range", "bytes=1000003-1000010")
	if part.status != 206 || part.body != whole.body[1000003:1000011] {
		t.Errorf("part = %d with %d bytes", part.status, len(part.body))
	}
	if got := c.ask(c.location(download+"att80/download"), "Range", "bytes=5242880-"); got.status != 416 {
		t.Errorf("behind the end: %d, want 416", got.status)
	}
	c = newCaller(t, With(RangeIgnored))
	if got := c.ask(c.location(download+"att80/download"), "Range", "bytes=5-"); got.status != 200 || got.body != whole.body {
		t.Errorf("with RangeIgnored: %d with %d bytes", got.status, len(got.body))
	}
}

func TestGeneratedFilesAreTheSameFromAnyOffset(t *testing.T) {
	t.Parallel()
	whole, err := io.ReadAll(file{size: 10_000, seed: 5}.open())
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range []int64{0, 1, 7, 8, 9, 4095, 9_999} {
		reader := file{size: 10_000, seed: 5}.open()
		if _, err := reader.Seek(offset, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if part, err := io.ReadAll(reader); err != nil || !bytes.Equal(part, whole[offset:]) {
			t.Errorf("from %d: %d bytes, %v", offset, len(part), err)
		}
	}
	if other, _ := io.ReadAll(file{size: 10_000, seed: 6}.open()); bytes.Equal(other, whole) {
		t.Error("another seed gives the same file")
	}
}
