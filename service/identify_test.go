package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/policy"
)

const (
	testIssuer   = "https://issuer.acme.example"
	testAudience = "confluence-broker"
	testSPIFFE   = "spiffe://acme.example/indexer"
)

// identities is everybody who takes part in these tests.
type identities struct {
	key       string // of a caller in the policy
	signing   jose.JSONWebKey
	authority tls.Certificate
	pool      *x509.CertPool
	issuerUp  atomic.Bool
}

func newIdentities(t testing.TB) *identities {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &identities{key: caller.NewKey(), signing: jose.JSONWebKey{Key: private, KeyID: "k1", Algorithm: string(jose.ES256)}, pool: x509.NewCertPool()}
	i.issuerUp.Store(true)
	i.authority = certificate(t, nil, func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.BasicConstraintsValid = pkix.Name{CommonName: "Acme CA"}, true, true
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign, nil
	})
	i.pool.AddCert(i.authority.Leaf)
	return i
}

// RoundTrip is the issuer.
func (i *identities) RoundTrip(req *http.Request) (*http.Response, error) {
	if !i.issuerUp.Load() {
		return nil, errors.New("connection refused")
	}
	body, err := json.Marshal(map[string]string{"issuer": testIssuer, "jwks_uri": testIssuer + "/keys"})
	if req.URL.Path == "/keys" {
		body, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.signing.Public()}})
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(body))), Request: req}, err
}

// secure sets up a broker with a policy of three callers, which admits anonymous
// ones too: what it refuses, it does not take for anonymous.
func (i *identities) secure(t testing.TB) func(*setup) {
	t.Helper()
	p, err := policy.Parse("policy.yaml", fmt.Appendf(nil, `
callers:
  - {name: by-key, keys: [%q], methods: ["*"], spaces: ["*"]}
  - {name: by-certificate, tls: {uris: [%q]}, methods: ["*"], spaces: ["*"]}
  - {name: by-jwt, jwt: [{issuer: %q, audience: %q, subjects: [indexer]}], methods: ["*"], spaces: ["*"]}
anonymous: {methods: ["*"], spaces: ["*"]}
`, caller.HashKey(i.key), testSPIFFE, testIssuer, testAudience), policy.Known{Methods: []string{"GetPage"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := caller.New(caller.Config{
		Issuers: p.Issuers(), ClientCAs: func() *x509.CertPool { return i.pool },
		Transport: func(string) http.RoundTripper { return i },
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(s *setup) {
		s.service.Verifier, s.service.Policy = v, func() *policy.Policy { return p }
	}
}

// token is a good JWT, changed by change.
func (i *identities) token(t testing.TB, change func(*jwt.Claims)) string {
	t.Helper()
	claims := jwt.Claims{Issuer: testIssuer, Subject: "indexer", Audience: jwt.Audience{testAudience}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	change(&claims)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.signing}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// certificate makes one that signer, or nobody but itself, has signed.
func certificate(t testing.TB, signer *tls.Certificate, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"},
	}
	change(template)
	parent, signingKey := template, any(key)
	if signer != nil {
		parent, signingKey = signer.Leaf, signer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signingKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// client is the certificate of the caller by-certificate, changed by change.
func (i *identities) client(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return certificate(t, &i.authority, func(c *x509.Certificate) {
		id, err := url.Parse(testSPIFFE)
		if err != nil {
			t.Fatal(err)
		}
		c.URIs, c.DNSNames = []*url.URL{id}, nil
		change(c)
	})
}

// serveTLS also serves a broker on a real port, and returns its address. Set
// the broker up withTLS.
func serveTLS(t testing.TB, b *broker) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.server.Serve(listener) }()
	return listener.Addr().String()
}

func (i *identities) withTLS(t testing.TB) func(*setup) {
	t.Helper()
	served := certificate(t, &i.authority, func(*x509.Certificate) {})
	return func(s *setup) {
		s.service.TLS = &tls.Config{Certificates: []tls.Certificate{served}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS13}
	}
}

// dial connects with TLS, and with this certificate if there is one.
func (i *identities) dial(t testing.TB, address string, client *tls.Certificate) brokerv1.BrokerServiceClient {
	t.Helper()
	config := &tls.Config{RootCAs: i.pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	if client != nil {
		// Without this, Go would not send a certificate of an authority that the
		// server does not name.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return brokerv1.NewBrokerServiceClient(conn)
}

func TestCallersAreKnownByKeyTokenAndCertificate(t *testing.T) {
	t.Parallel()
	i := newIdentities(t)
	b := newBroker(t, i.secure(t), i.withTLS(t))
	address := serveTLS(t, b)
	plain := i.dial(t, address, nil)
	client := i.client(t, func(*x509.Certificate) {})
	for kind, call := range map[string]func() error{
		"key": func() error {
			_, err := plain.GetPage(withMetadata(t.Context(), "authorization", "Bearer "+i.key), byID("1001"))
			return err
		},
		"jwt": func() error {
			_, err := plain.GetPage(withMetadata(t.Context(), "authorization", "Bearer "+i.token(t, func(*jwt.Claims) {})), byID("1001"))
			return err
		},
		"certificate": func() error {
			_, err := i.dial(t, address, &client).GetPage(t.Context(), byID("1001"))
			return err
		},
		"anonymous": func() error {
			_, err := plain.GetPage(t.Context(), byID("1001"))
			return err
		},
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if got := b.callsBy(t, kind); got != 1 {
			t.Errorf("%s: the metric counts %d calls, want 1", kind, got)
		}
	}
	i.leavesNoTrace(t, b)
}

func TestCallersThatDoNotProveWhoTheyAreAreRefusedAlike(t *testing.T) {
	t.Parallel()
	i := newIdentities(t)
	b := newBroker(t, i.secure(t), i.withTLS(t))
	address := serveTLS(t, b)
	other := newIdentities(t)
	certificate := func(change func(*x509.Certificate)) *tls.Certificate {
		made := i.client(t, change)
		return &made
	}
	foreign := other.client(t, func(*x509.Certificate) {})
	bearer := func(token string) []string { return []string{"authorization", "Bearer " + token} }
	tests := []struct {
		name     string
		metadata []string
		client   *tls.Certificate
		reason   string // in the log
	}{
		{"an unknown key", bearer(other.key), nil, "no caller of the policy"},
		{"no scheme", []string{"authorization", "JUSTATOKEN"}, nil, "malformed"},
		{"two values", append(bearer(i.key), bearer(i.key)...), nil, "malformed"},
		{"expired", bearer(i.token(t, func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Hour)) })), nil, "expired"},
		{"not yet valid", bearer(i.token(t, func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(time.Now().Add(time.Hour)) })), nil, "not_yet_valid"},
		{"another audience", bearer(i.token(t, func(c *jwt.Claims) { c.Audience = jwt.Audience{"jira"} })), nil, "wrong_audience"},
		{"another subject", bearer(i.token(t, func(c *jwt.Claims) { c.Subject = "stranger" })), nil, "no caller of the policy"},
		{"another issuer", bearer(i.token(t, func(c *jwt.Claims) { c.Issuer = "https://evil.acme.example" })), nil, "unknown_issuer"},
		{"another key", bearer(other.token(t, func(*jwt.Claims) {})), nil, "bad_signature"},
		{"unsigned", bearer("eyJhbGciOiJub25lIn0." + strings.Split(i.token(t, func(*jwt.Claims) {}), ".")[1] + "."), nil, "unsigned"},
		{"oversized", bearer(strings.Repeat("a", 10<<10)), nil, "oversized"},
		{"certificate of another authority", nil, &foreign, "certificate_untrusted"},
		{"expired certificate", nil, certificate(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), "certificate_expired"},
		{"certificate without a name", nil, certificate(func(c *x509.Certificate) { c.URIs = nil }), "certificate_has_no_name"},
		{"certificate of nobody", nil, certificate(func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"other.acme.example"} }), "no caller of the policy"},
		{"good certificate and bad token", bearer("a.b.c"), certificate(func(*x509.Certificate) {}), "malformed"},
		{"bad certificate and good key", bearer(i.key), &foreign, "certificate_untrusted"},
		{"certificate and key of two callers", bearer(i.key), certificate(func(*x509.Certificate) {}), "more than one caller"},
	}
	for n, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := i.dial(t, address, tt.client).GetPage(withMetadata(t.Context(), tt.metadata...), byID("1001"))
			b.note(err)
			failedAs(t, err, codes.Unauthenticated, "CALLER_UNKNOWN")
			if status.Convert(err).Message() != callerUnknown {
				t.Errorf("the caller is told %q", status.Convert(err).Message())
			}
			if line := lastLine(t, b); !strings.Contains(fmt.Sprint(line["cause"]), tt.reason) {
				t.Errorf("the log says %v, want %s", line["cause"], tt.reason)
			}
			if got := b.callsBy(t, refused); got != int64(n)+1 {
				t.Errorf("the metric counts %d refused calls, want %d", got, n+1)
			}
		})
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
	i.leavesNoTrace(t, b)
	other.leavesNoTrace(t, b)
}

func TestIssuerThatIsDownLetsNobodyInAndSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	i := newIdentities(t)
	i.issuerUp.Store(false)
	b := newBroker(t, i.secure(t))
	_, err := b.GetPage(withMetadata(t.Context(), "authorization", "Bearer "+i.token(t, func(*jwt.Claims) {})), byID("1001"))
	failedAs(t, err, codes.Unavailable, "CALLER_UNKNOWN")
	if retry := detail[*errdetails.RetryInfo](status.Convert(err)); retry.GetRetryDelay().AsDuration() != retryUnchecked {
		t.Errorf("RetryInfo = %v, want %s", retry, retryUnchecked)
	}
	if _, err := b.GetPage(withMetadata(t.Context(), "authorization", "Bearer "+i.key), byID("1001")); err != nil {
		t.Errorf("a caller with a key meanwhile: %v", err)
	}
}

func TestReflectionIsForCallers(t *testing.T) {
	t.Parallel()
	i := newIdentities(t)
	key, token := "Bearer "+i.key, "Bearer "+i.token(t, func(*jwt.Claims) {})
	for _, tt := range []struct {
		name   string
		change func(*setup)
		sent   string
		want   codes.Code
	}{
		{"every caller", func(*setup) {}, key, codes.OK},
		{"anonymous callers where they are admitted", func(*setup) {}, "", codes.OK},
		{"nobody who is not let in", refuseAnonymous, "", codes.Unauthenticated},
		{"nobody with a bad token", func(*setup) {}, "Bearer a.b.c", codes.Unauthenticated},
		{"a caller that is named", func(s *setup) { s.service.ReflectionCallers = []string{"by-key"} }, key, codes.OK},
		{"no caller that is not", func(s *setup) { s.service.ReflectionCallers = []string{"by-key"} }, token, codes.PermissionDenied},
		{"nobody when it is off", func(s *setup) { s.service.NoReflection = true }, key, codes.Unimplemented},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, i.secure(t), tt.change)
			ctx := t.Context()
			if tt.sent != "" {
				ctx = withMetadata(ctx, "authorization", tt.sent)
			}
			v1, err := reflectionv1.NewServerReflectionClient(b.conn).ServerReflectionInfo(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_ = v1.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
			if got, err := v1.Recv(); status.Code(err) != tt.want || err == nil && !strings.Contains(got.String(), "confluence.broker.v1.BrokerService") {
				t.Errorf("v1 = %v, %v, want %v", got, err, tt.want)
			}
			v1alpha, err := reflectionv1alpha.NewServerReflectionClient(b.conn).ServerReflectionInfo(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_ = v1alpha.Send(&reflectionv1alpha.ServerReflectionRequest{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{}}) //nolint:staticcheck // deprecated, and what older grpcurls ask
			if got, err := v1alpha.Recv(); status.Code(err) != tt.want || err == nil && !strings.Contains(got.String(), "confluence.broker.v1.BrokerService") {
				t.Errorf("v1alpha = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestPlainConnectionToATLSPortIsRefused(t *testing.T) {
	t.Parallel()
	i := newIdentities(t)
	b := newBroker(t, i.secure(t), i.withTLS(t)) // whose own connection is plain
	if _, err := b.GetPage(withMetadata(t.Context(), "authorization", "Bearer "+i.key), byID("1001")); status.Code(err) != codes.Unavailable {
		t.Errorf("error = %v, want UNAVAILABLE", err)
	}
}

func TestStreamOfCallerThatReadsNothingIsEnded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		stream, err := b.GetAttachment(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(DefaultStallTimeout)
		synctest.Wait()
		line := lastLine(t, b)
		if line["reason"] != "LIMIT_EXCEEDED" || line["code"] != "ResourceExhausted" {
			t.Errorf("log line after the wait = %v, want LIMIT_EXCEEDED", line)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		b.note(err)
		failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
	})
}

func TestStreamOfSlowCallerGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		stream, err := b.GetAttachment(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
		for n := 0; err == nil; n++ {
			if n < 5 {
				time.Sleep(DefaultStallTimeout / 4)
			}
			_, err = stream.Recv()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

// callsBy is how many calls the metric has by callers that are known like this.
func (b *broker) callsBy(t testing.TB, kind string) int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if m.Name != "confluence_broker.calls" || !ok {
				continue
			}
			for _, point := range sum.DataPoints {
				if value, _ := point.Attributes.Value("identity"); value.AsString() == kind {
					return point.Value
				}
			}
		}
	}
	return 0
}

// leavesNoTrace looks for the key. Tokens (eyJ) the broker of every test looks
// for itself.
func (i *identities) leavesNoTrace(t testing.TB, b *broker) {
	t.Helper()
	var metrics metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &metrics); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{
		"logs": b.logs.String(), "statuses": b.errors.String(),
		"spans": fmt.Sprintf("%+v", b.spans.GetSpans()), "metrics": fmt.Sprintf("%+v", metrics),
	} {
		if strings.Contains(text, i.key) || strings.Contains(text, strings.TrimPrefix(caller.HashKey(i.key), "sha256:")) {
			t.Errorf("%s hold a key, or its whole hash", where)
		}
	}
}
