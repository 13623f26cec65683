package markdown

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// corpus returns the bodies of a folder of real pages, by file name. They are
// not part of the repository.
func corpus(t testing.TB, folder, pattern string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "shared", "corpus", folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skipf("no corpus: ../shared/corpus/%s is missing beside the repository", folder)
	}
	bodies := make(map[string]string)
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(name)] = string(body)
	}
	return bodies
}

func TestCorpusOfStorageFormatKeepsWordsAndStructure(t *testing.T) {
	t.Parallel()
	var report tally
	t.Cleanup(func() { report.log(t) })
	for _, folder := range []string{"storage", "pairs"} {
		for name, source := range corpus(t, folder, "*.xml") {
			t.Run(folder+"/"+name, func(t *testing.T) {
				t.Parallel()
				report.check(t, ParseStorage(source), storageWords(source))
			})
		}
	}
}

func TestCorpusOfADFKeepsWordsAndStructure(t *testing.T) {
	t.Parallel()
	var report tally
	t.Cleanup(func() { report.log(t) })
	for _, folder := range []string{"adf", "pairs"} {
		for name, source := range corpus(t, folder, "*.json") {
			t.Run(folder+"/"+name, func(t *testing.T) {
				t.Parallel()
				doc, err := ParseADF(source)
				if err != nil {
					t.Fatal(err)
				}
				report.check(t, doc, adfWords(t, source))
			})
		}
	}
}

// tally counts what has been checked, for the report that -v prints.
type tally struct{ bodies, words, lost, warned atomic.Int64 }

func (r *tally) log(t *testing.T) {
	t.Logf("%d bodies, %d visible words, %d lost; every outline reads back as it is; %d bodies have warnings",
		r.bodies.Load(), r.words.Load(), r.lost.Load(), r.warned.Load())
}

// check holds the written forms of a document against its tree and against the
// words that the source shows.
func (r *tally) check(t *testing.T, doc *Document, words []string) {
	t.Helper()
	result := doc.Markdown(Resolver{})
	if !utf8.ValidString(result.Text) {
		t.Error("the Markdown is no valid UTF-8")
	}
	back := readBack(t, result.Text)
	if diff := cmp.Diff(outline(doc.root, Resolver{}), outline(back, Resolver{})); diff != "" {
		t.Errorf("read back, the Markdown differs (-page +Markdown):\n%s\n%s", diff, result.Text)
	}
	again := (&Document{root: back}).Markdown(Resolver{})
	if diff := cmp.Diff(outline(back, Resolver{}), outline(readBack(t, again.Text), Resolver{})); diff != "" {
		t.Errorf("converted again, the Markdown differs (-once +twice):\n%s", diff)
	}
	plain := doc.Text(Resolver{})
	lost := missing(t, "Markdown", words, textOfBlocks(back), result.Warnings) + missing(t, "plain text", words, plain.Text, plain.Warnings)
	r.bodies.Add(1)
	r.words.Add(int64(len(words)))
	r.lost.Add(int64(lost))
	if len(result.Warnings) > 0 {
		r.warned.Add(1)
	}
}

// missing reports the words that are in the source and not in the output, and
// returns how many.
func missing(t *testing.T, form string, words []string, output string, warnings []Warning) (lost int) {
	t.Helper()
	have := make(map[string]int)
	for _, word := range wordsOf(output) {
		have[word]++
	}
	for _, word := range words {
		if have[word]--; have[word] < 0 {
			t.Errorf("the word %q is not in the %s; warnings: %v", word, form, warnings)
			lost++
		}
	}
	return lost
}

// wordsOf splits a text at everything but letters and digits.
func wordsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func textOfBlocks(b *block) string {
	var out strings.Builder
	var walk func(*block)
	walk = func(b *block) {
		out.WriteString(" " + b.text + " ")
		for _, r := range b.runs {
			if r.kind == breakRun {
				out.WriteByte(' ')
			}
			out.WriteString(r.text)
		}
		for _, c := range b.blocks {
			walk(c)
		}
	}
	walk(b)
	return out.String()
}

// mathCopies finds formulas that say their source, beside which MathML is a copy.
var mathCopies = regexp.MustCompile(`(?s)<math\b.*?<annotation[^>]*x-tex[^>]*>(.*?)</annotation>.*?</math>`)

// storageWords returns the words that a page in storage format shows, by a way
// of its own: all character data but that of settings. Elements that end a line
// end a word.
func storageWords(source string) []string {
	source = mathCopies.ReplaceAllString(source, "$1")
	d := xml.NewDecoder(strings.NewReader(strings.ReplaceAll(source, "]] >", "]]>")))
	d.Strict, d.Entity = false, xml.HTMLEntity
	var text strings.Builder
	hidden, drawn, inline := 0, 0, []string{"span", "strong", "em", "b", "i", "u", "s", "code", "sub", "sup", "a", "inline-comment-marker",
		"del", "link", "link-body", "mi", "mo", "mn", "mrow", "msup", "mtext", "mstyle", "plain-text-link-body",
		"math", "semantics", "annotation", "msqrt", "mtable", "mtr", "mtd", "msubsup"}
	settings := []string{"parameter", "default-parameter", "task-id", "task-uuid", "task-status", "placeholder-url", "display-type",
		"adf-attribute", "adf-mark", "adf"}
	for {
		token, err := d.RawToken()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				text.Reset() // malformed pages have tests of their own
			}
			return wordsOf(text.String())
		}
		if start, ok := token.(xml.StartElement); ok && (drawn > 0 || slices.ContainsFunc(start.Attr, func(a xml.Attr) bool { return a.Value == "katex-html" })) {
			drawn++
		}
		if drawn > 0 {
			if _, ok := token.(xml.EndElement); ok {
				drawn--
			}
			continue
		}
		switch token := token.(type) {
		case xml.StartElement:
			if slices.Contains(settings, token.Name.Local) {
				hidden++
			}
			if !slices.Contains(inline, token.Name.Local) {
				text.WriteByte(' ')
			}
		case xml.EndElement:
			if slices.Contains(settings, token.Name.Local) {
				hidden--
			}
			if !slices.Contains(inline, token.Name.Local) {
				text.WriteByte(' ')
			}
		case xml.CharData:
			if hidden == 0 {
				text.Write(token)
			}
		}
	}
}

// adfWords returns the words that an ADF document shows: all texts, and the
// attributes that the editor shows as text.
func adfWords(t *testing.T, source string) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(source), &root); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case map[string]any:
			kind, _ := v["type"].(string)
			if kind != "text" {
				text.WriteByte(' ')
			}
			if s, ok := v["text"].(string); ok {
				text.WriteString(s)
			}
			a, _ := v["attrs"].(map[string]any)
			shown := "text"
			if kind == "expand" || kind == "nestedExpand" {
				shown = "title"
			}
			if s, ok := a[shown].(string); ok && kind != "media" && kind != "applicationCard" {
				text.WriteString(s + " ")
			}
			walk(v["content"])
			if kind == "" { // a wrapper around documents
				walk(v["adf"])
				walk(v["tests"])
			}
			if kind != "text" {
				text.WriteByte(' ')
			}
		}
	}
	walk(root)
	return wordsOf(text.String())
}
