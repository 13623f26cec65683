package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confluence-broker/confluence-broker/policy"
)

const (
	aPolicy       = "callers: [{name: a, methods: [GetPage], spaces: [DOC]}]\n"
	anotherPolicy = "callers: [{name: b, methods: [GetPage], spaces: [DOC]}]\n"
)

func watchedPolicy(t *testing.T, path string, adopt func(*policy.Policy) error) (*policyFile, logLines) {
	t.Helper()
	f, err := config{policyFile: path}.openPolicy()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(logLines, 100)
	if err := f.watch(t.Context(), slog.New(slog.NewJSONHandler(lines, nil)), adopt); err != nil {
		t.Fatal(err)
	}
	return f, lines
}

func adoptAny(*policy.Policy) error { return nil }

func TestANewPolicyIsUsedAndCallsUnderWayKeepTheirs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write(t, path, aPolicy)
	f, lines := watchedPolicy(t, path, adoptAny)
	before := f.value()
	write(t, path, anotherPolicy)
	await(t, lines, "was changed")
	if _, ok := f.value().Named("b"); !ok {
		t.Error("the new policy is not in use")
	}
	if _, ok := before.Named("a"); !ok {
		t.Error("the policy that a call began with has changed under it")
	}
}

func TestABadPolicyKeepsTheOneBefore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write(t, path, aPolicy)
	f, lines := watchedPolicy(t, path, adoptAny)
	before := f.value()
	for _, bad := range []string{"", "callers: [", "callers: [{name: b, methods: [Delete]}]\n"} {
		write(t, path, bad)
		await(t, lines, "has faults")
		if f.value() != before {
			t.Fatalf("%q took the place of a good policy", bad)
		}
		if f.complaint.Load() == "" {
			t.Errorf("after %q nothing is said to be wrong", bad)
		}
	}
	write(t, path, anotherPolicy)
	await(t, lines, "was changed")
	if f.value() == before || f.complaint.Load() != "" {
		t.Errorf("after a good policy again the complaint is %q", f.complaint.Load())
	}
}

func TestAPolicyThatIsNotAdoptedIsNotUsed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write(t, path, aPolicy)
	f, lines := watchedPolicy(t, path, func(*policy.Policy) error { return errors.New("no such issuer") })
	before := f.value()
	write(t, path, anotherPolicy)
	await(t, lines, "has faults")
	if f.value() != before {
		t.Error("a policy is in use that was not adopted")
	}
}

func TestAPolicyWithFaultsKeepsTheBrokerFromStarting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write(t, path, "callers:\n  - name: a\n    methods: [Delete]\n    spaces: DOC\n")
	c, err := loadArgs(t, []string{"--policy-file=" + path}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.openPolicy()
	for _, want := range []string{"--policy-file: " + path + ":3:15: there is no method", "--policy-file: " + path + ":4:13: spaces is a list"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one with %q", err, want)
		}
	}
}
