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
