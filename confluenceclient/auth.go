package confluenceclient

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// auth is the innermost layer and the wall around the token. It adds the token
// to requests for the gateway, on a clone, lets requests for media hosts pass
// without it, and refuses all else: other hosts, and any method but GET.
type auth struct {
	next           http.RoundTripper
	tokenTransport http.RoundTripper // for the requests that fetch access tokens
	gateway        *url.URL
	mediaHosts     []string
}

func newAuth(next, tokenTransport http.RoundTripper, cfg Config, gateway *url.URL) *auth {
	return &auth{next: next, tokenTransport: tokenTransport, gateway: gateway, mediaHosts: cfg.MediaHosts}
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
	call := callFrom(req.Context())
	authorization, err := call.cred.authorization(req.Context(), a.tokenTransport)
	if err != nil {
		return nil, err
	}
	call.sent = time.Now()
	req = req.Clone(req.Context()) // layers above must not see the header
	req.Header.Set("Authorization", authorization)
	resp, err := a.next.RoundTrip(req)
	if err == nil && call.cred.oauth != nil && resp.StatusCode == http.StatusUnauthorized && !isScopeRefusal(resp.Header) {
		// An access token can die before its time. A fresh one is worth a try,
		// which is the retry layer's to make.
		call.tokenStale = call.cred.oauth.forget(strings.TrimPrefix(authorization, "Bearer "))
	}
	return resp, err
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
