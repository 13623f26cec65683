package confluenceclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// oauthTokens gets access tokens for client credentials and keeps the latest.
// Atlassian's live for 60 minutes; they are renewed five minutes early, or at half
// life where they live for less than ten.
// See https://support.atlassian.com/user-management/docs/create-oauth-2-0-credential-for-service-accounts
type oauthTokens struct {
	transport http.RoundTripper
	creds     Credentials
	fetches   flights[struct{}, string]

	mu      sync.Mutex
	latest  string
	fetched time.Time
	renewAt time.Time // zero: latest does not expire
}

// opToken is the request for an access token, the only one that is no GET. It
// goes to the authorization server, never to Confluence.
var opToken = &Operation{Name: "fetchAccessToken", API: "oauth", Path: "/oauth/token"}

const (
	oauthFetchTimeout = 15 * time.Second
	oauthRenewEarly   = 5 * time.Minute
)

func (o *oauthTokens) token(ctx context.Context) (string, error) {
	if token := o.usable(); token != "" {
		return token, nil
	}
	return o.fetches.do(ctx, struct{}{}, o.fetch)
}

func (o *oauthTokens) usable() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.renewAt.IsZero() && time.Now().After(o.renewAt) {
		return ""
	}
	return o.latest
}

// minTokenAge is how old an access token must be to be taken for dead when it is
// refused. A newer one is refused for another reason.
const minTokenAge = time.Minute

// forget drops the latest token, and tells whether it did.
func (o *oauthTokens) forget() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.fetched) < minTokenAge {
		return false
	}
	o.latest = ""
	return true
}

func (o *oauthTokens) fetch(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, oauthFetchTimeout)
	defer cancel()
	ctx, _ = withCall(ctx, opToken)
	callFrom(ctx).attempt = 1
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     o.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	config := clientcredentials.Config{
		ClientID:     o.creds.ClientID,
		ClientSecret: strings.TrimSpace(o.creds.Secret()),
		TokenURL:     o.creds.TokenURL,
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	token, err := config.Token(ctx)
	if err != nil {
		return "", oauthFailure(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latest, o.fetched, o.renewAt = token.AccessToken, time.Now(), time.Time{}
	if !token.Expiry.IsZero() {
		o.renewAt = token.Expiry.Add(-min(oauthRenewEarly, time.Until(token.Expiry)/2))
	}
	return token.AccessToken, nil
}

// oauthFailure keeps the library's error text away: it quotes the answer.
func oauthFailure(err error) *Error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		var broken *url.Error
		if errors.As(err, &broken) {
			err = broken.Err // without the address
		}
		return &Error{Op: opToken, Cause: CauseUnavailable, RetryAfter: time.Second, Err: err, Message: "the OAuth token endpoint could not be reached or answered nonsense"}
	}
	status := refused.Response.StatusCode
	if status == http.StatusTooManyRequests || status >= 500 {
		wait, _ := retryAfter(refused.Response.Header, time.Now())
		return &Error{Op: opToken, Cause: CauseUnavailable, StatusCode: status, RetryAfter: max(wait, time.Second), Message: "the OAuth token endpoint is not available"}
	}
	if status < 400 {
		return &Error{Op: opToken, Cause: CauseBadResponse, StatusCode: status, Message: "the OAuth token endpoint answered with something other than a token"}
	}
	return &Error{Op: opToken, Cause: CauseTokenRejected, StatusCode: status, Message: "the OAuth token endpoint refuses the client ID and secret"}
}
