package confluencetest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bodyOf is the value of a page's body.
func bodyOf(page object, format string) string {
	body, _ := page["body"].(object)[format].(object)
	value, _ := body["value"].(string)
	return value
}

func TestPageByID(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	page := c.get("/wiki/api/v2/pages/1001?body-format=storage").json(t)
	links := page["_links"].(object)
	for name, want := range map[string]any{"id": "1001", "title": "Run Book", "status": "current", "spaceId": "7", "parentId": "1000", "parentType": "page", "createdAt": "2026-01-05T09:00:00.000Z"} {
		if page[name] != want {
			t.Errorf("%s = %v, want %v", name, page[name], want)
		}
	}
	if links["base"] != "https://acme.example/wiki" || links["webui"] != "/spaces/DOC/pages/1001/Run+Book" || links["tinyui"] != "/x/6QM" {
		t.Errorf("_links = %v; base names the site, and the others are below /wiki", links)
	}
	if page["version"].(object)["number"] != 3.0 || !strings.Contains(bodyOf(page, "storage"), "<ac:structured-macro") {
		t.Errorf("version %v with body %q", page["version"], bodyOf(page, "storage"))
	}
	if body := c.get("/wiki/api/v2/pages/1001").json(t)["body"].(object); len(body) > 0 {
		t.Errorf("without body-format the body is %v, want an empty object", body)
	}
}

func TestPagesThatAreNotCurrent(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	tests := []struct {
		name, path string
		status     int
		want       any // value of "status", or part of the refusal
	}{
		{"trashed", "4001", 200, "trashed"},
		{"archived", "4003", 200, "archived"},
		{"draft", "4002", 404, "Cannot find a page with id [4002]"},
		{"draft, asked for", "4002?get-draft=true", 200, "draft"},
		{"old version", "1001?version=2", 200, "historical"},
		{"current version by number", "1001?version=3", 200, "current"},
		{"version that never was", "1001?version=9", 404, "version 9"},
		{"absent", "404404", 404, "Cannot find a page with id [404404]"},
		{"restricted", "3003", 404, "Cannot find a page with id [3003]"},
		{"below a restricted page", "3004", 404, "Cannot find a page with id [3004]"},
		{"a folder", "5005", 404, "Cannot find a page with id [5005]"},
		{"a blog post", "6006", 404, "Cannot find a page with id [6006]"},
		{"a status that is none", "1001?status=lost", 400, "INVALID_REQUEST_PARAMETER"},
		{"another status than its own", "1001?status=archived", 404, "Cannot find a page with id [1001]"},
		{"junk", "abc", 400, "INVALID_REQUEST_PARAMETER"},
		{"a number that is too large", "99999999999999999999", 400, "INVALID_REQUEST_PARAMETER"},
		{"a format that is none", "1001?body-format=markdown", 400, "INVALID_REQUEST_PARAMETER"},
	}
	for _, test := range tests {
		got := c.get("/wiki/api/v2/pages/" + test.path)
		if got.status != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, got.status, got.body, test.status)
		} else if test.status != 200 && !strings.Contains(got.body, test.want.(string)) {
			t.Errorf("%s: %s does not say %q", test.name, got.body, test.want)
		} else if test.status == 200 && got.json(t)["status"] != test.want {
			t.Errorf("%s: status %v, want %v", test.name, got.json(t)["status"], test.want)
		}
	}
	if got := strings.TrimSpace(c.get("/wiki/api/v2/pages/4004").body); got != bareBody {
		t.Errorf("a purged page: %s, want the bare answer", got)
	}
	if parent := c.get("/wiki/api/v2/pages/4001").json(t)["parentId"]; parent != nil {
		t.Errorf("a trashed page has the parent %v", parent)
	}
	if got := c.as("user").get("/wiki/api/v2/pages/3004"); got.status != 200 {
		t.Errorf("a restricted page, for whom it is for: %d", got.status)
	}
	if got := c.as("narrow").get("/wiki/api/v2/pages/2002"); got.status != 404 {
		t.Errorf("a page of a space that the account may not read: %d", got.status)
	}
}

func TestBodiesInEachRepresentation(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for _, format := range representations {
		if got := bodyOf(c.get("/wiki/api/v2/pages/1001?body-format="+format).json(t), format); !strings.Contains(got, "drain") {
			t.Errorf("%s = %q", format, got)
		}
	}
	modern := c.get("/wiki/api/v2/pages/1002?body-format=storage").json(t)
	if got := bodyOf(modern, "storage"); got != "" {
		t.Errorf("storage of a page of the new editor = %q, want it empty", got)
	}
	if got := bodyOf(c.get("/wiki/api/v2/pages/1002?body-format=atlas_doc_format").json(t), "atlas_doc_format"); !strings.HasPrefix(got, `{"type":"doc"`) {
		t.Errorf("ADF = %q, want a JSON document in a string", got)
	}
	if got := c.get("/wiki/api/v2/pages?body-format=view"); got.status != 400 {
		t.Errorf("view in a listing: %d, want 400", got.status)
	}
	bodies := map[string]bool{}
	for _, version := range []string{"1", "2", "3"} {
		bodies[bodyOf(c.get("/wiki/api/v2/pages/1001?body-format=storage&version="+version).json(t), "storage")] = true
	}
	if len(bodies) != 3 {
		t.Errorf("three versions have %d bodies", len(bodies))
	}
}

func TestPagesByFilter(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for query, want := range map[string][]string{
		"title=run+book&space-id=7":     {"1001"},
		"title=Run+Book&space-id=8":     {},
		"title=":                        {},
		"id=1001&id=2002":               {"1001", "2002"},
		"id=1001,2002&space-id=8":       {"2002"},
		"id=1001,3003,404404":           {"1001"},
		"id=4003":                       {"4003"},
		"id=4003&status=current":        {},
		"id=4001&status=trashed":        {"4001"},
		"id=4001":                       {},
		"space-id=10,11&sort=-title":    {"2200", "2300"},
		"space-id=8&sort=-created-date": {"2002", "2000"},
	} {
		if diff := cmp.Diff(want, append([]string{}, ids(c.get("/wiki/api/v2/pages?"+query).results(t))...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := c.get("/wiki/api/v2/pages?status=draft"); got.status != 400 {
		t.Errorf("status=draft: %d, want 400", got.status)
	}
}

func TestSpacesByKeyAndID(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for query, want := range map[string][]string{
		"keys=doc": {"7"}, "keys=DOC,sec": {"7", "8"}, "ids=9": {"9"}, "keys=~712020abc": {"9"}, "keys=nosuch": {}, "type=personal": {"9"}, "keys=and,2024": {"10", "11"},
	} {
		if diff := cmp.Diff(want, append([]string{}, ids(c.get("/wiki/api/v2/spaces?"+query).results(t))...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := ids(c.as("narrow").get("/wiki/api/v2/spaces").results(t)); !slices.Equal(got, []string{"7"}) {
		t.Errorf("an account that reads DOC alone sees %v", got)
	}
}

func TestFoldersOfBodiesAreServedByteForByte(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files := map[string]string{
		"a one.xml": "<p>&nbsp;\r\n</p>\n", "b.json": "{\"type\": \"doc\",\n \"content\":[] }\n", "c.xml": "", "skipped.txt": "x",
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site, err := LoadSite(folder)
	if err != nil {
		t.Fatal(err)
	}
	c := callerOf(t, New(site))
	for id, want := range map[string]struct{ title, format, value string }{
		"1001": {"a one", "storage", files["a one.xml"]},
		"1002": {"b", "atlas_doc_format", files["b.json"]},
		"1003": {"c", "storage", ""},
	} {
		page := c.get("/wiki/api/v2/pages/" + id + "?body-format=" + want.format).json(t)
		if page["title"] != want.title || bodyOf(page, want.format) != want.value {
			t.Errorf("%s: %v with %q, want %v", id, page["title"], bodyOf(page, want.format), want)
		}
	}
	if children := c.get("/wiki/api/v2/pages/1000/direct-children").results(t); len(children) != 3 {
		t.Errorf("the home page has %d children, want 3", len(children))
	}
	if _, err := LoadSite(t.TempDir()); err == nil {
		t.Error("an empty folder is taken for a site")
	}
}

func TestFilesOfAFolderThatNoAnswerCouldHoldAreNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, data := range map[string]string{
		"good.xml": "<p>x</p>", ".hidden.xml": "\xff", ".hidden.json": "{",
		"latin.xml": "<p>caf\xe9</p>", "cut.json": "{\"type\":", "empty.json": "", "caf\xe9.xml": "<p>x</p>",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o600); err != nil {
			t.Skipf("this file system has no such names: %v", err)
		}
	}
	_, err := LoadSite(folder)
	if err == nil {
		t.Fatal("the folder is taken for a site")
	}
	var want []string
	for _, problem := range []string{"caf\uFFFD.xml: is not UTF-8", "cut.json: is not JSON, as ADF has to be", "empty.json: is not JSON, as ADF has to be", "latin.xml: is not UTF-8"} {
		want = append(want, filepath.Join(folder, problem))
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("error = %s, want %s", got, strings.Join(want, "\n"))
	}
}

func TestHiddenFilesOfAFolderAreNoPages(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{".x.xml", "a.xml", "._a.xml"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("<p/>"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site, err := LoadSite(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(site.contents) != 2 || site.contents["1001"].title != "a" {
		t.Errorf("%d pages, want the home page and a", len(site.contents))
	}
}

func TestRealBodiesAreServedByteForByte(t *testing.T) {
	t.Parallel()
	for folder, format := range map[string]string{"storage": "storage", "adf": "atlas_doc_format"} {
		path := shared(t, "corpus", folder)
		site, err := LoadSite(path)
		if err != nil {
			t.Fatal(err)
		}
		c := callerOf(t, New(site))
		items, _ := c.walk("/wiki/api/v2/pages?body-format=" + format)
		if len(items) < 50 {
			t.Errorf("%s: %d pages", folder, len(items))
		}
		for _, item := range items {
			if item["id"] == "1000" {
				continue
			}
			name := map[string]string{"storage": ".xml", "adf": ".json"}[folder]
			want, err := os.ReadFile(filepath.Join(path, item["title"].(string)+name))
			if got := bodyOf(item, format); err != nil || got != string(want) {
				t.Errorf("%s: %d bytes, want %d, %v", item["title"], len(got), len(want), err)
			}
		}
	}
}
