package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// simulatedIdentity is who the printed variables make a client be.
type simulatedIdentity struct {
	scheme           confluenceclient.Scheme
	credential       confluencetest.Credential // basic, bearer
	clientID, secret string                    // oauth
}

// identity is the one that the flags ask for.
func (f simulateFlags) identity(simulator *confluencetest.Simulator) (simulatedIdentity, error) {
	who := simulatedIdentity{scheme: confluenceclient.Scheme(f.auth)}
	var err error
	switch who.scheme {
	case confluenceclient.SchemeBasic, confluenceclient.SchemeBearer:
		who.credential, err = (&simulation{simulator: simulator}).credential(f.token)
	case confluenceclient.SchemeOAuth:
		who.clientID, who.secret, err = oauthClient(simulator, f.token)
	default:
		return who, fmt.Errorf("--auth: there is no scheme %q; there are basic, bearer and oauth", f.auth)
	}
	if err != nil {
		return who, fmt.Errorf("--token: %w", err)
	}
	return who, nil
}

// oauthClient is the site's OAuth client of this name; the empty name is the
// first.
func oauthClient(simulator *confluencetest.Simulator, name string) (id, secret string, err error) {
	names := simulator.ClientNames()
	if name == "" && len(names) > 0 {
		name = names[0]
	}
	if !slices.Contains(names, name) {
		return "", "", fmt.Errorf("the site has no OAuth client %q; it has %s", name, strings.Join(names, ", "))
	}
	id, secret = simulator.ClientNamed(name)
	return id, secret, nil
}

// lines are shell assignments, and comments for what a variable cannot hold.
// Variables that the scheme has no use for are printed empty, which unsets what
// an earlier simulator may have left in the shell.
func (who simulatedIdentity) lines(sim *simulation) string {
	var lines strings.Builder
	if who.scheme == confluenceclient.SchemeOAuth {
		fmt.Fprintf(&lines, "# The client secret goes into a file:\n#   (umask 077; printf %%s %s > client-secret); export CONFLUENCE_OAUTH_CLIENT_SECRET_FILE=\"$PWD/client-secret\"\n", quoted(who.secret))
	} else {
		lines.WriteString("CONFLUENCE_OAUTH_CLIENT_SECRET_FILE=\n")
	}
	fmt.Fprintf(&lines, "CONFLUENCE_OAUTH_CLIENT_ID=%s\n", quoted(who.clientID))
	for _, variable := range sim.variables(who.credential) {
		name, value := variable[0], variable[1]
		switch {
		case name == "CONFLUENCE_AUTH":
			value = string(who.scheme)
		case name == "CONFLUENCE_EMAIL" && who.scheme != confluenceclient.SchemeBasic:
			value = ""
		}
		fmt.Fprintf(&lines, "%s=%s\n", name, quoted(value))
	}
	return lines.String()
}

// quoted is a word that a shell takes as it is. What needs no quotes gets none,
// for the sake of readers that are no shell.
func quoted(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	}
	if strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
