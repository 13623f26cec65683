package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func serveCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the broker",
		Long: `serve answers gRPC calls from other services by reading Confluence with the one
token it holds. It stops on SIGINT or SIGTERM: open calls may finish within
--shutdown-grace, then they are ended.

Traces go where the standard OTEL_* variables say; unset, they go nowhere.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadCommand(cmd, env)
			if err == nil {
				err = errors.Join(c.checkCredentials(), c.checkListener())
			}
			if err != nil {
				return usageError(err)
			}
			return serve(cmd.Context(), c, env)
		},
	}
	addFlags(cmd, upstreamSettings())
	addFlags(cmd, brokerSettings())
	addConfigFlag(cmd)
	return cmd
}

// serve builds everything, from the outside in, and runs until ctx is done.
func serve(ctx context.Context, c config, env environment) error {
	log := newLogger(env.stderr, c.logLevel)
	secret, err := c.openSecret()
	if err != nil {
		return usageError(err)
	}
	c.upstream.Credentials.Secret, c.upstream.Credentials.Since = secret.value, secret.since
	c.upstream.OnToken = tokenLog(log)
	if err := c.upstream.Check(); err != nil {
		return usageError(err)
	}
	if _, err := c.openPolicy(); err != nil { // before anybody is asked for anything
		return usageError(err)
	}
	if err := secret.watch(ctx, log); err != nil {
		return err
	}
	if c.upstream.CloudID == "" {
		if c.upstream.CloudID, err = discover(ctx, c.upstream.SiteURL); err != nil {
			return fmt.Errorf("the cloud ID is not set and cannot be looked up: %w; set CONFLUENCE_CLOUD_ID (--cloud-id), or run doctor", err)
		}
		log.InfoContext(ctx, "the site told its cloud ID", "site", c.upstream.SiteURL, "cloud_id", c.upstream.CloudID)
	}
	telemetry, err := newTelemetry(ctx, env.getenv, log)
	if err != nil {
		return err
	}
	defer telemetry.shutdown(log)
	var listen net.ListenConfig
	calls, err := listen.Listen(ctx, "tcp", c.listen)
	if err != nil {
		return err
	}
	admin, err := listen.Listen(ctx, "tcp", c.adminListen)
	if err != nil {
		return errors.Join(err, calls.Close())
	}
	warnOperator(ctx, c, log)
	return runBroker(ctx, c, telemetry, log, calls, admin)
}

// discover asks the site, for no longer than an operator would wait, and like
// the client without regard to proxy variables.
func discover(ctx context.Context, siteURL string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	transport := &http.Transport{ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	return confluenceclient.Discover(ctx, siteURL, transport)
}

// warnOperator says what is allowed, but should not surprise anybody later.
func warnOperator(ctx context.Context, c config, log *slog.Logger) {
	switch {
	case c.allowAnonymous && c.policyFile == "":
		log.WarnContext(ctx, "anonymous callers are served: whoever reaches the port reads what the token can read", "listen", c.listen)
	case c.allowAnonymous:
		log.WarnContext(ctx, "anonymous callers are served: whoever reaches the port reads what the policy's anonymous entry allows", "listen", c.listen)
	case c.policyFile == "":
		log.WarnContext(ctx, "EVERY CALL WILL BE REFUSED: there is no policy that names callers, and anonymous ones are not allowed; --policy-file (BROKER_POLICY_FILE) names them, --allow-anonymous (BROKER_ALLOW_ANONYMOUS=true) serves everybody")
	}
	if !isLoopback(c.listen) && c.tlsCertFile == "" {
		log.WarnContext(ctx, "gRPC is served without TLS beyond this machine: page text can be read on the way; keep it within a trusted network or behind a TLS proxy", "listen", c.listen)
	}
	if !isLoopback(c.adminListen) {
		log.WarnContext(ctx, "metrics and /debug/pprof are open beyond this machine", "admin_listen", c.adminListen)
	}
}

func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
