package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/confluence-broker/confluence-broker/"

// listed is what `go list` tells about a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// goList asks about all packages of the module.
func goList(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestPackagesImportOnlyWhatTheyMay holds the architecture: who may know whom.
// Packages that the table does not name may be imported by nobody.
func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	const (
		api       = module + "api/confluence/broker/v1"
		client    = module + "confluenceclient"
		simulator = module + "confluenceclient/confluencetest"
		markdown  = module + "markdown"
		caller    = module + "caller"
		policy    = module + "policy"
		service   = module + "service"
	)
	ours := map[string][]string{ // package: those of ours that it may import, directly or through others
		api:                              {},
		markdown:                         {},
		client:                           {},
		caller:                           {},
		policy:                           {caller},
		simulator:                        {}, // a fake must not inherit the client's bugs
		service:                          {api, client, markdown, caller, policy},
		module + "cmd/confluence-broker": {api, client, simulator, markdown, caller, policy, service},
		module + "bench":                 {api, client, simulator, markdown, caller, policy, service},
	}
	// The upstream client and the simulator know HTTP and Confluence, not gRPC.
	foreign := map[string][]string{
		client:    {"google.golang.org/grpc", "google.golang.org/protobuf"},
		simulator: {"google.golang.org/grpc", "google.golang.org/protobuf"},
		markdown:  {"google.golang.org/grpc", "google.golang.org/protobuf", "net/http"},
	}
	packages := goList(t)
	if len(packages) < 4 {
		t.Fatalf("go list names %d packages, so this test checks nothing", len(packages))
	}
	for _, p := range packages {
		allowed, known := ours[p.ImportPath]
		if !known {
			t.Errorf("%s is not in the table of who may import whom", p.ImportPath)
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && !slices.Contains(allowed, dep) {
				t.Errorf("%s imports %s", p.ImportPath, dep)
			}
			for _, banned := range foreign[p.ImportPath] {
				if dep == banned || strings.HasPrefix(dep, banned+"/") {
					t.Errorf("%s imports %s", p.ImportPath, dep)
				}
			}
		}
	}
}

// TestOnlyTheProgramReadsItsSurroundings keeps flags, environment and files out
// of everything below cmd.
func TestOnlyTheProgramReadsItsSurroundings(t *testing.T) {
	t.Parallel()
	for _, p := range goList(t) {
		if strings.HasPrefix(p.ImportPath, module+"cmd/") || p.ImportPath == module+"bench" {
			continue
		}
		for _, banned := range []string{"flag", "os", "os/exec", "github.com/spf13/cobra", "github.com/goccy/go-yaml"} {
			// The simulator loads the site that it is told to, its one purpose on disk;
			// a policy is YAML, which the program has read from where it lies.
			excepted := banned == "os" && strings.HasSuffix(p.ImportPath, "/confluencetest") ||
				banned == "github.com/goccy/go-yaml" && strings.HasSuffix(p.ImportPath, "/policy")
			if slices.Contains(p.Imports, banned) && !excepted {
				t.Errorf("%s imports %s", p.ImportPath, banned)
			}
		}
	}
}
