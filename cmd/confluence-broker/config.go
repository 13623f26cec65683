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
	policyFile          string
	auditLog            string
	logLevel            slog.Level
	shutdownGrace       time.Duration
	maxAge              time.Duration
	maxMessageBytes     int64
	cacheBytes          int64
	pageTokenKeyFile    string
	keepaliveMinTime    time.Duration

	tlsCertFile, tlsKeyFile, tlsClientCAFile string
	allowPlaintext                           bool
	issuerCAFiles, issuerTokenFiles          map[string]string // by issuer
	reflection                               string
	maxConnections, maxConnectionsEach       int
	maxStreams                               int
	stallTimeout                             time.Duration

	address                       string
	bearerFile, caFile            string
	clientCertFile, clientKeyFile string
	dialTLS                       bool

	origins map[string]string // where each setting was said, by its variable; see at
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
// is wrong, each with where it was said, be it overridden or not: a fault in a
// file is a fault on the day when nothing overrides it. config holds the rest.
func load(table []setting, flags *pflag.FlagSet, getenv func(string) string, file map[string]yamlValue) (config, error) {
	c := config{origins: map[string]string{}}
	var problems []error
	for _, s := range table {
		say := func(value, origin string) {
			c.origins[s.env] = origin
			problems = append(problems, c.at(s.env, s.set(&c, value)))
		}
		say(s.fallback, "default")
		if entry, ok := file[s.key()]; ok && s.name != "" {
			say(entry.text, entry.origin)
		}
		if fromEnv := getenv(s.env); fromEnv != "" {
			say(fromEnv, s.env)
		}
		if flag := flags.Lookup(s.name); flag != nil && flag.Changed {
			say(flag.Value.String(), "--"+s.name)
		}
	}
	return c, errors.Join(problems...)
}

// at puts in front of each problem of err where the setting with this variable
// was said: FILE:LINE: KEY, the variable or the flag.
func (c config) at(env string, err error) error {
	if err == nil {
		return nil
	}
	var problems []error
	for problem := range strings.SplitSeq(err.Error(), "\n") {
		problems = append(problems, fmt.Errorf("%s: %s", c.origins[env], problem))
	}
	return errors.Join(problems...)
}

// pageTokenKey reads the key that replicas share; nil: none is set.
func (c config) pageTokenKey() ([]byte, error) {
	if c.pageTokenKeyFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.pageTokenKeyFile)
	if err != nil {
		return nil, c.at("BROKER_PAGE_TOKEN_KEY_FILE", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(key) != 32 {
		return nil, c.at("BROKER_PAGE_TOKEN_KEY_FILE", fmt.Errorf("%s does not hold 32 bytes in base64; `openssl rand -base64 32` makes such a key", c.pageTokenKeyFile))
	}
	return key, nil
}
