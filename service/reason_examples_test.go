package service

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// example is a google.rpc.ErrorInfo in a comment of error_reason.proto.
type example struct {
	Reason   string
	Metadata map[string]string
}

// reasonExamples is the example in the comment of each reason, by reason.
func reasonExamples(t *testing.T) map[string]example {
	t.Helper()
	proto, err := os.ReadFile("../api/confluence/broker/v1/error_reason.proto")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]example{}
	var comment strings.Builder
	for line := range strings.Lines(string(proto)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "//"); ok {
			comment.WriteString(text + "\n")
			continue
		}
		name, _, isValue := strings.Cut(strings.TrimPrefix(line, "ERROR_REASON_"), " = ")
		if _, text, ok := strings.Cut(comment.String(), "{"); ok && isValue {
			var e example
			if err := json.Unmarshal([]byte("{"+text), &e); err != nil {
				t.Errorf("the example of %s is not JSON: %v", name, err)
			}
			examples[name] = e
		}
		comment.Reset()
	}
	return examples
}

func TestEachReasonHasAnExampleThatCanBeSent(t *testing.T) {
	t.Parallel()
	var operations, endpoints, rpcs []string
	for _, need := range confluenceclient.Needs() {
		for _, op := range need.AnyOf {
			operations, endpoints = append(operations, op.Name), append(endpoints, op.Endpoint())
		}
	}
	for _, desc := range services() {
		rpcs = append(rpcs, methodNames(desc)...)
	}
	known := map[string][]string{"operation": operations, "endpoint": endpoints, "method": rpcs, "rpc": rpcs}
	examples := reasonExamples(t)
	for _, name := range brokerv1.ErrorReason_name {
		name = strings.TrimPrefix(name, "ERROR_REASON_")
		e, ok := examples[name]
		if name == "UNSPECIFIED" {
			continue
		}
		if !ok || e.Reason != name || len(e.Metadata) == 0 {
			t.Errorf("the example of %s is %v", name, e)
		}
		for key, value := range e.Metadata {
			if values, ok := known[key]; ok && !slices.Contains(values, value) {
				t.Errorf("the example of %s has %s %q, which there is none of", name, key, value)
			}
			if key == "path" && strings.ContainsAny(value, "{…") {
				t.Errorf("the example of %s has path %q, where the path itself is sent", name, value)
			}
		}
	}
}
