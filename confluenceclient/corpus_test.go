package confluenceclient

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded lists the recorded answers whose file name has kind in it.
func recorded(t *testing.T, kind string) map[string]string {
	t.Helper()
	requireShared(t)
	files, err := filepath.Glob(shared + "/corpus/rest/*-" + kind + ".json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded answers of kind %s: %v", kind, err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// raw decodes without any idea of the fields, as the measure for ours.
func raw(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// in follows names into decoded JSON; absent and null are "".
func in(v any, names ...string) string {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func TestRecordedPagesLoseNothingThatIsUsed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"v2-page", "v1-page"} {
		for name, text := range recorded(t, kind) {
			want := raw(t, text)
			var got pageJSON
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			body, ok := got.Body["storage"].text(FormatStorage)
			for field, pair := range map[string][2]string{
				"id": {string(got.ID), in(want, "id")}, "title": {got.Title, in(want, "title")}, "status": {got.Status, in(want, "status")},
				"spaceId": {string(got.SpaceID), in(want, "spaceId")}, "parentId": {string(got.ParentID), in(want, "parentId")},
				"parentType": {got.ParentType, in(want, "parentType")}, "body": {body, in(want, "body", "storage", "value")},
				"webui": {got.Links.WebUI, in(want, "_links", "webui")}, "version message": {got.Version.Message, in(want, "version", "message")},
			} {
				if pair[0] != pair[1] || (body == "") == ok {
					t.Errorf("%s: %s = %q, want %q (%v)", name, field, pair[0], pair[1], ok)
				}
			}
			if at := in(want, "createdAt"); at != "" && got.CreatedAt.IsZero() {
				t.Errorf("%s: createdAt %q was lost", name, at)
			}
		}
	}
}

func TestRecordedListingsAndSearchesAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"v2-pages", "v1-pages", "v1-search", "v2-search"} {
		for name, text := range recorded(t, kind) {
			if strings.HasPrefix(text, "[") {
				text = `{"results":` + text + `}` // kept by its project without the frame
			}
			client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(200, text) })
			results, _ := raw(t, text)["results"].([]any)
			var read int
			var err error
			rows := strings.Contains(text, "resultGlobalContainer") // search rows, whatever the file is called
			if strings.HasSuffix(kind, "pages") && !rows {
				var page *ChildrenPage
				if page, err = client.Children(t.Context(), ChildrenRequest{ParentType: TypePage, ParentID: "1", Limit: 1}); err == nil {
					read = len(page.Children) + len(page.Omitted)
				}
			} else {
				var page *SearchPage
				if page, err = client.Search(t.Context(), SearchRequest{CQL: "type = page", Limit: 1}); err == nil {
					read = len(page.Results) + len(page.Omitted)
				}
			}
			// Servers of another flavour page by offset, which is refused by name.
			if err != nil && !strings.Contains(err.Error(), "has no cursor") {
				t.Errorf("%s: %v", name, err)
			} else if err == nil && read != len(results) {
				t.Errorf("%s: %d of %d items", name, read, len(results))
			}
		}
	}
}

func TestRecordedAttachmentsAreRead(t *testing.T) {
	t.Parallel()
	for name, text := range recorded(t, "v1-attachment") {
		want := raw(t, text)
		var got attachmentJSON
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if string(got.ID) != in(want, "id") || got.Title != in(want, "title") || got.Links.WebUI != in(want, "_links", "webui") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRecordedErrorsAreReadForWhatTheySay(t *testing.T) {
	t.Parallel()
	for name, text := range recorded(t, "error") {
		for _, status := range []int{400, 404} {
			f := classify(opGetPage, reply(status, text))
			if f == nil {
				t.Fatalf("%s: no failure", name)
			}
			if status == 400 && f.Cause != CauseInvalid || status == 404 && f.Cause != CauseNotFound {
				t.Errorf("%s as %d: %v", name, status, f.Cause)
			}
			if strings.Contains(f.Error.Error(), "Exception") {
				t.Errorf("%s as %d: %v", name, status, f.Error)
			}
		}
	}
}
