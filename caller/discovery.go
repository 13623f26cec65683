package caller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxDocument is far more than any discovery document or key set has.
const maxDocument = 1 << 20

// refuseRedirects keeps a request, which may carry a token, where it was sent.
func refuseRedirects(*http.Request, []*http.Request) error {
	return errors.New("a redirect, which is not followed")
}

// fetchKeys finds the issuer's keys: OpenID Connect Discovery 1.0, section 4,
// and RFC 7517, section 5.
func fetchKeys(ctx context.Context, client *http.Client, issuerURL string) ([]jose.JSONWebKey, error) {
	var about struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := getJSON(ctx, client, strings.TrimSuffix(issuerURL, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	if about.Issuer != issuerURL {
		return nil, fmt.Errorf("who answers for %s calls itself %s; the policy must write the issuer exactly like that", issuerURL, quoted(about.Issuer))
	}
	if err := checkEndpoint(about.JWKSURI); err != nil {
		return nil, fmt.Errorf("jwks_uri %s: %w", quoted(about.JWKSURI), err)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := getJSON(ctx, client, about.JWKSURI, &set); err != nil {
		return nil, err
	}
	keys := usable(set.Keys)
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no public key that could have signed a token", quoted(about.JWKSURI))
	}
	return keys, nil
}

// usable are the public keys for signatures. Others are passed over, as RFC 7517
// wants: sets may hold keys of kinds that are not known here.
func usable(raw []json.RawMessage) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, data := range raw {
		var key jose.JSONWebKey
		if json.Unmarshal(data, &key) == nil && key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key)
		}
	}
	return keys
}

// getJSON quotes nothing of an answer: it may be anything.
func getJSON(ctx context.Context, client *http.Client, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", address, resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading %s: %w", address, err)
	case len(data) > maxDocument:
		return fmt.Errorf("%s has more than %d bytes", address, maxDocument)
	case json.Unmarshal(data, into) != nil:
		return fmt.Errorf("%s is not the JSON that was expected", address)
	}
	return nil
}
