package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/confluence-broker/confluence-broker/caller"
)

var identities = `
callers:
  - name: indexer
    keys: ["` + caller.HashKey("key of indexer") + `"]
    tls:
      uris: ["spiffe://acme.example/ns/*/sa/indexer"]
      dns: ["*.batch.acme.example"]
      subjects: ["CN=indexer,O=Acme"]
    jwt: [{issuer: "https://issuer.acme.example", audience: broker, subjects: ["system:serviceaccount:search:*"]}]
  - name: bot
    keys: ["` + caller.HashKey("key of bot") + `", "` + caller.HashKey("next key of bot") + `"]
    tls: {uris: ["spiffe://acme.example/bot"]}
    jwt: [{issuer: "https://issuer.acme.example", audience: other, subjects: ["*"]}]
`

func TestEvidenceIsOfOneCallerOrOfNone(t *testing.T) {
	t.Parallel()
	p := mustParse(t, identities)
	uri := func(uris ...string) caller.Evidence {
		return caller.Evidence{Certificate: &caller.Certificate{URIs: uris}}
	}
	key := func(key string) caller.Evidence { return caller.Evidence{KeyHash: caller.HashKey(key)} }
	jwt := func(subject string, audiences ...string) caller.Evidence {
		return caller.Evidence{JWT: &caller.JWT{Issuer: "https://issuer.acme.example", Audiences: audiences, Subject: subject}}
	}
	with := func(a, b caller.Evidence) caller.Evidence {
		a.Certificate = b.Certificate
		return a
	}
	for _, test := range []struct {
		name     string
		evidence caller.Evidence
		want     string // the caller
		err      error
	}{
		{"a key", key("key of bot"), "bot", nil},
		{"another key of the same", key("next key of bot"), "bot", nil},
		{"a key that nobody has", key("key of nobody"), "", ErrUnknown},
		{"the hash instead of the key", key(caller.HashKey("key of bot")), "", ErrUnknown},
		{"a URI", uri("spiffe://acme.example/bot"), "bot", nil},
		{"a URI by pattern", uri("spiffe://acme.example/ns/search/sa/indexer"), "indexer", nil},
		{"a star stays within a segment", uri("spiffe://acme.example/ns/a/b/sa/indexer"), "", ErrUnknown},
		{"case counts in URIs", uri("spiffe://acme.example/BOT"), "", ErrUnknown},
		{"one of several URIs", uri("spiffe://acme.example/x", "spiffe://acme.example/bot"), "bot", nil},
		{"URIs of two callers", uri("spiffe://acme.example/ns/a/sa/indexer", "spiffe://acme.example/bot"), "", ErrAmbiguous},
		{"a DNS name", caller.Evidence{Certificate: &caller.Certificate{DNSNames: []string{"A.Batch.acme.example"}}}, "indexer", nil},
		{"a star stays within a label", caller.Evidence{Certificate: &caller.Certificate{DNSNames: []string{"a.b.batch.acme.example"}}}, "", ErrUnknown},
		{"a subject", caller.Evidence{Certificate: &caller.Certificate{Subject: "CN=indexer,O=Acme"}}, "indexer", nil},
		{"another subject", caller.Evidence{Certificate: &caller.Certificate{Subject: "CN=indexer,O=Acme,C=NL"}}, "", ErrUnknown},
		{"a token", jwt("system:serviceaccount:search:web", "x", "broker"), "indexer", nil},
		{"a token for another audience", jwt("system:serviceaccount:search:web", "x"), "", ErrUnknown},
		{"a token of another subject", jwt("system:serviceaccount:mail:web", "broker"), "", ErrUnknown},
		{"a star stays within a part of the subject", jwt("system:serviceaccount:search:web:x", "broker"), "", ErrUnknown},
		{"a star alone is any subject", jwt("https://acme.example/a:b", "other"), "bot", nil},
		{"a token for the audiences of two", jwt("system:serviceaccount:search:web", "broker", "other"), "", ErrAmbiguous},
		{"a token of another issuer", caller.Evidence{JWT: &caller.JWT{Issuer: "https://issuer.acme.example/", Audiences: []string{"other"}, Subject: "x"}}, "", ErrUnknown},
		{"a key and a certificate of the same", with(key("key of bot"), uri("spiffe://acme.example/bot")), "bot", nil},
		{"a key of one and a certificate of another", with(key("key of indexer"), uri("spiffe://acme.example/bot")), "", ErrAmbiguous},
		{"a token beside a certificate of nobody", with(jwt("x", "other"), uri("spiffe://acme.example/proxy")), "bot", nil},
		{"a key of nobody beside a good certificate", with(key("key of nobody"), uri("spiffe://acme.example/bot")), "", ErrUnknown},
		{"a token of nobody beside a good certificate", with(jwt("x", "broker"), uri("spiffe://acme.example/bot")), "", ErrUnknown},
		{"nothing", caller.Evidence{}, "", ErrUnknown},
		{"an empty certificate", caller.Evidence{Certificate: &caller.Certificate{}}, "", ErrUnknown},
		{"an empty token", jwt("", "other"), "", ErrUnknown},
	} {
		c, err := p.Caller(test.evidence)
		got := ""
		if c != nil {
			got = c.Name
		}
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: Caller(…) = %q, %v, want %q, %v", test.name, got, err, test.want, test.err)
		}
		if err != nil && test.evidence.KeyHash != "" && strings.Contains(err.Error(), test.evidence.KeyHash) {
			t.Errorf("%s: the error shows the whole hash: %v", test.name, err)
		}
	}
}

func TestIssuersAreNamedOnceWithAllAudiences(t *testing.T) {
	t.Parallel()
	p := mustParse(t, identities)
	want := []caller.Issuer{{URL: "https://issuer.acme.example", Audiences: []string{"broker", "other"}}}
	if diff := cmp.Diff(want, p.Issuers()); diff != "" {
		t.Errorf("Issuers() (-want +got):\n%s", diff)
	}
}

func TestAnonymousIsAnEntryOfItsOwn(t *testing.T) {
	t.Parallel()
	if c, ok := mustParse(t, identities).Anonymous(); ok || c != nil {
		t.Errorf("a policy without anonymous has %v", c)
	}
	p := mustParse(t, "anonymous: {methods: [GetPage], spaces: [PUBLIC]}")
	c, ok := p.Anonymous()
	if !ok || c.Name != AnonymousName || !c.Space("PUBLIC").Allowed || c.Space("DOC").Allowed {
		t.Errorf("Anonymous() = %+v, %t", c, ok)
	}
	if same, ok := p.Named(AnonymousName); !ok || same != c {
		t.Errorf("Named(%q) = %v, %t, want the anonymous entry", AnonymousName, same, ok)
	}
}
