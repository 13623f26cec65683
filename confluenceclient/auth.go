package confluenceclient

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// auth is the innermost layer and the wall around the token. It adds the token
// to requests for the gateway, on a clone, lets requests for media hosts pass
// without it, and refuses all else: other hosts, and any method but GET.
type auth struct {
	next       http.RoundTripper
	gateway    *url.URL
	mediaHosts []string
	creds      Credentials
	oauth      *oauthTokens // nil: the secret itself is the token
}

// tokenTransport is for the requests that fetch access tokens.
func newAuth(next, tokenTransport http.RoundTripper, cfg Config, gateway *url.URL) *auth {
	a := &auth{next: next, gateway: gateway, mediaHosts: cfg.MediaHosts, creds: cfg.Credentials}
	if cfg.Credentials.Scheme == SchemeOAuth {
		a.oauth = &oauthTokens{transport: tokenTransport, creds: cfg.Credentials}
	}
	return a
}

func (a *auth) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		return nil, &Error{Cause: CauseInvalid, Message: "method " + req.Method + " is refused: the client only reads"}
	}
	if !a.isGateway(req.URL) {
		if !isMediaURL(req.URL, a.mediaHosts) {
			return nil, &Error{Cause: CauseBadResponse, Message: "host " + req.URL.Host + " is refused: it is neither the gateway nor a media host"}
		}
		return a.next.RoundTrip(req)
	}
	resp, err := a.signed(req)
	if err == nil && a.oauth != nil && resp.StatusCode == http.StatusUnauthorized && !isScopeRefusal(resp.Header) {
		// An access token can die before its time. A fresh one is worth a try,
		// which is the retry layer's to make.
		callFrom(req.Context()).tokenStale = a.oauth.forget()
	}
	return resp, err
}

func (a *auth) signed(req *http.Request) (*http.Response, error) {
	authorization, err := a.authorization(req.Context())
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context()) // layers above must not see the header
	req.Header.Set("Authorization", authorization)
	return a.next.RoundTrip(req)
}

func (a *auth) authorization(ctx context.Context) (string, error) {
	if a.oauth != nil {
		token, err := a.oauth.token(ctx)
		return "Bearer " + token, err
	}
	return a.creds.authorization(), nil
}

// authorization is the header for schemes whose secret is the token itself.
func (cred Credentials) authorization() string {
	secret := strings.TrimSpace(cred.Secret())
	if cred.Scheme == SchemeBearer {
		return "Bearer " + secret
	}
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(cred.Email, secret)
	return req.Header.Get("Authorization")
}

// isGateway insists on the path too: other tenants live on the same host.
func (a *auth) isGateway(u *url.URL) bool {
	return u.Scheme == a.gateway.Scheme && strings.EqualFold(u.Host, a.gateway.Host) &&
		strings.HasPrefix(u.Path, a.gateway.Path+"/")
}

// isMediaURL tells whether a download may be fetched from u. Host and port must
// be listed, so that no redirect can lead the broker to private addresses;
// plain http is for loopback only.
func isMediaURL(u *url.URL, mediaHosts []string) bool {
	if u.User != nil || (u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()))) {
		return false
	}
	return slices.ContainsFunc(mediaHosts, func(host string) bool {
		return strings.EqualFold(u.Host, host) || strings.EqualFold(u.Host, host+":443")
	})
}
