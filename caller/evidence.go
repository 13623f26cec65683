package caller

import "crypto/subtle"

// Evidence is what is proved about who calls. The zero value is an anonymous
// caller, who says nothing about itself.
type Evidence struct {
	// Certificate is what a verified client certificate says. Nil: there was none.
	Certificate *Certificate
	// JWT is what a verified token says. Nil: there was none.
	JWT *JWT
	// KeyHash is the hash of the static key that was sent, in the form of HashKey.
	// It proves something only where the same hash is listed. Empty: none was sent.
	KeyHash string
}

// Certificate is what a client certificate says its holder is called. At least
// one of the fields is set.
type Certificate struct {
	URIs     []string // such as spiffe://acme.example/indexer
	DNSNames []string
	Subject  string // in the form of RFC 2253, such as CN=indexer,O=Acme; empty: none
}

// JWT is what a verified token says.
type JWT struct {
	Issuer    string   // exactly as the issuer writes itself
	Audiences []string // all that the token is for; at least one is one of ours
	Subject   string   // never empty
}

// Anonymous tells whether nothing was said about who calls.
func (e Evidence) Anonymous() bool { return e == Evidence{} }

// HasKey tells whether the key that was sent is the one with this hash. It takes
// as long for any two hashes of the same length.
func (e Evidence) HasKey(hash string) bool {
	return e.KeyHash != "" && subtle.ConstantTimeCompare([]byte(e.KeyHash), []byte(hash)) == 1
}

// Kind is a word for how the caller is known: anonymous, certificate, jwt or
// key. Of a certificate and a bearer token, the token names the kind.
func (e Evidence) Kind() string {
	switch {
	case e.JWT != nil:
		return "jwt"
	case e.KeyHash != "":
		return "key"
	case e.Certificate != nil:
		return "certificate"
	}
	return "anonymous"
}
