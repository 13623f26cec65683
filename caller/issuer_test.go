package caller_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/confluence-broker/confluence-broker/caller"
)

const (
	acme     = "https://issuer.acme.example"
	audience = "confluence-broker"
)

// fakeIssuer is an OpenID Connect issuer in memory. It is its own transport.
type fakeIssuer struct {
	url  string
	keys jose.JSONWebKeySet // what it shows

	mu       sync.Mutex
	down     bool
	answer   func(path string) (status int, body string, ok bool) // instead, for what is ok
	requests int                                                  // for its keys
	tried    int                                                  // for anything
}

func (f *fakeIssuer) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried++
	if f.down {
		return nil, errors.New("connection refused")
	}
	status, body := http.StatusNotFound, "not here"
	switch req.URL.Path {
	case "/.well-known/openid-configuration":
		status, body = http.StatusOK, `{"issuer": "`+f.url+`", "jwks_uri": "`+f.url+`/keys"}`
	case "/keys":
		f.requests++
		data, err := json.Marshal(f.keys)
		if err != nil {
			return nil, err
		}
		status, body = http.StatusOK, string(data)
	}
	if f.answer != nil {
		if otherStatus, otherBody, ok := f.answer(req.URL.Path); ok {
			status, body = otherStatus, otherBody
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {"https://elsewhere.acme.example/"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func (f *fakeIssuer) counts() (keys, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests, f.tried
}

func (f *fakeIssuer) change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// show makes keys the ones that the issuer shows.
func (f *fakeIssuer) show(keys ...jose.JSONWebKey) {
	f.change(func() {
		f.keys.Keys = nil
		for _, key := range keys {
			f.keys.Keys = append(f.keys.Keys, key.Public())
		}
	})
}

func newECKey(t testing.TB, kid string) jose.JSONWebKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"}
}

// newIssuer is one that shows one key.
func newIssuer(t testing.TB) (*fakeIssuer, jose.JSONWebKey) {
	t.Helper()
	f, key := &fakeIssuer{url: acme}, newECKey(t, "k1")
	f.show(key)
	return f, key
}

func verifierFor(t testing.TB, f *fakeIssuer) *caller.Verifier {
	t.Helper()
	v, err := caller.New(caller.Config{
		Issuers:   []caller.Issuer{{URL: f.url, Audiences: []string{audience, "second"}}},
		Transport: func(string) http.RoundTripper { return f },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sign makes a token of claims, which is anything that JSON can write.
func sign(t testing.TB, key jose.JSONWebKey, claims any) string {
	t.Helper()
	return signWith(t, key, jose.SignatureAlgorithm(key.Algorithm), claims)
}

func signWith(t testing.TB, key jose.JSONWebKey, algorithm jose.SignatureAlgorithm, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// good are the claims of a token that nothing is wrong with.
func good() map[string]any {
	return map[string]any{
		"iss": acme, "sub": "system:serviceaccount:search:indexer", "aud": []string{audience},
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nbf": time.Now().Unix(),
	}
}

// with are good claims with one other.
func with(name string, value any) map[string]any {
	claims := good()
	claims[name] = value
	return claims
}

func without(name string) map[string]any {
	claims := good()
	delete(claims, name)
	return claims
}

// wantReason fails the test unless err refuses for this reason. It never quotes
// what was sent.
func wantReason(t *testing.T, err error, want caller.Reason, sent string) {
	t.Helper()
	var refusal *caller.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("error = %v, want one with reason %s", err, want)
	}
	if refusal.Reason != want {
		t.Errorf("error = %v, want reason %s", err, want)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(sent, "Bearer "), ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("error %q quotes what was sent", err)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r\x1b") || len(err.Error()) > 1500 {
		t.Errorf("error %q does not fit in a line of a log", err)
	}
}

func publicBytes(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	data, err := json.Marshal(jose.JSONWebKey{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(data)
}
