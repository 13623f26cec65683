package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// loadArgs loads as serve does.
func loadArgs(t *testing.T, args []string, env map[string]string, yaml string) (config, error) {
	t.Helper()
	if yaml != "" {
		path := filepath.Join(t.TempDir(), "broker.yaml")
		if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	cmd := &cobra.Command{Use: "serve"}
	addFlags(cmd, upstreamSettings())
	addFlags(cmd, brokerSettings())
	addConfigFlag(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return loadCommand(cmd, environment{getenv: func(name string) string { return env[name] }})
}

func TestAFlagComesBeforeTheEnvironmentBeforeTheFileBeforeTheDefault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		yaml string
		want time.Duration
	}{
		{name: "nothing is set", want: 30 * time.Second},
		{name: "the file", yaml: "max_age: 1s", want: time.Second},
		{name: "the environment over the file", yaml: "max_age: 1s", env: map[string]string{"BROKER_MAX_AGE": "2s"}, want: 2 * time.Second},
		{name: "an empty variable counts as unset", yaml: "max_age: 1s", env: map[string]string{"BROKER_MAX_AGE": ""}, want: time.Second},
		{name: "a flag over all", yaml: "max_age: 1s", env: map[string]string{"BROKER_MAX_AGE": "2s"}, args: []string{"--max-age=3s"}, want: 3 * time.Second},
		{name: "a flag that repeats the default", yaml: "max_age: 1s", args: []string{"--max-age=30s"}, want: 30 * time.Second},
		{name: "zero is a value", yaml: "max_age: 0s", want: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := loadArgs(t, test.args, test.env, test.yaml)
			if err != nil || c.maxAge != test.want {
				t.Errorf("max age = %v, %v, want %v", c.maxAge, err, test.want)
			}
		})
	}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	for _, s := range slices.Concat(upstreamSettings(), brokerSettings(), callerSettings()) {
		if err := s.set(&config{}, s.fallback); err != nil {
			t.Errorf("%s: default %q: %v", s.env, s.fallback, err)
		}
	}
}

func TestSettingsHaveDistinctNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range slices.Concat(upstreamSettings(), brokerSettings(), callerSettings()) {
		if seen[s.env] || s.name != "" && seen[s.name] {
			t.Errorf("%s (--%s) is there twice", s.env, s.name)
		}
		seen[s.env], seen[s.name] = true, true
	}
	if seen["token"] {
		t.Error("the token has a flag, which every user of the machine can read")
	}
}

func TestEveryFaultOfTheFileIsReportedWithItsLineAndKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, yaml string
		want       []string // in the order of the file; none: no error
	}{
		{name: "empty"},
		{name: "comments only", yaml: "# nothing yet\n"},
		{name: "one key", yaml: "site_url: https://acme.example\n"},
		{name: "a list", yaml: "media_hosts:\n  - media.acme.example\n  - other.acme.example:8443\n"},
		{name: "unknown key", yaml: "# c\nlisten: 127.0.0.1:1\nlisten_on: 127.0.0.1:2\n", want: []string{":3: listen_on: there is no such key"}},
		{name: "the flag's spelling", yaml: "site-url: https://acme.example\n", want: []string{":1: site-url: there is no such key"}},
		{name: "token in the file", yaml: "token: abc\n", want: []string{":1: token: a token is not read from this file"}},
		{name: "dates that are none", yaml: "token_expires: March 2027\n", want: []string{":1: token_expires: \"March 2027\" is neither a date, such as 2027-03-01"}},
		{name: "impossible values", yaml: "max_age: soon\nallow_anonymous: yes\nlisten: 8090\ncache_bytes: -1\nlog_level: loud\nauth: digest\nmax_message_bytes: 0\n", want: []string{
			":1: max_age: \"soon\" is not a time span",
			":2: allow_anonymous: \"yes\" is neither true nor false",
			":3: listen: \"8090\" is not HOST:PORT",
			":4: cache_bytes: \"-1\" is not a number of bytes",
			":5: log_level: \"loud\" is not a level",
			":6: auth: \"digest\" is not a scheme",
			":7: max_message_bytes: 0 is too small",
		}},
		{name: "what the client cannot use", yaml: "site_url: https://acme.example/wiki/spaces/DOC\ncloud_id: a b\ngateway_url: http://api.atlassian.com\nemail: \"a b\"\noauth_token_url: nowhere\nmedia_hosts: https://x/\n", want: []string{
			":1: site_url: site URL has the path",
			":2: cloud_id: cloud ID \"a b\" is not valid",
			":3: gateway_url: gateway URL uses http",
			":4: email: the e-mail address has a blank",
			":5: oauth_token_url: OAuth token URL is not an address",
			":6: media_hosts: media host \"https://x/\" is not a host name",
		}},
		{name: "the site as the gateway", yaml: "gateway_url: https://acme.atlassian.net\n", want: []string{":1: gateway_url: gateway URL acme.atlassian.net is the address of a site"}},
		{name: "two faults of one value", yaml: "gateway_url: ftp://acme.atlassian.net\n", want: []string{":1: gateway_url: gateway URL acme.atlassian.net", ":1: gateway_url: gateway URL has scheme"}},
		{name: "hosts that cannot be", yaml: "listen: 127.0.0.256:1\nadmin_listen: a b:1\n", want: []string{
			":1: listen: \"127.0.0.256:1\" has neither", ":2: admin_listen: \"a b:1\" has neither",
		}},
		{name: "negative time", yaml: "shutdown_grace: -1s\n", want: []string{":1: shutdown_grace: -1s is too short"}},
		{name: "port out of range", yaml: "listen: 127.0.0.1:70000\n", want: []string{":1: listen: \"127.0.0.1:70000\" has no port"}},
		{name: "value missing", yaml: "site_url:\ncloud_id: abc\n", want: []string{":1: site_url: the value is missing"}},
		{name: "nested", yaml: "listen:\n  host: a\n", want: []string{":1: listen: the value is not a plain one"}},
		{name: "key twice", yaml: "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", want: []string{":2: "}},
		{name: "no mapping", yaml: "- a\n- b\n", want: []string{":1: the file is not one list of `key: value` lines"}},
		{name: "two documents", yaml: "listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n", want: []string{":3: the file is not one list of `key: value` lines"}},
		{name: "not YAML", yaml: "listen: [127.0.0.1\n", want: []string{":1: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "broker.yaml")
			if err := os.WriteFile(path, []byte(test.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadArgs(t, []string{"--config", path}, nil, "")
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			slices.Sort(got)
			if len(got) != len(test.want) {
				t.Fatalf("got %d problems, want %d: %v", len(got), len(test.want), err)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(got[i], path+want) {
					t.Errorf("problem %d = %q, want %q", i, got[i], path+want)
				}
			}
		})
	}
}

func TestAFaultOfTheFileCountsEvenWhereItIsOverridden(t *testing.T) {
	t.Parallel()
	c, err := loadArgs(t, []string{"--gateway-url=https://gateway.acme.example"}, map[string]string{"BROKER_MAX_AGE": "2s"},
		"max_age: soon\ngateway_url: http://api.atlassian.com\n")
	if err == nil || !strings.Contains(err.Error(), ":1: max_age: ") || !strings.Contains(err.Error(), ":2: gateway_url: ") {
		t.Errorf("error = %v, want one for each line", err)
	}
	if c.maxAge != 2*time.Second || c.upstream.GatewayURL != "https://gateway.acme.example" {
		t.Errorf("config = %v, %s, want what overrides", c.maxAge, c.upstream.GatewayURL)
	}
}

func TestFilesThatCannotBeReadAreNamedWithWhereTheyWereSaid(t *testing.T) {
	t.Parallel()
	c, err := loadArgs(t, []string{"--page-token-key-file=/nowhere/key"}, map[string]string{"CONFLUENCE_OAUTH_CLIENT_SECRET_FILE": "/nowhere/secret"},
		"site_url: https://acme.example\ntoken_file: /nowhere/token\n")
	if err != nil {
		t.Fatal(err)
	}
	_, tokenErr := c.openSecret()
	_, keyErr := c.pageTokenKey()
	c.upstream.Credentials.Scheme = confluenceclient.SchemeOAuth
	_, secretErr := c.openSecret()
	for want, err := range map[string]error{
		"broker.yaml:2: token_file: ": tokenErr, "--page-token-key-file: ": keyErr, "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE: ": secretErr,
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/nowhere/") {
			t.Errorf("error = %v, want one with %s", err, want)
		}
	}
}

func TestALostFileIsAnError(t *testing.T) {
	t.Parallel()
	_, err := loadArgs(t, []string{"--config", "/nowhere/broker.yaml"}, nil, "")
	if err == nil || !strings.Contains(err.Error(), "/nowhere/broker.yaml") {
		t.Errorf("error = %v, want one that names the file", err)
	}
}

func TestSizesMayHaveUnits(t *testing.T) {
	t.Parallel()
	want := map[string]int64{"0": 0, "1048576": 1 << 20, "512KiB": 512 << 10, "4MiB": 4 << 20, "2 GiB": 2 << 30}
	got := map[string]int64{}
	for text := range want {
		var c config
		if err := size(0, func(c *config) *int64 { return &c.cacheBytes })(&c, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got[text] = c.cacheBytes
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "-1", "1MB", "MiB", "1.5GiB", "99999999999GiB", "0x10"} {
		if err := size(0, func(c *config) *int64 { return &c.cacheBytes })(&config{}, text); err == nil {
			t.Errorf("%q was taken for a size", text)
		}
	}
}

func TestTheFileCanSetEverythingButTheToken(t *testing.T) {
	t.Parallel()
	var yaml strings.Builder
	var table []setting
	for _, s := range append(upstreamSettings(), brokerSettings()...) {
		if s.name != "" && s.fallback != "" {
			yaml.WriteString(s.key() + ": " + s.fallback + "\n")
		}
		table = append(table, s)
	}
	if _, err := loadArgs(t, nil, nil, yaml.String()); err != nil {
		t.Errorf("%d settings: %v", len(table), err)
	}
}

func TestMissingAndSurplusCredentialsAreNamedByTheirSetting(t *testing.T) {
	t.Parallel()
	site := map[string]string{"CONFLUENCE_SITE_URL": "https://acme.example"}
	for _, test := range []struct {
		name string
		env  map[string]string
		want []string // each in a line of its own
	}{
		{"nothing", map[string]string{"CONFLUENCE_SITE_URL": ""}, []string{"CONFLUENCE_SITE_URL", "CONFLUENCE_AUTH", "CONFLUENCE_TOKEN_FILE"}},
		{"basic", map[string]string{"CONFLUENCE_AUTH": "basic", "CONFLUENCE_EMAIL": "svc@acme.example", "CONFLUENCE_TOKEN": "t"}, nil},
		{"basic without e-mail", map[string]string{"CONFLUENCE_AUTH": "basic", "CONFLUENCE_TOKEN": "t"}, []string{"CONFLUENCE_EMAIL"}},
		{"basic without token", map[string]string{"CONFLUENCE_AUTH": "basic", "CONFLUENCE_EMAIL": "svc@acme.example"}, []string{"CONFLUENCE_TOKEN_FILE"}},
		{"bearer", map[string]string{"CONFLUENCE_AUTH": "bearer", "CONFLUENCE_TOKEN": "t"}, nil},
		{"bearer with e-mail", map[string]string{"CONFLUENCE_AUTH": "bearer", "CONFLUENCE_EMAIL": "svc@acme.example", "CONFLUENCE_TOKEN": "t"}, []string{"CONFLUENCE_EMAIL"}},
		{"token twice", map[string]string{"CONFLUENCE_AUTH": "bearer", "CONFLUENCE_TOKEN": "t", "CONFLUENCE_TOKEN_FILE": "f"}, []string{"set twice"}},
		{"bearer with a client", map[string]string{"CONFLUENCE_AUTH": "bearer", "CONFLUENCE_TOKEN": "t", "CONFLUENCE_OAUTH_CLIENT_ID": "c"}, []string{"CONFLUENCE_OAUTH_CLIENT_ID"}},
		{"oauth", map[string]string{"CONFLUENCE_AUTH": "oauth", "CONFLUENCE_OAUTH_CLIENT_ID": "c", "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE": "f"}, nil},
		{"oauth without client", map[string]string{"CONFLUENCE_AUTH": "oauth"}, []string{"CONFLUENCE_OAUTH_CLIENT_ID", "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE"}},
		{"oauth with token", map[string]string{"CONFLUENCE_AUTH": "oauth", "CONFLUENCE_OAUTH_CLIENT_ID": "c", "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE": "f", "CONFLUENCE_TOKEN": "t"}, []string{"CONFLUENCE_TOKEN"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, ok := test.env["CONFLUENCE_SITE_URL"]; !ok {
				test.env["CONFLUENCE_SITE_URL"] = site["CONFLUENCE_SITE_URL"]
			}
			c, err := loadArgs(t, nil, test.env, "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := c.checkCredentials(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want problems about %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("problem %q does not name %s", got[i], want)
				}
			}
		})
	}
}

func TestAPageTokenKeyIsThirtyTwoBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	for content, good := range map[string]bool{
		"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n": true,
		"MDEyMzQ1Njc4OWFiY2RlZg==":                       false,
		"not base64":                                     false,
		"":                                               false,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := config{pageTokenKeyFile: path}.pageTokenKey()
		if (err == nil) != good || good && len(key) != 32 {
			t.Errorf("key file %q: %d bytes, %v", content, len(key), err)
		}
	}
}
