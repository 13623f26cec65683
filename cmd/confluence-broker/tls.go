package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/policy"
)

// listenerTLS is what the broker's port shows and whom it trusts, from files
// that may change while the program runs.
type listenerTLS struct {
	certFile, keyFile, clientCAFile string

	current atomic.Pointer[tlsContent]

	changing  sync.Mutex // held by reload
	complaint string     // what is wrong with the files as they are now
}

// tlsContent is the files at one time.
type tlsContent struct {
	raw         []byte // to see whether anything has changed
	certificate *tls.Certificate
	clientCAs   *x509.CertPool // nil: none
}

// checkListener refuses what would send page text and keys over a network for
// all to read, unless it is said that this is wanted.
func (c config) checkListener() error {
	var problems []error
	if (c.tlsCertFile == "") != (c.tlsKeyFile == "") {
		problems = append(problems, errors.New("a certificate needs its key, and a key its certificate: set both BROKER_TLS_CERT_FILE (--tls-cert-file) and BROKER_TLS_KEY_FILE (--tls-key-file)"))
	}
	if c.tlsClientCAFile != "" && c.tlsCertFile == "" {
		problems = append(problems, errors.New("clients show certificates over TLS only: BROKER_TLS_CLIENT_CA_FILE (--tls-client-ca-file) needs --tls-cert-file and --tls-key-file"))
	}
	if c.tlsCertFile == "" && !c.allowPlaintext && !isLoopback(c.listen) {
		problems = append(problems, fmt.Errorf("%s is not on this machine alone, and without TLS all that is sent can be read on the way: set BROKER_TLS_CERT_FILE (--tls-cert-file) and BROKER_TLS_KEY_FILE (--tls-key-file), or, behind a proxy that does TLS, BROKER_ALLOW_PLAINTEXT=true (--allow-plaintext)", c.listen))
	}
	return errors.Join(problems...)
}

// openTLS reads the files. Nil: the port has no TLS.
func (c config) openTLS() (*listenerTLS, error) {
	if c.tlsCertFile == "" {
		return nil, nil
	}
	l := &listenerTLS{certFile: c.tlsCertFile, keyFile: c.tlsKeyFile, clientCAFile: c.tlsClientCAFile}
	content, err := l.read()
	if err != nil {
		return nil, err
	}
	l.current.Store(content)
	return l, nil
}

func (l *listenerTLS) read() (*tlsContent, error) {
	cert, certErr := os.ReadFile(l.certFile)
	key, keyErr := os.ReadFile(l.keyFile)
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no certificate with its key: %w", l.certFile, l.keyFile, err)
	}
	content := &tlsContent{raw: bytes.Join([][]byte{cert, key}, nil), certificate: &pair}
	if l.clientCAFile == "" {
		return content, nil
	}
	authorities, err := os.ReadFile(l.clientCAFile)
	if err != nil {
		return nil, err
	}
	content.raw = append(content.raw, authorities...)
	content.clientCAs, err = readAuthorities(l.clientCAFile, authorities)
	return content, err
}

func readAuthorities(path string, data []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// config asks clients for a certificate where there are authorities for them.
// Whether it is good, the service checks for each call: the caller is told by a
// status then, the log says why, and open connections see new authorities too.
func (l *listenerTLS) config() *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.current.Load().certificate, nil },
	}
	if l.clientCAFile != "" {
		c.ClientAuth = tls.RequestClientCert
	}
	return c
}

// clientCAs are the authorities that may vouch for callers now.
func (l *listenerTLS) clientCAs() *x509.CertPool { return l.current.Load().clientCAs }

// watch takes over new content of the files until ctx is done. Content that
// cannot be used is logged and the one before stays in use.
func (l *listenerTLS) watch(ctx context.Context, log *slog.Logger) error {
	for _, path := range []string{l.certFile, l.keyFile, l.clientCAFile} {
		if path == "" {
			continue
		}
		if err := watchFile(ctx, path, log, func() { l.reload(ctx, log) }); err != nil {
			return err
		}
	}
	return nil
}

func (l *listenerTLS) reload(ctx context.Context, log *slog.Logger) {
	l.changing.Lock()
	defer l.changing.Unlock()
	content, err := l.read()
	switch {
	case err != nil && err.Error() != l.complaint: // the files are looked at each minute, and the same fault is said once
		l.complaint = err.Error()
		log.ErrorContext(ctx, "the TLS files cannot be read anew; those before stay in use", "error", err)
	case err != nil:
	case bytes.Equal(content.raw, l.current.Load().raw):
		l.complaint = ""
	default:
		l.complaint = ""
		l.current.Store(content)
		log.InfoContext(ctx, "the TLS files were changed and are in use", "certificate_until", content.certificate.Leaf.NotAfter)
	}
}

// identity is what the port needs to tell callers apart.
type identity struct {
	tls      *tls.Config // nil: none
	verifier *caller.Verifier
}

// identity opens what tells callers apart, and keeps up with its files until
// ctx is done. Issuers are those of the policy.
func (c config) identity(ctx context.Context, log *slog.Logger, policies *policyFile) (identity, error) {
	files, err := c.openTLS()
	if err != nil {
		return identity{}, usageError(err)
	}
	trust := caller.Config{Transport: c.issuerTransport, Issuers: policies.value().Issuers()}
	var found identity
	if files != nil {
		if err := files.watch(ctx, log); err != nil {
			return identity{}, err
		}
		found.tls, trust.ClientCAs = files.config(), files.clientCAs
	}
	if found.verifier, err = caller.New(trust); err != nil {
		return identity{}, err
	}
	return found, policies.watch(ctx, log, func(p *policy.Policy) error { return found.verifier.Trust(p.Issuers()) })
}

// reflectionCallers are those that are named; nil: on or off for all.
func (c config) reflectionCallers() []string {
	if c.reflection == "on" || c.reflection == "off" || c.reflection == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(c.reflection, " ", ""), ",")
}
