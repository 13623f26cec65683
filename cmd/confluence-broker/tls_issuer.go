package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// issuerTransport is the way to one OpenID Connect issuer. Its files are read
// for each request, of which there is one in minutes: they are always new.
type issuerTransport struct {
	caFile    string // PEM; empty: the system's authorities
	tokenFile string // sent as bearer; empty: none
}

// issuerTransport finds the issuer's files. A Kubernetes cluster, for one, needs
// its own authority, and mostly wants to see a service account token.
func (c config) issuerTransport(issuerURL string) http.RoundTripper {
	return issuerTransport{caFile: c.issuerCAFiles[issuerURL], tokenFile: c.issuerTokenFiles[issuerURL]}
}

func (t issuerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	// Without Proxy: like requests to Confluence, these go there directly.
	direct := &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if t.caFile != "" {
		data, err := os.ReadFile(t.caFile)
		if err != nil {
			return nil, err
		}
		if direct.TLSClientConfig.RootCAs, err = readAuthorities(t.caFile, data); err != nil {
			return nil, err
		}
	}
	if t.tokenFile != "" {
		token, err := readSecret(t.tokenFile)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return direct.RoundTrip(req)
}

// setIssuerFiles reads ISSUER=FILE pairs, separated by commas.
func setIssuerFiles(field func(*config) *map[string]string) func(*config, string) error {
	return func(c *config, value string) error {
		*field(c) = map[string]string{}
		if value == "" {
			return nil
		}
		for pair := range strings.SplitSeq(value, ",") {
			issuer, file, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok || file == "" || !strings.Contains(issuer, "://") {
				return fmt.Errorf("%q is not ISSUER=FILE, such as https://kubernetes.default.svc.cluster.local=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", pair)
			}
			if (*field(c))[issuer] != "" {
				return fmt.Errorf("%s is there twice", issuer)
			}
			(*field(c))[issuer] = file
		}
		return nil
	}
}
