package main

import (
	"errors"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// checkCredentials names what is missing or too much, by the names under which
// an operator sets it. Whether the values make sense is the client's to check.
func (c config) checkCredentials() error {
	cred := c.upstream.Credentials
	scheme := string(cred.Scheme)
	basic, bearer, oauth := cred.Scheme == confluenceclient.SchemeBasic, cred.Scheme == confluenceclient.SchemeBearer, cred.Scheme == confluenceclient.SchemeOAuth
	var problems []error
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{c.upstream.SiteURL == "", "the address of the site is not set: set CONFLUENCE_SITE_URL (--site-url), such as https://acme.atlassian.net"},
		{scheme == "", "it is not set how the token is presented: set CONFLUENCE_AUTH (--auth) to basic for an e-mail and API token, bearer for the API token of a service account, or oauth for client credentials"},
		{basic && cred.Email == "", "auth is basic, but the e-mail address of the token's account is not set: set CONFLUENCE_EMAIL (--email)"},
		{(bearer || oauth) && cred.Email != "", "auth is " + scheme + ", which sends no e-mail address, but one is set: unset CONFLUENCE_EMAIL (--email), or set CONFLUENCE_AUTH (--auth) to basic"},
		{!oauth && c.token != "" && c.tokenFile != "", "the token is set twice: unset either CONFLUENCE_TOKEN or CONFLUENCE_TOKEN_FILE (--token-file)"},
		{!oauth && c.token == "" && c.tokenFile == "", "there is no token: set CONFLUENCE_TOKEN_FILE (--token-file), or CONFLUENCE_TOKEN in the environment"},
		{oauth && (c.token != "" || c.tokenFile != ""), "auth is oauth, which uses a client secret, but an API token is set: unset CONFLUENCE_TOKEN and CONFLUENCE_TOKEN_FILE (--token-file)"},
		{oauth && cred.ClientID == "", "auth is oauth, but there is no client ID: set CONFLUENCE_OAUTH_CLIENT_ID (--oauth-client-id)"},
		{oauth && c.clientSecretFile == "", "auth is oauth, but there is no client secret: set CONFLUENCE_OAUTH_CLIENT_SECRET_FILE (--oauth-client-secret-file)"},
		{(basic || bearer) && (cred.ClientID != "" || c.clientSecretFile != ""), "auth is " + scheme + ", but an OAuth client is set: unset CONFLUENCE_OAUTH_CLIENT_ID and CONFLUENCE_OAUTH_CLIENT_SECRET_FILE, or set CONFLUENCE_AUTH (--auth) to oauth"},
	} {
		if rule.broken {
			problems = append(problems, errors.New(rule.text))
		}
	}
	return errors.Join(problems...)
}

// openSecret returns the token or, for oauth, the client secret.
func (c config) openSecret() (*secret, error) {
	path, env := c.tokenFile, "CONFLUENCE_TOKEN_FILE"
	if c.upstream.Credentials.Scheme == confluenceclient.SchemeOAuth {
		path, env = c.clientSecretFile, "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE"
	}
	if path == "" {
		return fixedSecret(c.token), nil
	}
	s, err := openSecret(path)
	return s, c.at(env, err)
}
