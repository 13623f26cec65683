package confluenceclient

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
)

// shared is where test data that is not ours to commit may lie.
const shared = "../../shared"

func requireShared(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the folder shared, with Atlassian's API descriptions and recorded answers, is not beside the repository")
	}
}

// operations lists every operation of the catalog.
func operations() []*Operation {
	ops := []*Operation{opCurrentUser, opAudit}
	for _, need := range append(Needs(), PolicyNeeds(Facts{Ancestors: true, Labels: true, Restricted: true})...) {
		ops = append(ops, need.AnyOf...)
	}
	return ops
}

func TestTheCatalogIsWhatAtlassianDescribes(t *testing.T) {
	t.Parallel()
	requireShared(t)
	f, err := os.Open(shared + "/openapi/scopes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows := csv.NewReader(f)
	rows.Comma = '\t'
	table, err := rows.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string][]string{}
	for _, row := range table[1:] {
		described[row[0]+" "+row[2]] = row[3:]
	}
	scopes := func(column string) []string {
		if column == "-" {
			return nil
		}
		return strings.Fields(column)
	}
	for _, op := range operations() {
		row, ok := described[op.API+" "+op.Path]
		if !ok {
			t.Errorf("%s %s is not described", op.API, op.Path)
			continue
		}
		if op.Name != row[0] || !slices.Equal(op.Classic, scopes(row[1])) || !slices.Equal(op.Granular, scopes(row[2])) || op.Deprecated != (row[3] == "y") {
			t.Errorf("%s: %+v, described as %q", op.Path, *op, row)
		}
	}
}

func TestEachOperationIsListedOnceAndSpendsNoScopeInVain(t *testing.T) {
	t.Parallel()
	names := map[string]*Operation{}
	for _, op := range operations() {
		if other, ok := names[op.Name]; ok && other != op {
			t.Errorf("two operations are named %s", op.Name)
		}
		names[op.Name] = op
		if len(op.Granular) == 0 || op.Path[0] != '/' {
			t.Errorf("%+v lacks scopes or a path", *op)
		}
	}
}
