package confluencetest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	namedTest    = regexp.MustCompile(`(?m)^//\t.*\s(Test\w+)$`)
	declaredTest = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

func TestTheTableNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, entry := range entries {
		source, err := os.ReadFile(entry.Name())
		if err != nil {
			continue // a folder
		}
		for _, match := range declaredTest.FindAllStringSubmatch(string(source), -1) {
			declared[match[1]] = true
		}
	}
	named := namedTest.FindAllStringSubmatch(string(doc), -1)
	if len(named) < 40 {
		t.Errorf("the table has %d rows", len(named))
	}
	for _, match := range named {
		if !declared[match[1]] {
			t.Errorf("there is no %s", match[1])
		}
	}
}

var declaredQuirk = regexp.MustCompile(`(?m)^\t(\w+)\s+Quirk = "([a-z-]+)"`)

func TestTheTableNamesEachQuirk(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("option.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := declaredQuirk.FindAllStringSubmatch(string(source), -1)
	if len(declared) != len(Quirks()) {
		t.Errorf("%d quirks are declared, and Quirks() has %d", len(declared), len(Quirks()))
	}
	for _, match := range declared {
		if !strings.Contains(string(doc), match[1]) || !slices.Contains(Quirks(), Quirk(match[2])) {
			t.Errorf("%s is not in the table, or not in Quirks()", match[1])
		}
	}
}
