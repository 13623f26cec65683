package caller

import (
	"crypto/x509"
	"errors"
	"time"
)

// certificate verifies a chain as it came from the client, its own certificate
// first. That the client has the key to it, the handshake has proved.
//
// This is done for each call and not in the handshake alone, which a connection
// may outlive by months: a certificate that has expired since, or an authority
// that the operator has struck off, counts from the next call on.
func (v *Verifier) certificate(chain []*x509.Certificate) (*Certificate, error) {
	leaf, now := chain[0], time.Now()
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	roots := v.clientCAs()
	if roots == nil {
		return nil, refuse(ReasonCertUntrusted, "there is a client certificate, but no authority is configured that could vouch for it", nil)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return nil, refuseCertificate(leaf, now, err)
	}
	named := &Certificate{DNSNames: leaf.DNSNames, Subject: leaf.Subject.String()}
	for _, uri := range leaf.URIs {
		named.URIs = append(named.URIs, uri.String())
	}
	if len(named.URIs) == 0 && len(named.DNSNames) == 0 && named.Subject == "" {
		return nil, refuse(ReasonCertNoName, "the client certificate has neither a URI nor a DNS name nor a subject", nil)
	}
	return named, nil
}

func refuseCertificate(leaf *x509.Certificate, now time.Time, err error) error {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return refuse(ReasonCertUntrusted, "no authority in the client CA file has signed the client certificate", nil)
	case !errors.As(err, &invalid):
	case invalid.Reason == x509.Expired && now.Before(leaf.NotBefore):
		return refuse(ReasonCertNotYetValid, "the client certificate is valid from "+stamp(leaf.NotBefore)+" on", nil)
	case invalid.Reason == x509.Expired && now.After(leaf.NotAfter):
		return refuse(ReasonCertExpired, "the client certificate was valid until "+stamp(leaf.NotAfter), nil)
	case invalid.Reason == x509.Expired:
		return refuse(ReasonCertExpired, "a certificate between the client's and the authority's is out of its time", nil)
	case invalid.Reason == x509.IncompatibleUsage:
		return refuse(ReasonCertUsage, "the client certificate is not for TLS clients (extended key usage clientAuth)", nil)
	}
	return refuse(ReasonCertInvalid, "the client certificate breaks a rule", err)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
