package caller

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultSkew is how far the clock of an issuer may be from ours: far more than
// clocks that NTP keeps differ, and little beside the life of any token.
const DefaultSkew = 30 * time.Second

// maxBearer is more than any good token has: those of Kubernetes have about
// 1,200 bytes, and the ones that list a person's groups rarely more than 6,000.
const maxBearer = 8 << 10

// Config is whom to trust. The zero value trusts nobody; static keys are hashed
// all the same.
type Config struct {
	// Issuers may vouch for callers with JWTs.
	Issuers []Issuer
	// ClientCAs are the authorities that may vouch for client certificates. It is
	// asked for each call, so that they may change. Nil, or a nil pool: none.
	ClientCAs func() *x509.CertPool
	// Transport is the way to an issuer, named by its URL. Nil: the system's
	// certificates, and no proxy.
	Transport func(issuerURL string) http.RoundTripper
	// Skew is how far an issuer's clock may be from ours. 0: DefaultSkew.
	Skew time.Duration
}

// Verifier tells who calls. It is safe for concurrent use.
type Verifier struct {
	clientCAs func() *x509.CertPool
	transport func(issuerURL string) http.RoundTripper
	skew      time.Duration

	changing sync.Mutex // held by who writes issuers
	issuers  atomic.Pointer[map[string]*issuer]
}

// New checks cfg. It asks no issuer yet: one that cannot be reached should keep
// out its own callers, and not the broker from its work.
func New(cfg Config) (*Verifier, error) {
	v := &Verifier{clientCAs: cfg.ClientCAs, transport: cfg.Transport, skew: cfg.Skew}
	if v.clientCAs == nil {
		v.clientCAs = func() *x509.CertPool { return nil }
	}
	if v.transport == nil {
		direct := &http.Transport{ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
		v.transport = func(string) http.RoundTripper { return direct }
	}
	if v.skew == 0 {
		v.skew = DefaultSkew
	}
	return v, v.Trust(cfg.Issuers)
}

// Trust takes these issuers in place of those before. Of issuers that stay, the
// keys are kept. If one of them cannot be right, nothing changes.
func (v *Verifier) Trust(issuers []Issuer) error {
	merged, err := merge(issuers)
	if err != nil {
		return err
	}
	v.changing.Lock()
	defer v.changing.Unlock()
	before := v.issuers.Load()
	after := map[string]*issuer{}
	for url, audiences := range merged {
		var keys *keySet
		if before != nil && (*before)[url] != nil {
			keys = (*before)[url].keys
		} else {
			keys = newKeySet(url, v.transport(url))
		}
		after[url] = &issuer{audiences: audiences, keys: keys}
	}
	v.issuers.Store(&after)
	return nil
}

// Identify tells who calls, from all values of the call's authorization
// metadata and the state of its connection, nil without TLS. Any error is an
// *Error, but for ctx's own.
func (v *Verifier) Identify(ctx context.Context, authorization []string, state *tls.ConnectionState) (Evidence, error) {
	var e Evidence
	if state != nil && len(state.PeerCertificates) > 0 {
		certificate, err := v.certificate(state.PeerCertificates)
		if err != nil {
			return Evidence{}, err
		}
		e.Certificate = certificate
	}
	if len(authorization) == 0 {
		return e, nil
	}
	bearer, err := readBearer(authorization)
	if err != nil {
		return Evidence{}, err
	}
	if !strings.Contains(bearer, ".") { // a JWT has two dots
		if len(bearer) < minKeyLength {
			return Evidence{}, refuse(ReasonMalformed, "the bearer token is neither a JWT nor a key, which has at least 32 characters", nil)
		}
		e.KeyHash = HashKey(bearer)
		return e, nil
	}
	if e.JWT, err = v.jwt(ctx, bearer); err != nil {
		return Evidence{}, err
	}
	return e, nil
}

// readBearer returns the one token of RFC 6750, section 2.1. Of several it is
// anybody's guess which one counts, so that none does.
func readBearer(authorization []string) (string, error) {
	if len(authorization) > 1 {
		return "", refuse(ReasonMalformed, "the call has several values of authorization; it must have one", nil)
	}
	if len(authorization[0]) > maxBearer {
		return "", refuse(ReasonOversized, "the value of authorization has more than 8 KiB", nil)
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refuse(ReasonMalformed, "the value of authorization must be Bearer and a token", nil)
	}
	token = strings.Trim(token, " ")
	if token == "" || strings.ContainsFunc(token, notToken68) {
		return "", refuse(ReasonMalformed, "behind Bearer there must be one token, of letters, digits and -._~+/=", nil)
	}
	return token, nil
}

func notToken68(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/=", r))
}
