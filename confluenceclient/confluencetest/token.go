package confluencetest

import (
	"regexp"
	"slices"
	"time"
)

// account is a person or a service account.
type account struct {
	name      string // in the fixture
	id, email string
	display   string
	service   bool     // a service account: its tokens may also be sent as Bearer
	noAccess  bool     // may not use Confluence on this site
	spaces    []string // keys of the spaces that it may read; nil: all
	zone      *time.Location
}

func (a *account) reads(s *space) bool { return a.spaces == nil || slices.Contains(a.spaces, s.key) }

// token is an API token.
type token struct {
	name    string
	secret  string
	account *account
	scopes  []string
	open    bool // not a scoped token: whatever its account may do
	revoked bool
	expires time.Time // zero: never
}

// oauthClient is a credential of a service account for client credentials.
type oauthClient struct {
	name       string
	id, secret string
	account    *account
	scopes     []string
	lifetime   time.Duration
}

func (t *token) has(scopes []string) bool {
	for _, scope := range scopes {
		if !slices.Contains(t.scopes, scope) {
			return false
		}
	}
	return len(scopes) > 0
}

// opens tells whether the token's scopes open the route: all of its classic
// ones, or all of its granular ones.
func (t *token) opens(r *route) bool { return t.open || t.has(r.classic) || t.has(r.granular) }

// Shapes of Atlassian's tokens (api-facts §1): a token that lost its tail when
// it was pasted is refused in words of its own.
var (
	tokenShape = regexp.MustCompile(`^AT[A-Z]TT3xFf`)
	tokenTail  = regexp.MustCompile(`=[0-9A-F]{8}$`)
)

func lostItsTail(secret string) bool {
	return tokenShape.MatchString(secret) && !tokenTail.MatchString(secret)
}
