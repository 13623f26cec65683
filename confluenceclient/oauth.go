package confluenceclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// oauthTokens gets access tokens for client credentials and keeps the latest.
// Atlassian's live for 60 minutes. At half life the next request has a new one
// fetched in the background, so that a token endpoint that is down for a while
// fails nobody.
// See https://support.atlassian.com/user-management/docs/create-oauth-2-0-credential-for-service-accounts
type oauthTokens struct {
	creds   Credentials
	secret  string
	fetches flights[struct{}, string]

	mu       sync.Mutex
	latest   string
	fetched  time.Time
	renewAt  time.Time // half life; zero: latest does not expire
	ends     time.Time // zero: the same
	renewing bool      // in the background

	failure *Error    // of the latest fetch; nil: it succeeded
	holds   time.Time // no fetch before
	delay   time.Duration
}

// opToken is the request for an access token, the only one that is no GET. It
// goes to the authorization server, never to Confluence.
var opToken = &Operation{Name: "fetchAccessToken", API: "oauth", Path: "/oauth/token"}

const (
	oauthFetchTimeout = 15 * time.Second
	// oauthLeeway is how long before its end a token is not used any more, for the
	// request's way and for clocks that differ. Short-lived tokens get a tenth.
	oauthLeeway = 10 * time.Second

	// After a failure the token endpoint is left alone, for longer each time.
	oauthFirstHold = time.Second
	oauthLastHold  = 30 * time.Second
)

// token returns an access token, fetched through transport where there is none.
func (o *oauthTokens) token(ctx context.Context, transport http.RoundTripper) (string, error) {
	fetch := func(ctx context.Context) (string, error) { return o.fetch(ctx, transport) }
	token, renew, err := o.usable()
	if renew {
		go func() { _, _ = o.fetches.do(context.WithoutCancel(ctx), struct{}{}, fetch) }() // a failure is no caller's while token lives
	}
	if token != "" || err != nil {
		return token, err
	}
	return o.fetches.do(ctx, struct{}{}, fetch)
}

// usable returns the latest token if it lives, and whether the caller is to have
// it renewed; or the failure that is not to be provoked again so soon.
func (o *oauthTokens) usable() (token string, renew bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	held := now.Before(o.holds)
	if o.latest != "" && (o.ends.IsZero() || now.Before(o.ends)) {
		renew = !o.ends.IsZero() && now.After(o.renewAt) && !held && !o.renewing
		o.renewing = o.renewing || renew
		return o.latest, renew, nil
	}
	if !held {
		return "", false, nil
	}
	failure := *o.failure
	if failure.Cause == CauseUnavailable {
		failure.RetryAfter = o.holds.Sub(now)
	}
	return "", false, &refusal{reason: reasonTokenEndpoint, err: &failure}
}

// until is when the latest token ends.
func (o *oauthTokens) until() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ends
}

// minTokenAge is how old an access token must be to be taken for dead when it is
// refused. A newer one is refused for another reason.
const minTokenAge = time.Minute

// forget drops a token that was refused, and tells whether there is another one
// to be had.
func (o *oauthTokens) forget(token string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.latest != token {
		return true
	}
	if time.Since(o.fetched) < minTokenAge {
		return false
	}
	o.latest = ""
	return true
}

func (o *oauthTokens) fetch(ctx context.Context, transport http.RoundTripper) (string, error) {
	token, err := o.request(ctx, transport)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.renewing = false
	if err != nil {
		failure := oauthFailure(err)
		if ctx.Err() == nil { // otherwise nobody waited for the answer
			o.delay = min(max(2*o.delay, oauthFirstHold), oauthLastHold)
			wait := max(failure.RetryAfter, o.delay)
			if failure.Cause == CauseUnavailable {
				failure.RetryAfter = wait
			}
			o.failure, o.holds = failure, time.Now().Add(wait)
		}
		return "", failure
	}
	now := time.Now()
	o.latest, o.fetched, o.renewAt, o.ends = token.AccessToken, now, time.Time{}, time.Time{}
	o.failure, o.holds, o.delay = nil, time.Time{}, 0
	if life := token.Expiry.Sub(now); !token.Expiry.IsZero() {
		o.renewAt, o.ends = now.Add(life/2), now.Add(life-min(oauthLeeway, life/10))
	}
	return token.AccessToken, nil
}

func (o *oauthTokens) request(ctx context.Context, transport http.RoundTripper) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, oauthFetchTimeout)
	defer cancel()
	ctx, _ = withCall(ctx, opToken)
	callFrom(ctx).attempt = 1
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	config := clientcredentials.Config{
		ClientID:     o.creds.ClientID,
		ClientSecret: o.secret,
		TokenURL:     o.creds.TokenURL,
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	return config.Token(ctx)
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
