package service

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const pageTokenKeyBytes = 32

// maxPageTokenLength bounds what is decoded. Confluence's cursors are some
// hundred bytes long.
const maxPageTokenLength = 8 << 10

// pageTokens seals places in listings, so that a listing can go on in any
// replica that has the key and none has to remember anything.
//
// A token is AES-256-GCM over the client's cursor. Its additional data are
// method, caller and the request but for its paging fields: a token that was
// altered, or belongs to another caller, method or filter, does not open.
type pageTokens struct{ aead cipher.AEAD }

var errForeignToken = errors.New("is not a page token of this listing: pass next_page_token of the answer before, unchanged and with the same other fields, or start again without one")

func newPageTokens(key []byte) (pageTokens, error) {
	if len(key) == 0 {
		key = make([]byte, pageTokenKeyBytes)
		_, _ = rand.Read(key) // never fails: it ends the program instead
	}
	if len(key) != pageTokenKeyBytes {
		return pageTokens{}, fmt.Errorf("service: the page token key has %d bytes and needs %d", len(key), pageTokenKeyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return pageTokens{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return pageTokens{aead: aead}, err
}

// seal returns the token for a place in the listing that binding names, or ""
// at its end.
func (t pageTokens) seal(cursor confluenceclient.Cursor, binding []byte) (string, error) {
	if cursor.IsZero() {
		return "", nil
	}
	plain, err := json.Marshal(cursor)
	if err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(t.aead.Seal(nil, nil, plain, binding))
	if len(token) > maxPageTokenLength { // better said now than by refusing our own token later
		return "", &confluenceclient.Error{Cause: confluenceclient.CauseBadResponse, Message: "Confluence's cursor is too long to be handed on"}
	}
	return token, nil
}

// open returns the place that token names in the listing of binding. The empty
// token is the beginning.
func (t pageTokens) open(token string, binding []byte) (confluenceclient.Cursor, error) {
	var cursor confluenceclient.Cursor
	if token == "" {
		return cursor, nil
	}
	if len(token) > maxPageTokenLength {
		return cursor, errForeignToken
	}
	// Strict, so that a token has one spelling only.
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return cursor, errForeignToken
	}
	plain, err := t.aead.Open(nil, nil, sealed, binding)
	if err != nil {
		return cursor, errForeignToken
	}
	if json.Unmarshal(plain, &cursor) != nil {
		return confluenceclient.Cursor{}, errForeignToken
	}
	return cursor, nil
}

// listing names what a page token belongs to: the caller's request without the
// fields that may change from one page of results to the next. The message's
// own name tells the methods apart.
func listing(caller string, req proto.Message) []byte {
	filter := proto.Clone(req).ProtoReflect()
	fields := filter.Descriptor().Fields()
	for _, name := range []protoreflect.Name{"page_size", "page_token", "max_age", "max_stale"} {
		filter.Clear(fields.ByName(name))
	}
	h := sha256.New()
	encoded, _ := proto.MarshalOptions{Deterministic: true}.Marshal(filter.Interface()) // fails on invalid UTF-8 only, and req was decoded
	for _, part := range []string{caller, string(filter.Descriptor().FullName()), string(encoded)} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)
}
