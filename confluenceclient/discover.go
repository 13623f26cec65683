package confluenceclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Discover asks the site for its cloud ID, without credentials, at
// /_edge/tenant_info. Atlassian does not promise that endpoint, so a cloud ID
// that is set needs no discovery. A nil transport is one
// like the client's own.
func Discover(ctx context.Context, siteURL string, transport http.RoundTripper) (string, error) {
	if err := checkBase("site URL", siteURL, "https://YOUR-SITE.atlassian.net"); err != nil {
		return "", err
	}
	if transport == nil {
		base := newBaseTransport(Config{})
		defer base.CloseIdleConnections() // made for one request
		transport = base
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	base := strings.TrimSuffix(strings.TrimRight(siteURL, "/"), "/wiki")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/_edge/tenant_info", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("the site %s cannot be reached: %w", req.URL.Host, err)
	}
	defer closeBody(resp)
	var info struct {
		CloudID string `json:"cloudId"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&info)
	if resp.StatusCode != http.StatusOK || err != nil || !cloudIDPattern.MatchString(info.CloudID) {
		return "", fmt.Errorf("the site %s does not tell its cloud ID (HTTP %d): set it by hand", req.URL.Host, resp.StatusCode)
	}
	return info.CloudID, nil
}
