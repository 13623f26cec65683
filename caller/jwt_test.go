package caller_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/confluence-broker/confluence-broker/caller"
)

func TestTokenOfTrustedIssuerTellsItsSubject(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	v := verifierFor(t, f)
	for name, claims := range map[string]map[string]any{
		"a list of audiences":            with("aud", []string{"other", audience}),
		"one audience":                   with("aud", audience),
		"the second of our audiences":    with("aud", "second"),
		"no iat and no nbf":              without("iat"),
		"expired within the skew":        with("exp", time.Now().Add(-caller.DefaultSkew/2).Unix()),
		"not yet valid, within the skew": with("nbf", time.Now().Add(caller.DefaultSkew/2).Unix()),
		"what Kubernetes adds": with("kubernetes.io", map[string]any{
			"namespace": "search", "serviceaccount": map[string]string{"name": "indexer", "uid": "u"},
		}),
	} {
		got, err := v.Identify(t.Context(), []string{"Bearer " + sign(t, key, claims)}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.JWT == nil || got.JWT.Issuer != acme || got.JWT.Subject != "system:serviceaccount:search:indexer" || got.Kind() != "jwt" {
			t.Errorf("%s: evidence = %+v", name, got.JWT)
		}
	}
	got, err := v.Identify(t.Context(), []string{"bearer   " + sign(t, key, with("aud", []string{"other", audience}))}, nil)
	want := caller.Evidence{JWT: &caller.JWT{Issuer: acme, Audiences: []string{"other", audience}, Subject: "system:serviceaccount:search:indexer"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("the scheme in lower case: %v, evidence differs (-want +got):\n%s", err, diff)
	}
}

func TestEveryAlgorithmWithAKeyPairIsTaken(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeIssuer{url: acme}
	v := verifierFor(t, f)
	rsaKey, edKey := jose.JSONWebKey{Key: private, KeyID: "rsa"}, jose.JSONWebKey{Key: edwards, KeyID: "ed"} // without alg, as many issuers write them
	f.show(rsaKey, edKey)
	for algorithm, key := range map[jose.SignatureAlgorithm]jose.JSONWebKey{jose.RS256: rsaKey, jose.PS384: rsaKey, jose.RS512: rsaKey, jose.EdDSA: edKey} {
		if _, err := v.Identify(t.Context(), []string{"Bearer " + signWith(t, key, algorithm, good())}, nil); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

func TestTokensThatDoNotHoldAreRefused(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	other := newECKey(t, "k1") // has the name of the issuer's key
	stranger := newECKey(t, "k2")
	now := time.Now()
	// HS256 with the public key as the secret: whoever looks keys up by name alone
	// would find the signature good.
	confused := signWith(t, jose.JSONWebKey{Key: publicBytes(t, key.Public().Key), KeyID: "k1"}, jose.HS256, good())
	demandingSigner, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("crit", []string{"hurry"}).WithHeader("hurry", true))
	if err != nil {
		t.Fatal(err)
	}
	demanding, err := jwt.Signed(demandingSigner).Claims(good()).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	parts := strings.Split(sign(t, key, good()), ".")
	for _, tt := range []struct {
		name  string
		token string
		want  caller.Reason
	}{
		{"expired", sign(t, key, with("exp", now.Add(-time.Minute).Unix())), caller.ReasonExpired},
		{"without an end", sign(t, key, without("exp")), caller.ReasonExpired},
		{"not yet valid", sign(t, key, with("nbf", now.Add(time.Minute).Unix())), caller.ReasonNotYetValid},
		{"issued in the future", sign(t, key, with("iat", now.Add(time.Minute).Unix())), caller.ReasonNotYetValid},
		{"for somebody else", sign(t, key, with("aud", "jira-broker")), caller.ReasonWrongAudience},
		{"for nobody", sign(t, key, without("aud")), caller.ReasonWrongAudience},
		{"for an empty list", sign(t, key, with("aud", []string{})), caller.ReasonWrongAudience},
		{"for a name that begins like ours", sign(t, key, with("aud", audience+"-2")), caller.ReasonWrongAudience},
		{"about nobody", sign(t, key, without("sub")), caller.ReasonNoSubject},
		{"of an unknown issuer", sign(t, key, with("iss", "https://evil.acme.example")), caller.ReasonUnknownIssuer},
		{"of the issuer with a slash more", sign(t, key, with("iss", acme+"/")), caller.ReasonUnknownIssuer},
		{"of no issuer", sign(t, key, without("iss")), caller.ReasonUnknownIssuer},
		{"an issuer that would break a log line", sign(t, key, with("iss", "a\nlevel=INFO "+strings.Repeat("x", 4000))), caller.ReasonUnknownIssuer},
		{"signed with another key of the same name", sign(t, other, good()), caller.ReasonBadSignature},
		{"signed with a key of another name", sign(t, stranger, good()), caller.ReasonUnknownKey},
		{"other claims under a good signature", parts[0] + "." + encode(`{"iss":"`+acme+`","sub":"root"}`) + "." + parts[2], caller.ReasonBadSignature},
		{"alg none", encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", caller.ReasonUnsigned},
		{"alg None", encode(`{"alg":"None","kid":"k1"}`) + "." + parts[1] + "." + parts[2], caller.ReasonAlgorithm},
		{"no alg", encode(`{"kid":"k1"}`) + "." + parts[1] + "." + parts[2], caller.ReasonAlgorithm},
		{"a shared secret", confused, caller.ReasonAlgorithm},
		{"the algorithm of another kind of key", encode(`{"alg":"RS256","kid":"k1"}`) + "." + parts[1] + "." + parts[2], caller.ReasonUnknownKey},
		{"no signature", parts[0] + "." + parts[1] + ".", caller.ReasonBadSignature},
		{"two parts", parts[0] + "." + parts[1], caller.ReasonMalformed},
		{"five parts, as if encrypted", strings.Join(parts, ".") + ".a.b", caller.ReasonMalformed},
		{"not base64", "a.b.c=", caller.ReasonMalformed},
		{"claims that are no object", sign(t, key, good())[:len(parts[0])+1] + encode(`"text"`) + "." + parts[2], caller.ReasonMalformed},
		{"exp that is no number", sign(t, key, with("exp", "tomorrow")), caller.ReasonMalformed},
		{"a demand that we do not know", demanding, caller.ReasonBadSignature},
		{"a key of its own", encode(`{"alg":"ES256","jwk":`+string(publicBytes(t, stranger.Public().Key))+`}`) + "." + strings.Join(strings.Split(sign(t, stranger, good()), ".")[1:], "."), caller.ReasonBadSignature},
		{"oversized", sign(t, key, with("groups", strings.Repeat("g", 8<<10))), caller.ReasonOversized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A verifier of its own: one token's question for new keys is not another's.
			got, err := verifierFor(t, f).Identify(t.Context(), []string{"Bearer " + tt.token}, nil)
			wantReason(t, err, tt.want, tt.token)
			if !got.Anonymous() {
				t.Errorf("a refused call has evidence %+v", got)
			}
		})
	}
}

func TestOversizedTokenIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	token := sign(t, key, with("groups", strings.Repeat("g", 1<<20)))
	_, err := verifierFor(t, f).Identify(t.Context(), []string{"Bearer " + token}, nil)
	wantReason(t, err, caller.ReasonOversized, token)
	if _, all := f.counts(); all != 0 {
		t.Errorf("the issuer was asked %d times", all)
	}
}

func TestTokenExpiresWhileItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		v := verifierFor(t, f)
		token := "Bearer " + sign(t, key, with("exp", time.Now().Add(time.Minute).Unix()))
		for _, step := range []struct {
			wait time.Duration
			ok   bool
		}{{0, true}, {time.Minute, true}, {caller.DefaultSkew, true}, {time.Second, false}} {
			time.Sleep(step.wait)
			if _, err := v.Identify(t.Context(), []string{token}, nil); (err == nil) != step.ok {
				t.Errorf("after %s more: %v, want ok = %t", step.wait, err, step.ok)
			}
		}
	})
}

func TestEachIssuerVouchesForItselfOnly(t *testing.T) {
	t.Parallel()
	first, firstKey := newIssuer(t)
	second, secondKey := newIssuer(t)
	second.url = "https://second.acme.example"
	v, err := caller.New(caller.Config{
		Issuers: []caller.Issuer{{URL: first.url, Audiences: []string{"one"}}, {URL: second.url, Audiences: []string{"two"}}, {URL: first.url, Audiences: []string{"three"}}},
		Transport: func(url string) http.RoundTripper {
			return map[string]http.RoundTripper{first.url: first, second.url: second}[url]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(issuer *fakeIssuer, audience string) map[string]any {
		all := with("iss", issuer.url)
		all["aud"] = audience
		return all
	}
	for _, tt := range []struct {
		name   string
		claims map[string]any
		key    jose.JSONWebKey
		want   caller.Reason
	}{
		{"the first's token", claims(first, "one"), firstKey, ""},
		{"the first's token for its second caller", claims(first, "three"), firstKey, ""},
		{"the second's token", claims(second, "two"), secondKey, ""},
		{"the first's token for the second's audience", claims(first, "two"), firstKey, caller.ReasonWrongAudience},
		{"the second's key in the first's name", claims(first, "one"), secondKey, caller.ReasonBadSignature},
	} {
		token := sign(t, tt.key, tt.claims)
		_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		wantReason(t, err, tt.want, token)
	}
}

func TestIssuersThatCannotBeRightAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		issuer caller.Issuer
		want   string
	}{
		{"no audience", caller.Issuer{URL: acme}, "audience is required"},
		{"an empty audience", caller.Issuer{URL: acme, Audiences: []string{""}}, "must not be empty"},
		{"plain http", caller.Issuer{URL: "http://issuer.acme.example", Audiences: []string{"a"}}, "https://"},
		{"no scheme", caller.Issuer{URL: "issuer.acme.example", Audiences: []string{"a"}}, "not an address"},
		{"a user", caller.Issuer{URL: "https://me@issuer.acme.example", Audiences: []string{"a"}}, "neither a user"},
		{"a query", caller.Issuer{URL: acme + "?a=b", Audiences: []string{"a"}}, "no query"},
	} {
		_, err := caller.New(caller.Config{Issuers: []caller.Issuer{tt.issuer}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	if _, err := caller.New(caller.Config{Issuers: []caller.Issuer{{URL: "http://127.0.0.1:8080", Audiences: []string{"a"}}}}); err != nil {
		t.Errorf("plain http on loopback: %v", err)
	}
}
