package confluencetest

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRefusalsFitTheAPIDescriptions holds Confluence's own refusals, not the
// gateway's, against the descriptions, which tell statuses and no shapes; the
// shapes are those of api-facts §9.
func TestRefusalsFitTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	docs := descriptions(t)
	c := newCaller(t).as("unscoped")
	checked := map[int]int{}
	for _, r := range routes() {
		if r.old || strings.HasSuffix(r.path, "/audit") { // nobody may read the audit log
			continue
		}
		_, op := described(docs, r)
		if op == nil {
			t.Errorf("%s is not described", r.path)
			continue
		}
		for variant, status := range mistakes(r) {
			path := filled(r, variant)
			got := c.get(path)
			if r.method != "" {
				got = c.post(path, "nonsense")
			}
			if got.status != status {
				t.Errorf("%s: %d %s, want %d", path, got.status, got.body, status)
				continue
			}
			forgotten := status == 404 && (r.path == "/wiki/api/v2/pages/{id}/children" || r.path == "/wiki/api/v2/whiteboards/{id}/direct-children") // all others of their kind have it
			if op.Responses.Status(status) == nil && !forgotten {
				t.Errorf("%s: status %d is not described", path, status)
			}
			checkRefusal(t, r, path, got)
			checked[status]++
		}
	}
	if checked[400] < 110 || checked[404] < 50 {
		t.Errorf("refusals that were checked, by status: %v", checked)
	}
}

// mistakes are variants of a path that Confluence refuses, and how.
func mistakes(r *route) map[string]int {
	variants := map[string]int{}
	switch {
	case r.method != "":
		return map[string]int{"": 400}
	case strings.HasSuffix(r.path, "/byOperation"): // no refusal is described
		return nil
	case strings.Contains(r.path, "{id}"):
		variants["404404"] = 404
		if !r.isV1() && !strings.Contains(r.path, "/attachments/{id}") {
			variants["junk"] = 400
		}
	case strings.HasSuffix(r.path, "/search"):
		return map[string]int{"?cql=type+=": 400, "": 400}
	}
	if r.isV1() {
		return variants
	}
	id := map[string]string{
		"pages": "1001", "blogposts": "6006", "folders": "5005", "whiteboards": "5101", "databases": "5102", "embeds": "5103",
		"attachments": "att9", "spaces": "7", "footer-comments": "8001", "inline-comments": "8003",
	}[strings.Split(r.path, "/")[4]]
	for _, param := range []string{"limit", "body-format", "version"} {
		if r.knows(param) {
			variants[id+"?"+param+"=nonsense"] = 400
		}
	}
	if r.knows("version") {
		variants[id+"?version=999"] = 404
	}
	return variants
}

func checkRefusal(t *testing.T, r *route, path string, got reply) {
	t.Helper()
	var body object
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Errorf("%s: %v: %s", path, err, got.body)
		return
	}
	if r.isV1() {
		if message, _ := body["message"].(string); message == "" || body["statusCode"] != float64(got.status) {
			t.Errorf("%s: %s, want v1's statusCode and message", path, got.body)
		}
		return
	}
	errs, _ := body["errors"].([]any)
	if len(errs) != 1 {
		t.Errorf("%s: %s, want v2's errors", path, got.body)
		return
	}
	first, _ := errs[0].(object)
	code, _ := first["code"].(string)
	title, _ := first["title"].(string)
	if _, detailed := first["detail"]; first["status"] != float64(got.status) || code == "" || title == "" || !detailed {
		t.Errorf("%s: %s, want status, code, title and detail", path, got.body)
	}
}
