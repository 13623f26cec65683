package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"
)

func TestAuditLogFollowsRenamesAndComplainsOnceOfLostLines(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "audit.jsonl")
	var log bytes.Buffer
	audit, file, err := config{auditLog: path}.openAudit(newLogger(&log, 0), noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	has := func(path, line string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil || strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), line) {
			t.Errorf("%s = %q, %v", path, text, err)
		}
	}
	audit.Info("first")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	audit.Info("second")
	has(path+".1", "first")
	has(path, "second")

	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	audit.Info("third")
	audit.Info("fourth")
	if n := strings.Count(log.String(), "lines are lost"); n != 1 {
		t.Errorf("complained %d times: %s", n, log.String())
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	audit.Info("fifth")
	has(path, "fifth")
}
