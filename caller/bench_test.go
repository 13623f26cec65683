package caller_test

import (
	"crypto/x509"
	"testing"

	"github.com/confluence-broker/confluence-broker/caller"
)

// BenchmarkIdentify is what it costs each call to say who makes it.
func BenchmarkIdentify(b *testing.B) {
	f, key := newIssuer(b)
	a := newAuthority(b, nil)
	cert := a.client(b, func(*x509.Certificate) {})
	state := handshake(b, &cert)
	certificates, tokens := certificateVerifier(b, a.pool()), verifierFor(b, f)
	token, static := []string{"Bearer " + sign(b, key, good())}, []string{"Bearer " + caller.NewKey()}
	for name, identify := range map[string]func() (caller.Evidence, error){
		"certificate": func() (caller.Evidence, error) { return certificates.Identify(b.Context(), nil, state) },
		"jwt":         func() (caller.Evidence, error) { return tokens.Identify(b.Context(), token, nil) },
		"key":         func() (caller.Evidence, error) { return tokens.Identify(b.Context(), static, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := identify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
