package confluencetest

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// shared is a file of the project's reference data, which is not in the
// repository.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	file := filepath.Join(append([]string{"..", "..", "..", "shared"}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the reference data is not here: %v", err)
	}
	return file
}

func TestScopesAreThoseOfTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(shared(t, "openapi", "scopes.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	type scopes struct{ Classic, Granular []string }
	scopesOf := func(column string) []string {
		if column == "-" {
			return nil
		}
		return strings.Fields(column)
	}
	want := map[string]scopes{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		column := strings.Split(line, "\t")
		if _, newer := want[shape(column[2])]; !newer { // the 2024 document comes last, and is out of date where both have a path
			want[shape(column[2])] = scopes{scopesOf(column[4]), scopesOf(column[5])}
		}
	}
	checked := 0
	for _, r := range routes() {
		if r.method != "" {
			continue // the table has GET only; TestPostsThatRead has the others
		}
		described, ok := want[shape(r.path)]
		if !ok {
			t.Errorf("%s is in no API description", r.path)
			continue
		}
		checked++
		if diff := cmp.Diff(described, scopes{r.classic, r.granular}); diff != "" {
			t.Errorf("%s (-described +ours):\n%s", r.path, diff)
		}
	}
	if checked < 50 {
		t.Errorf("only %d routes were checked", checked)
	}
}

// descriptions are Atlassian's API descriptions, by the prefix of their paths.
func descriptions(t *testing.T) map[string]*openapi3.T {
	t.Helper()
	docs := map[string]*openapi3.T{}
	for prefix, file := range map[string]string{"/wiki/api/v2": "confluence-v2.json", "": "confluence-v1.json"} {
		doc, err := openapi3.NewLoader().LoadFromFile(shared(t, "openapi", file))
		if err != nil {
			t.Fatal(err)
		}
		docs[prefix] = doc
	}
	return docs
}

// described is the operation of a route in its description.
func described(docs map[string]*openapi3.T, r *route) (*openapi3.PathItem, *openapi3.Operation) {
	prefix := ""
	if !r.isV1() {
		prefix = "/wiki/api/v2"
	}
	method := http.MethodGet
	if r.method != "" {
		method = r.method
	}
	for path, item := range docs[prefix].Paths.Map() {
		if shape(prefix+path) == shape(r.path) {
			return item, item.GetOperation(method)
		}
	}
	return nil, nil
}

func TestParametersAreThoseOfTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	docs := descriptions(t)
	for _, r := range routes() {
		if r.old {
			continue
		}
		item, op := described(docs, r)
		if op == nil {
			t.Errorf("%s is not described", r.path)
			continue
		}
		var want []string
		for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
			if p.Value.In == "query" && p.Value.Name != "_" { // which only keeps caches away
				want = append(want, p.Value.Name)
			}
		}
		got := strings.Fields(r.params)
		if r.path == "/wiki/rest/api/content/search" { // described for /search only; links to the next page have it here too
			want = append(want, "next", "prev")
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(slices.Compact(want), slices.Compact(got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-described +ours):\n%s", r.path, diff)
		}
	}
}

func TestAnswersFitTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	docs := descriptions(t)
	c := newCaller(t).as("unscoped")
	paths := map[string][]string{
		"/wiki/api/v2/pages":                                  {"", "?body-format=storage&limit=2", "?status=trashed", "?status=archived&body-format=atlas_doc_format"},
		"/wiki/api/v2/pages/{id}":                             {"1000", "1001?body-format=storage", "1002?body-format=atlas_doc_format", "1001?body-format=view", "1001?version=1", "4001", "1001?include-labels=true&include-versions=true", "9007199254740993"},
		"/wiki/api/v2/blogposts/{id}":                         {"6006", "6006?body-format=storage"},
		"/wiki/api/v2/folders/{id}":                           {"5005"},
		"/wiki/api/v2/whiteboards/{id}":                       {"5101"},
		"/wiki/api/v2/databases/{id}":                         {"5102"},
		"/wiki/api/v2/embeds/{id}":                            {"5103"},
		"/wiki/api/v2/attachments/{id}":                       {"att9", "9?version=1", "att81", "att82"},
		"/wiki/api/v2/spaces/{id}":                            {"7", "9"},
		"/wiki/api/v2/footer-comments/{id}":                   {"8001?body-format=storage", "8002"},
		"/wiki/api/v2/inline-comments/{id}":                   {"8003?body-format=storage"},
		"/wiki/rest/api/search":                               {"?cql=type=page", "?cql=space=DOC&expand=content.space,content.container,content.version", "?cql=type=space"},
		"/wiki/rest/api/content/search":                       {"?cql=type=page&expand=body.storage,version,space,container"},
		"/wiki/rest/api/user":                                 {"?accountId=712020:abcabcab-0000-4000-8000-000000000002"},
		"/wiki/rest/api/user/bulk":                            {"?accountId=712020:abcabcab-0000-4000-8000-000000000002"},
		"/wiki/rest/api/content/{id}/restriction":             {"3003"},
		"/wiki/rest/api/content/{id}/restriction/byOperation": {"3003"},
		"/wiki/api/v2/spaces":                                 {"", "?keys=doc"},
		"/wiki/api/v2/folders/{id}/direct-children":           {"5005"},
		"/wiki/api/v2/whiteboards/{id}/direct-children":       {"5101"},
		"/wiki/api/v2/databases/{id}/direct-children":         {"5102"},
		"/wiki/api/v2/embeds/{id}/direct-children":            {"5103"},
		"/wiki/api/v2/folders/{id}/descendants":               {"5005?depth=3"},
		"/wiki/api/v2/whiteboards/{id}/descendants":           {"5101"},
		"/wiki/api/v2/databases/{id}/descendants":             {"5102"},
		"/wiki/api/v2/embeds/{id}/descendants":                {"5103"},
		"/wiki/api/v2/folders/{id}/ancestors":                 {"5006"},
		"/wiki/api/v2/whiteboards/{id}/ancestors":             {"5101"},
		"/wiki/api/v2/databases/{id}/ancestors":               {"5102"},
		"/wiki/api/v2/embeds/{id}/ancestors":                  {"5103"},
		"/wiki/api/v2/pages/{id}/ancestors":                   {"1006"},
		"/wiki/api/v2/pages/{id}/descendants":                 {"1000?depth=5"},
		"/wiki/api/v2/pages/{id}/direct-children":             {"1000", "1000?limit=2"},
		"/wiki/api/v2/pages/{id}/footer-comments":             {"1001?body-format=storage"},
		"/wiki/api/v2/pages/{id}/inline-comments":             {"1001?body-format=storage"},
		"/wiki/api/v2/footer-comments/{id}/children":          {"8001"},
		"/wiki/api/v2/inline-comments/{id}/children":          {"8003"},
		"/wiki/api/v2/blogposts/{id}/versions":                {"6006"},
		"/wiki/api/v2/blogposts/{id}/labels":                  {"6006"},
		"/wiki/api/v2/blogposts/{id}/attachments":             {"6006"},
		"/wiki/api/v2/blogposts/{id}/footer-comments":         {"6006"},
		"/wiki/api/v2/blogposts/{id}/inline-comments":         {"6006"},
		"/wiki/api/v2/attachments/{id}/versions":              {"att9"},
		"/wiki/api/v2/attachments/{id}/labels":                {"att77"},
		"/wiki/api/v2/spaces/{id}/pages":                      {"7", "7?depth=root"},
		"/wiki/api/v2/spaces/{id}/blogposts":                  {"7"},
		"/wiki/api/v2/footer-comments/{id}/versions":          {"8001"},
		"/wiki/api/v2/inline-comments/{id}/versions":          {"8003?body-format=storage"},
		"/wiki/api/v2/blogposts/{id}/versions/{number}":       {"6006"},
		"/wiki/api/v2/attachments/{id}/versions/{number}":     {"att9"},
		"/wiki/api/v2/spaces/{id}/labels":                     {"7"},
	}
	bodies := map[string]string{
		"/wiki/api/v2/content/convert-ids-to-types": `{"contentIds":["1001",5005,"404404","att9"]}`,
		"/wiki/api/v2/users-bulk":                   `{"accountIds":["712020:abcabcab-0000-4000-8000-000000000002"]}`,
	}
	checked := 0
	for _, r := range routes() {
		if r.old || answersOtherwise(r) {
			continue
		}
		_, op := described(docs, r)
		if op == nil || op.Responses.Status(200) == nil {
			t.Errorf("%s has no described answer", r.path)
			continue
		}
		schema := op.Responses.Status(200).Value.Content.Get("application/json").Schema.Value
		variants := paths[r.path]
		if variants == nil {
			variants = []string{"1001"}
		}
		for _, variant := range variants {
			path := filled(r, variant)
			got := c.get(path)
			if r.method != "" {
				got = c.post(path, bodies[r.path])
			}
			var value any
			if err := json.Unmarshal([]byte(got.body), &value); err != nil || got.status != 200 {
				t.Errorf("%s: %d %s", path, got.status, got.body)
				continue
			}
			if err := schema.VisitJSON(withoutNulls(value), openapi3.MultiErrors()); err != nil {
				t.Errorf("%s does not fit its description: %v", path, err)
			}
		}
		checked++
	}
	if checked < 60 {
		t.Errorf("the answers of only %d routes were checked", checked)
	}
}

// answersOtherwise tells whether a route answers the sample site's reader with
// something else than JSON: tests of their own look at that.
func answersOtherwise(r *route) bool {
	return strings.HasSuffix(r.path, "/audit") || strings.HasSuffix(r.path, "/download")
}

// filled is the path of a route for a variant of the form ID?QUERY.
func filled(r *route, variant string) string {
	id, query, _ := strings.Cut(variant, "?")
	path := strings.NewReplacer("{id}", id, "{number}", "1", "{attachmentId}", "att9").Replace(r.path)
	if query == "" {
		return path
	}
	return path + "?" + query
}

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

// withoutNulls leaves out what is null: the descriptions say in words where null
// may be ("or null if there is no parent"), and never in the schema.
func withoutNulls(value any) any {
	switch value := value.(type) {
	case object:
		for name, field := range value {
			if field == nil {
				delete(value, name)
				continue
			}
			value[name] = withoutNulls(field)
		}
	case []any:
		for i, item := range value {
			value[i] = withoutNulls(item)
		}
	}
	return value
}
