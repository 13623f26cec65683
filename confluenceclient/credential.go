package confluenceclient

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// credential is one secret and what is known of it. A secret that takes its
// place is another credential.
type credential struct {
	secret  string
	header  string       // of requests; empty for SchemeOAuth, where access tokens are signed with
	oauth   *oauthTokens // SchemeOAuth only
	since   time.Time    // when the secret came to be
	expires time.Time    // zero: not known

	id       uint64 // of this secret
	identity uint64 // of its account: the id of the first secret that is known to be of it

	mu          sync.Mutex
	account     string    // account ID; empty: not known
	verdict     standing  // of the latest control read
	judged      time.Time // when that began
	verdictEnds time.Time // until when it speaks for all refusals
	lived       time.Time // when the newest request was sent that only a living token gets through
	seen        standing  // the newest sign of life or death, for status
	seenAt      time.Time
}

func newCredential(creds Credentials, id uint64) *credential {
	cred := &credential{secret: creds.secret(), id: id, identity: id, seen: unknown, since: time.Now()}
	if creds.Since != nil {
		cred.since = creds.Since()
	}
	switch creds.Scheme {
	case SchemeOAuth:
		cred.oauth = &oauthTokens{creds: creds, secret: cred.secret}
	case SchemeBearer:
		cred.header = "Bearer " + cred.secret
	default:
		req := http.Request{Header: http.Header{}}
		req.SetBasicAuth(creds.Email, cred.secret)
		cred.header = req.Header.Get("Authorization")
	}
	return cred
}

// secret is the newest secret, without the white space that files end with; empty
// where there is none.
func (cred Credentials) secret() string {
	if cred.Secret == nil {
		return ""
	}
	return strings.TrimSpace(cred.Secret())
}

// authorization is the header to sign a request with. Access tokens are fetched
// through tokenTransport.
func (cred *credential) authorization(ctx context.Context, tokenTransport http.RoundTripper) (string, error) {
	if cred.oauth == nil {
		return cred.header, nil
	}
	token, err := cred.oauth.token(ctx, tokenTransport)
	if err != nil {
		return "", err
	}
	return "Bearer " + token, nil
}

func (cred *credential) accountID() string {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	return cred.account
}

func (cred *credential) learnAccount(id string) {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	cred.account = id
}
