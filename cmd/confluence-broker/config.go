package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// config is what the settings say. Fill it with load.
type config struct {
	upstream         confluenceclient.Config
	token            string
	tokenFile        string
	clientSecretFile string

	listen, adminListen string
	allowAnonymous      bool
	logLevel            slog.Level
	shutdownGrace       time.Duration
	maxAge              time.Duration
	maxMessageBytes     int64
	cacheBytes          int64
	pageTokenKeyFile    string
	keepaliveMinTime    time.Duration

	address string
}

// addFlags gives the command a flag for every setting that may be one.
func addFlags(cmd *cobra.Command, table []setting) {
	for _, s := range table {
		if s.name == "" {
			continue
		}
		cmd.Flags().String(s.name, s.fallback, s.usage+" ($"+s.env+")")
		if s.fallback == "false" {
			cmd.Flags().Lookup(s.name).NoOptDefVal = "true"
		}
	}
}

func addConfigFlag(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "YAML `FILE` with any of the settings; flags and environment come before it")
}

// loadCommand is load for a command that has the flag --config. The file may
// hold any setting of the broker, whether or not this command needs it.
func loadCommand(cmd *cobra.Command, env environment) (config, error) {
	table := append(upstreamSettings(), brokerSettings()...)
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return config{}, err
	}
	file, fileProblems := readYAML(path, table)
	c, problems := load(table, cmd.Flags(), env.getenv, file)
	return c, errors.Join(fileProblems, problems)
}

// load looks every setting up: flag, then environment, then file, then default.
// An empty variable counts as unset. The error, if any, joins everything that
// is wrong, each with where it was said; config holds what was right.
func load(table []setting, flags *pflag.FlagSet, getenv func(string) string, file map[string]yamlValue) (config, error) {
	var c config
	var problems []error
	for _, s := range table {
		value, origin := s.fallback, "default"
		if entry, ok := file[s.key()]; ok && s.name != "" {
			value, origin = entry.text, entry.origin
		}
		if fromEnv := getenv(s.env); fromEnv != "" {
			value, origin = fromEnv, s.env
		}
		if flag := flags.Lookup(s.name); flag != nil && flag.Changed {
			value, origin = flag.Value.String(), "--"+s.name
		}
		if err := s.set(&c, value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", origin, err))
		}
	}
	return c, errors.Join(problems...)
}

// checkCredentials names what is missing or too much, by the names under which
// an operator sets it. Whether the values make sense is the client's to check.
func (c config) checkCredentials() error {
	type fact struct {
		wrong bool
		text  string
	}
	cred := c.upstream.Credentials
	var facts []fact
	switch cred.Scheme {
	case "":
		facts = []fact{{true, "it is not set how the token is presented: set CONFLUENCE_AUTH (--auth) to basic for an e-mail and API token, bearer for the API token of a service account, or oauth for client credentials"}}
	case confluenceclient.SchemeBasic:
		facts = []fact{{cred.Email == "", "auth is basic, but the e-mail address of the token's account is not set: set CONFLUENCE_EMAIL (--email)"}}
	case confluenceclient.SchemeBearer:
		facts = []fact{{cred.Email != "", "auth is bearer, which sends no e-mail address, but one is set: unset CONFLUENCE_EMAIL (--email), or set CONFLUENCE_AUTH (--auth) to basic"}}
	}
	if cred.Scheme == confluenceclient.SchemeOAuth {
		facts = append(facts,
			fact{cred.ClientID == "", "auth is oauth, but there is no client ID: set CONFLUENCE_OAUTH_CLIENT_ID (--oauth-client-id)"},
			fact{c.clientSecretFile == "", "auth is oauth, but there is no client secret: set CONFLUENCE_OAUTH_CLIENT_SECRET_FILE (--oauth-client-secret-file)"},
			fact{c.token != "" || c.tokenFile != "", "auth is oauth, which uses a client secret, but an API token is set: unset CONFLUENCE_TOKEN and CONFLUENCE_TOKEN_FILE (--token-file)"},
			fact{cred.Email != "", "auth is oauth, which sends no e-mail address, but one is set: unset CONFLUENCE_EMAIL (--email)"})
	} else {
		facts = append(facts,
			fact{c.token != "" && c.tokenFile != "", "the token is set twice: unset either CONFLUENCE_TOKEN or CONFLUENCE_TOKEN_FILE (--token-file)"},
			fact{c.token == "" && c.tokenFile == "", "there is no token: set CONFLUENCE_TOKEN_FILE (--token-file), or CONFLUENCE_TOKEN in the environment"},
			fact{cred.Scheme != "" && (cred.ClientID != "" || c.clientSecretFile != ""), fmt.Sprintf("auth is %s, but an OAuth client is set: unset CONFLUENCE_OAUTH_CLIENT_ID and CONFLUENCE_OAUTH_CLIENT_SECRET_FILE, or set CONFLUENCE_AUTH (--auth) to oauth", cred.Scheme)})
	}
	var problems []error
	if c.upstream.SiteURL == "" {
		problems = append(problems, errors.New("the address of the site is not set: set CONFLUENCE_SITE_URL (--site-url), such as https://acme.atlassian.net"))
	}
	for _, f := range facts {
		if f.wrong {
			problems = append(problems, errors.New(f.text))
		}
	}
	return errors.Join(problems...)
}

// openSecret returns the token or, for oauth, the client secret.
func (c config) openSecret() (*secret, error) {
	path := c.tokenFile
	if c.upstream.Credentials.Scheme == confluenceclient.SchemeOAuth {
		path = c.clientSecretFile
	}
	if path != "" {
		return openSecret(path)
	}
	return fixedSecret(c.token), nil
}

// pageTokenKey reads the key that replicas share; nil: none is set.
func (c config) pageTokenKey() ([]byte, error) {
	if c.pageTokenKeyFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.pageTokenKeyFile)
	if err != nil {
		return nil, fmt.Errorf("page token key: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("page token key: %s does not hold 32 bytes in base64; `openssl rand -base64 32` makes such a key", c.pageTokenKeyFile)
	}
	return key, nil
}
