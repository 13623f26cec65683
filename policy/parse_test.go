package policy

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the problems in testdata")

var known = Known{
	Methods:     []string{"GetPage", "ListChildren", "Search", "GetAttachment", "Diagnose"},
	BodyFormats: []string{"none", "storage", "adf", "view", "export-view", "markdown", "text"},
}

// mustParse reads a policy that is good.
func mustParse(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse("policy.yaml", []byte(text), known)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestParseNamesEveryFaultWithItsPlace goes by testdata/problems.txtar.
func TestParseNamesEveryFaultWithItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "problems.txtar")
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	got := &txtar.Archive{Comment: archive.Comment}
	for _, file := range archive.Files {
		if strings.HasSuffix(file.Name, ".problems") {
			want[file.Name] = string(file.Data)
		}
	}
	for _, file := range archive.Files {
		name, isPolicy := strings.CutSuffix(file.Name, ".yaml")
		if !isPolicy {
			continue
		}
		p, err := Parse("policy.yaml", file.Data, known)
		if err == nil || p != nil {
			t.Errorf("%s: Parse(…) = %v, %v, want problems and no policy", name, p, err)
			continue
		}
		problems := err.Error() + "\n"
		if diff := cmp.Diff(want[name+".problems"], problems); diff != "" && !*update {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if strings.Contains(problems, "hunter2") {
			t.Errorf("%s: the problems show what may be a key: %s", name, problems)
		}
		got.Files = append(got.Files, file, txtar.File{Name: name + ".problems", Data: []byte(problems)})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseRefusesWhatIsNoText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, data, want string }{
		{"no UTF-8", "callers: []\n# \xff\n", "policy.yaml:2:1: the line is not UTF-8 text"},
		{"too large", strings.Repeat("#", maxFileBytes+1), "policy.yaml:1:1: the file has 4194305 bytes; a policy may have 4194304"},
		{"many dashes", strings.Repeat("- ", 1000), "policy.yaml:1:41: lists and mappings are nested more than 20 deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("policy.yaml", []byte(test.data), known)
			var problems Problems
			if !errors.As(err, &problems) || problems.Error() != test.want {
				t.Errorf("Parse(…) = %v, want %s", err, test.want)
			}
		})
	}
}

func TestParseReadsEveryRight(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `
callers:
  - name: indexer
    methods: [GetPage]
    spaces: [DOC]
    class: batch
    weight: 7
    raw_cql: true
    max_attachment_bytes: 10MiB
    budget: {rate: 2.5, streams: 4}
  - name: bare
`)
	type rights struct {
		Name, Class        string
		Weight             int
		Budget             Budget
		MaxAttachmentBytes int64
		RawCQL             bool
	}
	var got []rights
	for _, c := range p.Callers() {
		got = append(got, rights{c.Name, c.Class, c.Weight, c.Budget, c.MaxAttachmentBytes, c.RawCQL})
	}
	want := []rights{
		{"indexer", Batch, 7, Budget{Rate: 2.5, Burst: 3, Streams: 4}, 10 << 20, true},
		{"bare", Interactive, 1, Budget{}, 0, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Callers() (-want +got):\n%s", diff)
	}
}

func TestTheExampleIsGood(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("example.yaml", data, known)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Explain() {
		if len(e.Warnings) > 0 {
			t.Errorf("%s has warnings: %q", e.Caller, e.Warnings)
		}
	}
}

// FuzzParse holds that anything is either a policy that can be asked anything,
// or problems with places in the file; never both, never a panic.
func FuzzParse(f *testing.F) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "problems.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(file.Data)
	}
	example, err := os.ReadFile(filepath.Join("testdata", "example.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("policy.yaml", data, known)
		if err != nil {
			var problems Problems
			if p != nil || !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("Parse(%q) = %v, %#v", data, p, err)
			}
			for _, problem := range problems {
				if problem.Line < 1 || problem.Column < 1 || strings.Contains(problem.Text, "\n") {
					t.Errorf("Parse(%q) finds a problem with no place or of several lines: %#v", data, problem)
				}
			}
			return
		}
		p.Explain()
		for _, c := range p.Callers() {
			if c.Name == "" || c.Weight < 1 || c.Budget.Rate > 0 && c.Budget.Burst < 1 {
				t.Errorf("Parse(%q) has a caller %+v", data, c)
			}
			if c.Space("").Allowed || c.Content(Content{}).Allowed {
				t.Errorf("Parse(%q) allows %s what is not known", data, c.Name)
			}
		}
	})
}
