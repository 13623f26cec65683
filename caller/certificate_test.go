package caller_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/test/bufconn"

	"github.com/confluence-broker/confluence-broker/caller"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, parent *authority) *authority {
	t.Helper()
	a := &authority{key: newPrivateKey(t)}
	if parent == nil {
		parent = a
	}
	template := template(time.Now().Add(-time.Hour), 30*24*time.Hour)
	template.Subject = pkix.Name{CommonName: "Acme CA"}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage, template.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	if parent == a {
		a.certificate = template
	}
	a.certificate = parent.sign(t, template, a.key)
	return a
}

func newPrivateKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(from time.Time, life time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), NotBefore: from, NotAfter: from.Add(life),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (a *authority) sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// client makes a client's certificate: one of an hour, changed by change.
func (a *authority) client(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := template(time.Now().Add(-time.Minute), time.Hour)
	template.Subject = pkix.Name{CommonName: "indexer"}
	change(template)
	key := newPrivateKey(t)
	return tls.Certificate{Certificate: [][]byte{a.sign(t, template, key).Raw}, PrivateKey: key}
}

// handshake is what a server knows of a client after a handshake that asks for a
// certificate.
func handshake(t testing.TB, client *tls.Certificate) *tls.ConnectionState {
	t.Helper()
	a := newAuthority(t, nil)
	served := a.client(t, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"broker.acme.example"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	listener := bufconn.Listen(64 << 10) // unlike net.Pipe, it takes an alert that nobody reads
	defer func() { _ = listener.Close() }()
	config := &tls.Config{RootCAs: a.pool(), ServerName: "broker.acme.example", MinVersion: tls.VersionTLS13}
	if client != nil {
		config.Certificates = []tls.Certificate{*client}
	}
	done := make(chan error, 1)
	go func() {
		conn, err := listener.DialContext(t.Context())
		if err == nil {
			defer func() { _ = conn.Close() }()
			err = tls.Client(conn, config).HandshakeContext(t.Context())
		}
		done <- err
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	server := tls.Server(conn, &tls.Config{
		Certificates: []tls.Certificate{served}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS13,
	})
	if err := server.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	state := server.ConnectionState()
	return &state
}

func TestCertificateTellsItsNames(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, nil)
	v := certificateVerifier(t, a.pool())
	spiffe, err := url.Parse("spiffe://acme.example/indexer")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*x509.Certificate)
		want   caller.Certificate
	}{
		{"SPIFFE", func(c *x509.Certificate) { c.Subject, c.URIs = pkix.Name{}, []*url.URL{spiffe} }, caller.Certificate{URIs: []string{"spiffe://acme.example/indexer"}}},
		{"DNS", func(c *x509.Certificate) { c.Subject, c.DNSNames = pkix.Name{}, []string{"indexer.acme.example"} }, caller.Certificate{DNSNames: []string{"indexer.acme.example"}}},
		{"subject", func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "indexer", Organization: []string{"Acme"}}
		}, caller.Certificate{Subject: "CN=indexer,O=Acme"}},
	} {
		cert := a.client(t, tt.change)
		got, err := v.Identify(t.Context(), nil, handshake(t, &cert))
		if diff := cmp.Diff(caller.Evidence{Certificate: &tt.want}, got); diff != "" || err != nil {
			t.Errorf("%s: %v, evidence differs (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func TestCertificateOfAnIntermediateAuthority(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, nil)
	between := newAuthority(t, root)
	cert := between.client(t, func(*x509.Certificate) {})
	v := certificateVerifier(t, root.pool())
	_, err := v.Identify(t.Context(), nil, handshake(t, &cert))
	wantReason(t, err, caller.ReasonCertUntrusted, "")
	cert.Certificate = append(cert.Certificate, between.certificate.Raw)
	if _, err := v.Identify(t.Context(), nil, handshake(t, &cert)); err != nil {
		t.Errorf("with the intermediate: %v", err)
	}
}

func TestCertificatesThatDoNotHoldAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, nil)
	v := certificateVerifier(t, a.pool())
	for _, tt := range []struct {
		name   string
		signer *authority
		change func(*x509.Certificate)
		want   caller.Reason
	}{
		{"another authority of the same name", newAuthority(t, nil), func(*x509.Certificate) {}, caller.ReasonCertUntrusted},
		{"expired", a, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }, caller.ReasonCertExpired},
		{"not yet valid", a, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, caller.ReasonCertNotYetValid},
		{"no name", a, func(c *x509.Certificate) { c.Subject = pkix.Name{} }, caller.ReasonCertNoName},
		{"only an e-mail address", a, func(c *x509.Certificate) {
			c.Subject, c.EmailAddresses = pkix.Name{}, []string{"dana@acme.example"}
		}, caller.ReasonCertNoName},
		{"a server's", a, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, caller.ReasonCertUsage},
		{"a critical demand that we do not know", a, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}, caller.ReasonCertInvalid},
	} {
		cert := tt.signer.client(t, tt.change)
		// A key that is good does not make up for it.
		for _, authorization := range [][]string{nil, {"Bearer " + caller.NewKey()}} {
			got, err := v.Identify(t.Context(), authorization, handshake(t, &cert))
			t.Run(tt.name, func(t *testing.T) { wantReason(t, err, tt.want, "") })
			if !got.Anonymous() {
				t.Errorf("%s: a refused call has evidence %+v", tt.name, got)
			}
		}
	}
	own := newPrivateKey(t)
	template := template(time.Now().Add(-time.Minute), time.Hour)
	template.Subject = pkix.Name{CommonName: "indexer"}
	self := (&authority{certificate: template, key: own}).sign(t, template, own)
	_, err := v.Identify(t.Context(), nil, handshake(t, &tls.Certificate{Certificate: [][]byte{self.Raw}, PrivateKey: own}))
	wantReason(t, err, caller.ReasonCertUntrusted, "")
}

func TestOpenConnectionOutlivesNeitherCertificateNorAuthority(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, nil)
		trusted := a.pool()
		v, err := caller.New(caller.Config{ClientCAs: func() *x509.CertPool { return trusted }})
		if err != nil {
			t.Fatal(err)
		}
		cert := a.client(t, func(*x509.Certificate) {})
		state := handshake(t, &cert)
		if _, err := v.Identify(t.Context(), nil, state); err != nil {
			t.Fatal(err)
		}
		trusted = newAuthority(t, nil).pool()
		_, err = v.Identify(t.Context(), nil, state)
		wantReason(t, err, caller.ReasonCertUntrusted, "")
		trusted = nil
		_, err = v.Identify(t.Context(), nil, state)
		wantReason(t, err, caller.ReasonCertUntrusted, "")
		trusted = a.pool()
		time.Sleep(time.Hour)
		_, err = v.Identify(t.Context(), nil, state)
		wantReason(t, err, caller.ReasonCertExpired, "")
	})
}

func TestCertificateAndBearerTokenAreBothEvidence(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, nil)
	cert := a.client(t, func(*x509.Certificate) {})
	v := certificateVerifier(t, a.pool())
	key := caller.NewKey()
	got, err := v.Identify(t.Context(), []string{"Bearer " + key}, handshake(t, &cert))
	want := caller.Evidence{Certificate: &caller.Certificate{Subject: "CN=indexer"}, KeyHash: caller.HashKey(key)}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, evidence differs (-want +got):\n%s", err, diff)
	}
	_, err = v.Identify(t.Context(), []string{"Bearer a.b.c"}, handshake(t, &cert))
	wantReason(t, err, caller.ReasonMalformed, "")
}

func TestConnectionWithoutCertificateIsAnonymous(t *testing.T) {
	t.Parallel()
	got, err := certificateVerifier(t, newAuthority(t, nil).pool()).Identify(t.Context(), nil, handshake(t, nil))
	if err != nil || !got.Anonymous() || got.Kind() != "anonymous" {
		t.Errorf("Identify = %+v, %v, want nobody", got, err)
	}
}

func certificateVerifier(t testing.TB, pool *x509.CertPool) *caller.Verifier {
	t.Helper()
	v, err := caller.New(caller.Config{ClientCAs: func() *x509.CertPool { return pool }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
