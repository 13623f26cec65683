package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

func text(field func(*config) *string) func(*config, string) error {
	return func(c *config, value string) error {
		*field(c) = strings.TrimSpace(value)
		return nil
	}
}

// upstream is for a text that the client checks. The text is kept all the same:
// nothing else may be used in its place.
func upstream(field func(*confluenceclient.Config) *string) func(*config, string) error {
	return func(c *config, value string) error {
		value = strings.TrimSpace(value)
		*field(&c.upstream) = value
		if value == "" {
			return nil // whether it may be is for all settings together to tell
		}
		return checkUpstream(func(trial *confluenceclient.Config) { *field(trial) = value })
	}
}

// checkUpstream lets the client check one setting, in a configuration that is
// good otherwise. Each scheme has settings that the others do not look at.
func checkUpstream(change func(*confluenceclient.Config)) error {
	for _, scheme := range []confluenceclient.Scheme{confluenceclient.SchemeBasic, confluenceclient.SchemeOAuth} {
		trial := confluenceclient.Config{
			SiteURL: "https://acme.example",
			Credentials: confluenceclient.Credentials{
				Scheme: scheme, Email: "svc@acme.example", ClientID: "client", Secret: func() string { return "secret" },
			},
		}
		change(&trial)
		if err := trial.Check(); err != nil {
			return err
		}
	}
	return nil
}

// hostName matches names, and not what looks like an IP address but is none. An
// empty one is every address of this machine.
var hostName = regexp.MustCompile(`^$|^[0-9A-Za-z._-]*[A-Za-z][0-9A-Za-z._-]*$`)

func address(field func(*config) *string) func(*config, string) error {
	return func(c *config, value string) error {
		host, port, err := net.SplitHostPort(value)
		if err != nil {
			return fmt.Errorf("%q is not HOST:PORT, such as 127.0.0.1:8090", value)
		}
		if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(host) {
			return fmt.Errorf("%q has neither a host's name nor an IP address before the port", value)
		}
		if number, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Errorf("%q has no port between 0 and 65535", value)
		} else if number == 0 && field(c) == &c.address {
			return fmt.Errorf("%q names no port", value)
		}
		*field(c) = value
		return nil
	}
}

func setBool(field func(*config) *bool) func(*config, string) error {
	return func(c *config, value string) error {
		switch value {
		case "true":
			*field(c) = true
		case "false":
			*field(c) = false
		default:
			return fmt.Errorf("%q is neither true nor false", value)
		}
		return nil
	}
}

func duration(least time.Duration, field func(*config) *time.Duration) func(*config, string) error {
	return func(c *config, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is not a time span, such as 30s or 2m", value)
		}
		if d < least {
			return fmt.Errorf("%s is too short; the least is %s", value, least)
		}
		*field(c) = d
		return nil
	}
}

func size(least int64, field func(*config) *int64) func(*config, string) error {
	return func(c *config, value string) error {
		size, ok := policy.ParseBytes(value)
		if !ok {
			return fmt.Errorf("%q is not a number of bytes, such as 1048576, 512KiB, 4MiB or 1GiB", value)
		}
		if size < least {
			return fmt.Errorf("%s is too small; the least is %d", value, least)
		}
		*field(c) = size
		return nil
	}
}

func setAuth(c *config, value string) error {
	switch scheme := confluenceclient.Scheme(strings.TrimSpace(value)); scheme {
	case "", confluenceclient.SchemeBasic, confluenceclient.SchemeBearer, confluenceclient.SchemeOAuth:
		c.upstream.Credentials.Scheme = scheme
		return nil
	default:
		return fmt.Errorf("%q is not a scheme; it is basic, bearer or oauth", value)
	}
}

// setExpires reads an instant, or a date, which is taken to begin in UTC: the
// earliest that is meant.
func setExpires(c *config, value string) error {
	c.upstream.Credentials.Expires = time.Time{}
	if value == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			c.upstream.Credentials.Expires = at
			return nil
		}
	}
	return fmt.Errorf("%q is neither a date, such as 2027-03-01, nor an instant, such as 2027-03-01T12:00:00Z", value)
}

func setMediaHosts(c *config, value string) error {
	c.upstream.MediaHosts = nil
	for host := range strings.SplitSeq(value, ",") {
		host = strings.TrimSpace(host)
		if host == "" {
			return errors.New("one of the hosts is empty")
		}
		c.upstream.MediaHosts = append(c.upstream.MediaHosts, host)
	}
	return checkUpstream(func(trial *confluenceclient.Config) { trial.MediaHosts = c.upstream.MediaHosts })
}

func setLogLevel(c *config, value string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[value]
	if !ok {
		return fmt.Errorf("%q is not a level; it is debug, info, warn or error", value)
	}
	c.logLevel = level
	return nil
}
