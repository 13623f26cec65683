package service

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
	"github.com/confluence-broker/confluence-broker/policy"
)

// policyWords are the names that policies in these tests may use.
var policyWords = policy.Known{
	Methods:     []string{"GetPage", "ListChildren", "Search", "GetAttachment", "Diagnose"},
	BodyFormats: []string{"none", "storage", "adf", "view", "export-view", "markdown", "text"},
}

// entry is a caller in a policy file who may call everything, and what else it says.
func entry(name, rest string) string {
	return fmt.Sprintf("  - {name: %s, keys: [%q], methods: [\"*\"], %s}\n", name, caller.HashKey(keyOf(name)), rest)
}

// keyOf is the static key of a caller.
func keyOf(name string) string { return "a-key-of-32-characters-or-more-for-" + name }

func as(ctx context.Context, name string) context.Context {
	return withMetadata(ctx, "authorization", "Bearer "+keyOf(name))
}

func parsePolicy(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte(text), policyWords)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// withPolicy gives the broker a policy of these callers, and the site's widest
// token. Anonymous callers are refused.
func withPolicy(t testing.TB, callers ...string) func(*setup) {
	t.Helper()
	p := parsePolicy(t, "callers:\n"+strings.Join(callers, ""))
	verifier, err := caller.New(caller.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return func(s *setup) {
		withToken("reader")(s)
		s.service.AllowAnonymous = false
		s.service.Verifier, s.service.Policy = verifier, policyOf(p)
	}
}

// auditTo collects the audit's lines.
func auditTo(lines *lockedBuffer) func(*setup) {
	return func(s *setup) { s.service.Audit = slog.New(traced{slog.NewJSONHandler(lines, nil)}) }
}

func withSite(t testing.TB, text string) func(*setup) {
	t.Helper()
	site, err := confluencetest.ParseSite("policy.txtar", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return func(s *setup) { s.site = site }
}

func readPage(ctx context.Context, b *broker, id string) error {
	_, err := b.GetPage(ctx, byID(id))
	return err
}

func listBelow(ctx context.Context, b *broker, kind brokerv1.ContentType, id string) error {
	_, err := b.ListChildren(ctx, &brokerv1.ListChildrenRequest{ParentId: id, ParentType: kind})
	return err
}

func readFile(ctx context.Context, b *broker, id string) error {
	_, _, _, err := b.download(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: id})
	return err
}

func policyOf(p *policy.Policy) func() *policy.Policy { return func() *policy.Policy { return p } }
