package main

import (
	"flag"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

var update = flag.Bool("update", false, "rewrite the tables of README.md")

const readmePath = "../../README.md"

// TestReadmeTablesAreUpToDate compares the tables between markers with the
// catalog and the settings; -update rewrites them.
func TestReadmeTablesAreUpToDate(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	for name, table := range map[string]string{"scopes": scopesMarkdown(), "settings": settingsMarkdown(), "policy": policyMarkdown(t)} {
		begin, end := "<!-- "+name+": written by `make generate` -->\n", "<!-- /"+name+" -->"
		before, rest, found := strings.Cut(want, begin)
		_, after, foundEnd := strings.Cut(rest, end)
		if !found || !foundEnd {
			t.Fatalf("README.md lacks the markers of the table %s", name)
		}
		want = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(readmePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("README.md is out of date; run `make generate` (-want +got):\n%s", diff)
	}
}

func scopesMarkdown() string {
	rows := [][]string{{"RPC", "endpoint", "classic scope", "granular scope"}}
	for _, row := range scopeRows(confluenceclient.Needs()) {
		for i, cell := range row[2:] {
			if cell != "-" {
				row[2+i] = "`" + cell + "`"
			}
		}
		rows = append(rows, row)
	}
	return markdownTable(rows)
}

func settingsMarkdown() string {
	rows := [][]string{{"flag", "environment", "YAML key", "default", "meaning"}}
	for _, s := range slices.Concat(upstreamSettings(), brokerSettings(), callerSettings()) {
		flag, key := "-", "-"
		if s.name != "" {
			flag, key = "`--"+s.name+"`", "`"+s.key()+"`"
		}
		if s.env == "BROKER_ADDRESS" {
			key = "-" // get reads no file
		}
		usage := strings.ReplaceAll(s.usage, "`", "")
		rows = append(rows, []string{flag, "`" + s.env + "`", key, s.fallback, usage})
	}
	return markdownTable(rows)
}

// policyMarkdown is the example that the tests of package policy check.
func policyMarkdown(t *testing.T) string {
	t.Helper()
	example, err := os.ReadFile("../../policy/testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return "```yaml\n" + string(example) + "```\n"
}

func markdownTable(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

// TestTheFirstScreenOfTheReadmeIsOneScreen keeps what a newcomer must see in
// the first 45 lines.
func TestTheFirstScreenOfTheReadmeIsOneScreen(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	screen, _, _ := strings.Cut(string(data), "\n## ")
	if lines := strings.Count(screen, "\n"); lines > 45 {
		t.Errorf("the first screen has %d lines, want at most 45", lines)
	}
	for _, word := range []string{"make demo", "make test", "doctor", "scopes", "Atlassian gateway"} {
		if !strings.Contains(screen, word) {
			t.Errorf("the first screen does not mention %q", word)
		}
	}
}

// TestEveryReasonIsInTheReadme keeps the table of errors whole.
func TestEveryReasonIsInTheReadme(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	for reason := range reasons() {
		if !strings.Contains(string(data), "`"+reason+"`") {
			t.Errorf("README.md does not mention the reason %s", reason)
		}
	}
}

// reasons yields the names of the API's error reasons.
func reasons() iter.Seq[string] {
	return func(yield func(string) bool) {
		for number, name := range brokerv1.ErrorReason_name {
			if number != 0 && !yield(strings.TrimPrefix(name, "ERROR_REASON_")) {
				return
			}
		}
	}
}
