package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// pair is a certificate with its key, in files.
type pair struct {
	certFile, keyFile string
	leaf              *x509.Certificate
	key               *ecdsa.PrivateKey
}

// newPair makes a certificate that signer has signed, or itself, in dir.
func newPair(t *testing.T, dir, name string, signer *pair) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: signer == nil, BasicConstraintsValid: true,
	}
	p := &pair{certFile: filepath.Join(dir, name+".crt"), keyFile: filepath.Join(dir, name+".key"), key: key}
	parent, signing := template, key
	if signer != nil {
		parent, signing = signer.leaf, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signing)
	if err != nil {
		t.Fatal(err)
	}
	if p.leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	write(t, p.certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return p
}

func TestGetTalksToABrokerWithTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority := newPair(t, dir, "ca", nil)
	served, foreign := newPair(t, dir, "broker", authority), newPair(t, dir, "foreign", newPair(t, dir, "other-ca", nil))
	key := filepath.Join(dir, "key")
	write(t, key, caller.NewKey())
	broken := filepath.Join(dir, "broken")
	write(t, broken, "no certificate")

	listen := func() net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	sim := startSimulation(listen(), confluencetest.New(confluencetest.SampleSite()), nil)
	t.Cleanup(sim.close)
	c := config{allowAnonymous: true, tlsCertFile: served.certFile, tlsKeyFile: served.keyFile, tlsClientCAFile: authority.certFile}
	if err := sim.configure(&c); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	tel, err := newTelemetry(t.Context(), func(string) string { return "" }, log)
	if err != nil {
		t.Fatal(err)
	}
	calls := listen()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runBroker(ctx, c, tel, log, calls, listen()) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	address := calls.Addr().String()
	for _, tt := range []struct {
		name  string
		flags []string
		code  int
		want  string // on stderr
	}{
		{"the right authority", []string{"--ca-file", authority.certFile}, exitOK, ""},
		{"the authorities of the system", []string{"--tls"}, exitFailed, "certificate"},
		{"another authority", []string{"--ca-file", foreign.certFile}, exitFailed, "certificate"},
		{"no TLS", nil, exitFailed, "no broker answers"},
		{"a key that nobody knows", []string{"--ca-file", authority.certFile, "--key-file", key}, exitFailed, "CALLER_UNKNOWN"},
		{"a certificate of another authority", []string{"--ca-file", authority.certFile, "--client-cert-file", foreign.certFile, "--client-key-file", foreign.keyFile}, exitFailed, "CALLER_UNKNOWN"},
		{"a file that holds no authority", []string{"--ca-file", broken}, exitUsage, "no certificate in PEM"},
		{"a certificate without key", []string{"--client-cert-file", foreign.certFile}, exitUsage, "--client-key-file"},
	} {
		var out, errs bytes.Buffer
		env := environment{getenv: func(string) string { return "" }, stdout: &out, stderr: &errs}
		code := run(t.Context(), append([]string{"get", "page", "1001", "--address", address}, tt.flags...), env)
		if code != tt.code || !strings.Contains(errs.String(), tt.want) || (code == exitOK) != (out.Len() > 0) {
			t.Errorf("%s: exit code %d, %d bytes, %q; want %d and %q", tt.name, code, out.Len(), errs.String(), tt.code, tt.want)
		}
	}
}

func TestKeyIsNotSentOverANetworkWithoutTLS(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, caller.NewKey())
	c := config{address: "broker.acme.example:8090", bearerFile: key}
	if _, err := c.dialOptions(); err == nil || !strings.Contains(err.Error(), "--tls") {
		t.Errorf("dialOptions off loopback = %v, want a refusal that names --tls", err)
	}
	c.address = "127.0.0.1:8090"
	if _, err := c.dialOptions(); err != nil {
		t.Errorf("dialOptions on loopback: %v", err)
	}
}

func TestPortBeyondThisMachineNeedsTLSOrLeaveToDoWithout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		c    config
		want string // empty: it may start
	}{
		{"loopback", config{listen: "127.0.0.1:8090"}, ""},
		{"loopback by name", config{listen: "localhost:8090"}, ""},
		{"loopback of IPv6", config{listen: "[::1]:8090"}, ""},
		{"all addresses", config{listen: "0.0.0.0:8090"}, "--allow-plaintext"},
		{"all addresses, unsaid", config{listen: ":8090"}, "--allow-plaintext"},
		{"all addresses of IPv6", config{listen: "[::]:8090"}, "--tls-cert-file"},
		{"a name", config{listen: "broker.acme.example:8090"}, "--allow-plaintext"},
		{"plaintext by leave", config{listen: ":8090", allowPlaintext: true}, ""},
		{"TLS", config{listen: ":8090", tlsCertFile: "c", tlsKeyFile: "k"}, ""},
		{"a certificate without key", config{listen: "127.0.0.1:8090", tlsCertFile: "c"}, "set both"},
		{"a key without certificate", config{listen: "127.0.0.1:8090", tlsKeyFile: "k"}, "set both"},
		{"client authorities without TLS", config{listen: "127.0.0.1:8090", tlsClientCAFile: "a"}, "over TLS only"},
	} {
		err := tt.c.checkListener()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestTLSFilesAreReloadedAndBadOnesAreNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority := newPair(t, dir, "ca", nil)
	served := newPair(t, dir, "broker", authority)
	c := config{tlsCertFile: served.certFile, tlsKeyFile: served.keyFile, tlsClientCAFile: authority.certFile}
	files, err := c.openTLS()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(logLines, 100)
	if err := files.watch(t.Context(), slog.New(slog.NewJSONHandler(lines, nil))); err != nil {
		t.Fatal(err)
	}
	shown := func() *tls.Certificate {
		cert, err := files.config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	write(t, served.certFile, "half a file")
	await(t, lines, "stay in use")
	if !shown().Leaf.Equal(served.leaf) {
		t.Error("a broken file has changed the certificate")
	}
	renewed := newPair(t, dir, "broker", authority) // the same files
	await(t, lines, "were changed and are in use")
	for !shown().Leaf.Equal(renewed.leaf) { // the key's file may have been seen first
		await(t, lines, "were changed and are in use")
	}
	before := files.clientCAs()
	newPair(t, dir, "ca", nil)
	await(t, lines, "were changed and are in use")
	if files.clientCAs().Equal(before) {
		t.Error("the authorities of clients are those from before")
	}
}

func TestTLSFilesThatCannotBeUsedKeepTheBrokerFromStarting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := newPair(t, dir, "one", nil), newPair(t, dir, "two", nil)
	empty := filepath.Join(dir, "empty")
	write(t, empty, "")
	for name, c := range map[string]config{
		"absent":                {tlsCertFile: filepath.Join(dir, "absent"), tlsKeyFile: one.keyFile},
		"the key of another":    {tlsCertFile: one.certFile, tlsKeyFile: two.keyFile},
		"no client authorities": {tlsCertFile: one.certFile, tlsKeyFile: one.keyFile, tlsClientCAFile: empty},
	} {
		if _, err := c.openTLS(); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
}

func TestIssuerIsAskedWithItsOwnAuthorityAndToken(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	issuer := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	t.Cleanup(issuer.Close)
	issuer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw})))
	write(t, token, "first\n")
	c := config{}
	for _, set := range []error{
		setIssuerFiles(func(c *config) *map[string]string { return &c.issuerCAFiles })(&c, issuer.URL+"="+ca),
		setIssuerFiles(func(c *config) *map[string]string { return &c.issuerTokenFiles })(&c, "https://other.acme.example=/x, "+issuer.URL+"="+token),
	} {
		if set != nil {
			t.Fatal(set)
		}
	}
	get := func(name string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.issuerTransport(name).RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	if err := get("https://third.acme.example"); err == nil {
		t.Error("an issuer without files of its own was trusted by another's authority")
	}
	for _, want := range []string{"first", "second"} {
		write(t, token, want)
		if err := get(issuer.URL); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != "Bearer "+want {
			t.Errorf("the issuer was shown %q, want the token of the file as it is, %s", got, want)
		}
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	if err := get(issuer.URL); err == nil {
		t.Error("the issuer was asked without the token that it wants to see")
	}
}

func TestIssuerFilesThatAreNotPairs(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"/ca.crt", "https://a.acme.example", "https://a.acme.example=", "a=b", "https://a.acme.example=/x,https://a.acme.example=/y"} {
		if err := setIssuerFiles(func(c *config) *map[string]string { return &c.issuerCAFiles })(&config{}, value); err == nil {
			t.Errorf("%q is taken", value)
		}
	}
}
