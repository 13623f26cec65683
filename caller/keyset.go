package caller

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/sync/singleflight"
)

const (
	// freshKeys is how long nobody asks the issuer again: the longest that a key
	// is used which the issuer has withdrawn.
	freshKeys = 10 * time.Minute
	// keepKeys is how long keys are used of an issuer that cannot be reached. An
	// outage of a night keeps nobody out; a key that was withdrawn in secret does
	// not live for ever.
	keepKeys = 24 * time.Hour
	// askAgain is the least time between two tries, so that a flood of made-up
	// key names does not become one at the issuer. A new key waits no longer.
	askAgain = 10 * time.Second
	// askTime is how long a try may take.
	askTime = 10 * time.Second
)

// keySet is the keys of one issuer. They are fetched for the first token, anew
// when a token names one that is not there, and in the background when they
// have grown old.
type keySet struct {
	fetch  func(context.Context) ([]jose.JSONWebKey, error)
	flight singleflight.Group

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when keys came
	tried   time.Time // when the last try ended
	failed  error     // how the last try ended
}

func newKeySet(issuerURL string, transport http.RoundTripper) *keySet {
	client := &http.Client{Transport: transport, CheckRedirect: refuseRedirects}
	return &keySet{fetch: func(ctx context.Context) ([]jose.JSONWebKey, error) { return fetchKeys(ctx, client, issuerURL) }}
}

// verify returns the claims of a token that one of the keys has signed. Where
// none has, the issuer is asked whether it has others by now.
func (s *keySet) verify(ctx context.Context, token *jwt.JSONWebToken) (jwt.Claims, error) {
	header := token.Headers[0]
	for {
		found, old, mayAsk := s.lookUp(header)
		claims, ok := signedClaims(token, found)
		switch {
		case ok && old && mayAsk:
			s.ask(ctx) // for those who come after
			return claims, nil
		case ok:
			return claims, nil
		case !mayAsk:
			return jwt.Claims{}, s.refusal(header, len(found) > 0)
		}
		select {
		case <-s.ask(ctx): // and then, for a while, nobody may ask again
		case <-ctx.Done():
			return jwt.Claims{}, ctx.Err()
		}
	}
}

// signedClaims returns the claims if one of the keys has signed them. Only a
// token that names no key has several to be tried.
func signedClaims(token *jwt.JSONWebToken, keys []jose.JSONWebKey) (jwt.Claims, bool) {
	for _, key := range keys {
		var claims jwt.Claims
		if err := token.Claims(key.Key, &claims); err == nil {
			return claims, true
		}
	}
	return jwt.Claims{}, false
}

// lookUp returns the keys that fit, whether they have grown old, and whether the
// issuer may be asked.
func (s *keySet) lookUp(header jose.Header) (found []jose.JSONWebKey, old, mayAsk bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := time.Since(s.fetched)
	if age < keepKeys {
		for _, key := range s.keys {
			if fits(key, header) {
				found = append(found, key)
			}
		}
	}
	return found, age >= freshKeys, time.Since(s.tried) >= askAgain
}

func fits(key jose.JSONWebKey, header jose.Header) bool {
	return (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Algorithm == "" || key.Algorithm == header.Algorithm)
}

// ask fetches the keys, once for all who ask at the same time and for as long
// as it takes, whoever of them goes away.
func (s *keySet) ask(ctx context.Context) <-chan singleflight.Result {
	return s.flight.DoChan("", func() (any, error) {
		if _, _, mayAsk := s.lookUp(jose.Header{}); !mayAsk {
			return nil, nil // another try has ended since the caller looked
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
		defer cancel()
		keys, err := s.fetch(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tried, s.failed = time.Now(), err
		if err == nil {
			s.keys, s.fetched = keys, s.tried
		}
		return nil, nil
	})
}

// refusal tells a bad signature and a key that the issuer does not have from a
// key that nobody can look up now.
func (s *keySet) refusal(header jose.Header, known bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case known:
		return refuse(ReasonBadSignature, "the signature of the JWT is not that of its issuer's key", nil)
	case s.failed != nil:
		return refuse(ReasonIssuerUnavailable, "the keys of the issuer cannot be had now", s.failed)
	}
	return refuse(ReasonUnknownKey, "the issuer has no key "+quoted(header.KeyID)+" for "+quoted(header.Algorithm), nil)
}
