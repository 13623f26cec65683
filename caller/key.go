package caller

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

const (
	// keyPrefix lets scanners for secrets find keys that were left lying about.
	keyPrefix = "cbk_"
	keyBytes  = 32
	// minKeyLength keeps out passwords. Hashes have no salt and are fast, which
	// is safe for what nobody can guess, and for nothing else.
	minKeyLength = 32
	hashPrefix   = "sha256:"
)

// NewKey makes a static key: cbk_ and 32 random bytes in base64url.
func NewKey() string {
	random := make([]byte, keyBytes)
	_, _ = rand.Read(random) // it never fails: the program would end
	return keyPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// HashKey is the form in which a key is kept: "sha256:" and 64 hex digits.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// CheckKeyHash tells what is wrong with text that should be a hash of HashKey.
// The error does not quote it: it may be a key that was put in the wrong place.
func CheckKeyHash(text string) error {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if !ok {
		return errors.New("a key is kept as its hash, sha256: and 64 hex digits, as `confluence-broker key` prints it")
	}
	if sum, err := hex.DecodeString(digits); err != nil || len(sum) != sha256.Size || strings.ToLower(digits) != digits {
		return errors.New("behind sha256: there must be 64 hex digits in lower case, as `confluence-broker key` prints them")
	}
	return nil
}
