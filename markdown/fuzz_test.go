package markdown

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// seed adds the inputs of the cases and, where it is there, of the corpus.
func seed(f *testing.F, part, corpusPattern string) {
	f.Helper()
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		if source, ok := caseFile(f, name)[part]; ok {
			f.Add(source)
		}
	}
	for _, folder := range []string{"storage", "adf", "pairs"} {
		names, _ := filepath.Glob(filepath.Join("..", "..", "shared", "corpus", folder, corpusPattern))
		for _, name := range names {
			if body, err := os.ReadFile(name); err == nil && len(body) < maxFuzzed {
				f.Add(string(body))
			}
		}
	}
}

// maxFuzzed keeps the judge, which is slow on hostile Markdown, quick.
const maxFuzzed = 4 << 10

func FuzzStorage(f *testing.F) {
	seed(f, "input.xml", "*.xml")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) < maxFuzzed {
			survives(t, ParseStorage(source))
		}
	})
}

func FuzzADF(f *testing.F) {
	seed(f, "input.json", "*.json")
	f.Fuzz(func(t *testing.T, source string) {
		if doc, err := ParseADF(source); err == nil && len(source) < maxFuzzed {
			survives(t, doc)
		}
	})
}

// survives checks that what is in the tree is in the Markdown, and nothing else.
func survives(t *testing.T, doc *Document) {
	t.Helper()
	result, plain := doc.Markdown(Resolver{}), doc.Text(Resolver{})
	if !utf8.ValidString(result.Text) || !utf8.ValidString(plain.Text) {
		t.Fatal("the output is no valid UTF-8")
	}
	want, got := outline(doc.root, Resolver{}), outline(readBack(t, result.Text), Resolver{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("read back, the Markdown differs (-page +Markdown):\n%s\n%q", diff, result.Text)
	}
}
