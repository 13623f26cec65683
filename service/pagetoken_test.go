package service

import (
	"encoding/base64"
	"strings"
	"testing"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func newTestTokens(t testing.TB, key string) pageTokens {
	t.Helper()
	tokens, err := newPageTokens([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

const testKey = "0123456789abcdef0123456789abcdef"

func TestPageTokenOpensForItsOwnListingOnly(t *testing.T) {
	t.Parallel()
	tokens := newTestTokens(t, testKey)
	cursor := confluenceclient.Cursor{Op: "getPageDirectChildren", Value: "eyJpZCI6IjMwIn0=", Steps: 3, Mark: 1 << 63}
	req := &brokerv1.ListChildrenRequest{ParentId: "1001", PageSize: 2}
	token, err := tokens.seal(cursor, listing("indexer", req))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(token, "eyJ") || strings.ContainsAny(token, "+/=") {
		t.Errorf("token %s is not opaque and fit for addresses", token)
	}

	got, err := tokens.open(token, listing("indexer", &brokerv1.ListChildrenRequest{ParentId: "1001", PageSize: 7, PageToken: token}))
	if err != nil || got != cursor {
		t.Errorf("open with another page size = %+v, %v, want %+v", got, err, cursor)
	}
	if got, err := newTestTokens(t, testKey).open(token, listing("indexer", req)); err != nil || got != cursor {
		t.Errorf("open in a replica with the same key = %+v, %v, want %+v", got, err, cursor)
	}

	others := map[string]struct {
		tokens  pageTokens
		binding []byte
	}{
		"another parent":      {tokens, listing("indexer", &brokerv1.ListChildrenRequest{ParentId: "1002"})},
		"another parent type": {tokens, listing("indexer", &brokerv1.ListChildrenRequest{ParentId: "1001", ParentType: brokerv1.ContentType_CONTENT_TYPE_FOLDER})},
		"another caller":      {tokens, listing("other", req)},
		"another method":      {tokens, listing("indexer", &brokerv1.SearchRequest{})},
		"another key":         {newTestTokens(t, strings.Repeat("x", pageTokenKeyBytes)), listing("indexer", req)},
		"a random key":        {newTestTokens(t, ""), listing("indexer", req)},
	}
	for name, other := range others {
		if got, err := other.tokens.open(token, other.binding); err == nil {
			t.Errorf("%s: open = %+v, want an error", name, got)
		}
	}
}

func TestPageTokenAlteredAnywhereDoesNotOpen(t *testing.T) {
	t.Parallel()
	tokens := newTestTokens(t, "")
	token, err := tokens.seal(confluenceclient.Cursor{Op: "searchByCQL", Value: "abc"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(token) {
		for _, c := range []string{"A", "B", "", "AA"} {
			altered := token[:i] + c + token[i+1:]
			if altered == token {
				continue
			}
			if cursor, err := tokens.open(altered, nil); err == nil {
				t.Errorf("open(%s altered at %d) = %+v, want an error", token, i, cursor)
			}
		}
	}
}

func TestPageTokenIsEmptyAtBothEnds(t *testing.T) {
	t.Parallel()
	tokens := newTestTokens(t, "")
	if token, err := tokens.seal(confluenceclient.Cursor{}, nil); token != "" || err != nil {
		t.Errorf("seal of the end = %q, %v, want an empty token", token, err)
	}
	if cursor, err := tokens.open("", nil); cursor != (confluenceclient.Cursor{}) || err != nil {
		t.Errorf("open of an empty token = %+v, %v, want the beginning", cursor, err)
	}
}

func TestPageTokenThatWouldNotBeAcceptedIsNotGivenOut(t *testing.T) {
	t.Parallel()
	tokens := newTestTokens(t, "")
	if token, err := tokens.seal(confluenceclient.Cursor{Value: strings.Repeat("x", maxPageTokenLength)}, nil); confluenceclient.CauseOf(err) != confluenceclient.CauseBadResponse {
		t.Errorf("seal of an endless cursor = %d bytes, %v, want a bad response", len(token), err)
	}
}

func TestPageTokenKeyMustHave32Bytes(t *testing.T) {
	t.Parallel()
	if _, err := newPageTokens([]byte("short")); err == nil {
		t.Error("newPageTokens took a short key")
	}
}

func FuzzPageToken(f *testing.F) {
	tokens := newTestTokens(f, testKey)
	f.Add("garbage")
	f.Add("https://acme.example/wiki/api/v2/spaces?cursor=zzz")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(testKey)))
	f.Fuzz(func(t *testing.T, token string) {
		if cursor, err := tokens.open(token, nil); err == nil && token != "" {
			t.Errorf("open(%q) = %+v, want an error", token, cursor)
		}
	})
}
