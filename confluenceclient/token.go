package confluenceclient

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// TokenStatus is what an operator may know of the token, or of the client secret
// for SchemeOAuth. Nothing in it is secret.
type TokenStatus struct {
	Scheme      Scheme
	Standing    string    // accepted, rejected, no access (to Confluence), or unknown as long as no answer has shown it
	SeenAt      time.Time // when the request was sent that showed it; zero: never
	Since       time.Time // since when the token in use has been there
	Expires     time.Time // as the configuration says; zero: it does not, or the token is not the one it speaks of
	Candidate   string    // standing of a newer token that has not replaced the one in use; empty: there is none
	AccessUntil time.Time // SchemeOAuth: end of the access token; zero: there is none, or it has no end
}

// TokenStatus tells how the token fares. It makes no request. It may be called
// from many goroutines.
func (c *Client) TokenStatus() TokenStatus {
	cred := c.rotation.active.Load()
	candidate, outcome := c.rotation.waiting()
	status := TokenStatus{Scheme: c.cfg.Credentials.Scheme, Since: cred.since, Expires: cred.expires}
	if candidate != nil {
		status.Candidate = string(outcome)
	}
	if cred.oauth != nil {
		status.AccessUntil = cred.oauth.until()
	}
	cred.mu.Lock()
	defer cred.mu.Unlock()
	status.Standing, status.SeenAt = string(cred.seen), cred.seenAt
	return status
}

// TokenEventKind is what became of a token.
type TokenEventKind string

// The kinds. All but TokenReplaced and TokenRestored want an operator.
const (
	TokenReplaced TokenEventKind = "replaced" // a new token works and is in use
	TokenRefused  TokenEventKind = "refused"  // a new token does not work; the one before stays in use
	TokenUntried  TokenEventKind = "untried"  // a new token could not be tried; the one before stays in use
	TokenRejected TokenEventKind = "rejected" // the token in use does not work, and there is no other
	TokenRestored TokenEventKind = "restored" // the token in use works again
)

// TokenEvent is a change that an operator should know of. It is told once, and
// again at long intervals while the trouble lasts and reads go on.
type TokenEvent struct {
	Kind    TokenEventKind
	Message string // one sentence, without secrets
}

func tokenReplaced(sameAccount bool) *TokenEvent {
	if sameAccount {
		return &TokenEvent{Kind: TokenReplaced, Message: "the new token works and is in use; it is of the same account"}
	}
	return &TokenEvent{Kind: TokenReplaced, Message: "the new token works and is in use; it is not known to be of the same account, so the cache starts empty"}
}

func tokenNotReplaced(outcome standing) *TokenEvent {
	switch outcome {
	case rejected:
		return &TokenEvent{Kind: TokenRefused, Message: "Confluence does not accept the new token; the one before stays in use"}
	case shutOut:
		return &TokenEvent{Kind: TokenRefused, Message: "the new token's account may not use Confluence on this site; the one before stays in use"}
	}
	return &TokenEvent{Kind: TokenUntried, Message: "the new token could not be tried, because Confluence does not answer; it will be tried again, and the one before stays in use"}
}

// rejectedText says that the token in use is refused, and what became of a newer
// one, if there is any.
func rejectedText(newer bool, outcome standing) string {
	switch {
	case !newer:
		return "Confluence does not accept the token: it is revoked, expired or not this site's"
	case outcome == shutOut:
		return "Confluence does not accept the token in use, and the account of the new one may not use Confluence on this site"
	case outcome == rejected:
		return "Confluence accepts neither the token in use nor the new one"
	}
	return "Confluence does not accept the token in use, and the new one could not be tried yet"
}

// observeToken lets metrics tell how the token fares.
func (c *Client) observeToken() error {
	meter := meterProvider(c.cfg).Meter(scopeName)
	age, err := meter.Float64ObservableGauge("confluence_broker.token.age", metric.WithUnit("s"),
		metric.WithDescription("How long the token in use has been there."))
	if err != nil {
		return err
	}
	expiry, err := meter.Float64ObservableGauge("confluence_broker.token.expiry", metric.WithUnit("s"),
		metric.WithDescription("Time left until the configured expiry of the token in use; negative: since then."))
	if err != nil {
		return err
	}
	usable, err := meter.Int64ObservableGauge("confluence_broker.token.usable",
		metric.WithDescription("0 when Confluence has refused the token in use, or its account, since it last accepted it; otherwise 1."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		status := c.TokenStatus()
		o.ObserveFloat64(age, time.Since(status.Since).Seconds())
		if !status.Expires.IsZero() {
			o.ObserveFloat64(expiry, time.Until(status.Expires).Seconds())
		}
		o.ObserveInt64(usable, map[standing]int64{alive: 1, unknown: 1}[standing(status.Standing)])
		return nil
	}, age, expiry, usable)
	return err
}
