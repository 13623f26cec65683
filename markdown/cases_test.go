package markdown

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected output of the cases")

// caseFile returns the parts of a case: input.xml or input.json, markdown, text,
// and, where there are any, warnings and references.
func caseFile(t testing.TB, name string) map[string]string {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]string)
	for _, file := range archive.Files {
		parts[file.Name] = string(file.Data)
	}
	return parts
}

// parseCase reads the input of a case. The line break that txtar puts at its
// end is none of the body's.
func parseCase(t testing.TB, parts map[string]string) *Document {
	t.Helper()
	if source, ok := parts["input.xml"]; ok {
		return ParseStorage(strings.TrimSuffix(source, "\n"))
	}
	doc, err := ParseADF(parts["input.json"])
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestCases(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			want := caseFile(t, name)
			doc := parseCase(t, want)
			result, plain := doc.Markdown(Resolver{}), doc.Text(Resolver{})
			got := map[string]string{
				"markdown":   result.Text,
				"text":       plain.Text,
				"warnings":   warningLines(result.Warnings),
				"references": referenceLines(doc.References()),
			}
			if *update {
				rewrite(t, name, got)
				return
			}
			for part, text := range got {
				if diff := cmp.Diff(want[part], text); diff != "" {
					t.Errorf("%s (-want +got):\n%s", part, diff)
				}
			}
			back := readBack(t, result.Text)
			if diff := cmp.Diff(outline(doc.root, Resolver{}), outline(back, Resolver{})); diff != "" {
				t.Errorf("read back, the Markdown differs (-page +Markdown):\n%s", diff)
			}
		})
	}
}

func rewrite(t *testing.T, name string, got map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = archive.Files[:1]
	for _, part := range []string{"markdown", "text", "warnings", "references"} {
		if got[part] != "" {
			archive.Files = append(archive.Files, txtar.File{Name: part, Data: []byte(got[part])})
		}
	}
	if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func warningLines(warnings []Warning) string {
	var b strings.Builder
	for _, w := range warnings {
		fmt.Fprintf(&b, "%s %q %d\n", w.Code, w.Construct, w.Count)
	}
	return b.String()
}

func referenceLines(r References) string {
	var b strings.Builder
	for _, a := range r.Attachments {
		fmt.Fprintf(&b, "attachment %+v\n", a)
	}
	for _, p := range r.Pages {
		fmt.Fprintf(&b, "page %+v\n", p)
	}
	for _, s := range r.Spaces {
		fmt.Fprintf(&b, "space %s\n", s)
	}
	for _, a := range r.Accounts {
		fmt.Fprintf(&b, "account %s\n", a)
	}
	for _, k := range r.JiraKeys {
		fmt.Fprintf(&b, "jira %s\n", k)
	}
	for _, c := range r.Comments {
		fmt.Fprintf(&b, "comment %+v\n", c)
	}
	return b.String()
}
