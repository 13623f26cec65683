package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func demoCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "run simulator and broker together, with a sample site; no account needed",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(brokerSettings(), cmd.Flags(), env.getenv, nil)
			if err == nil {
				err = c.checkListener()
			}
			if err != nil {
				return usageError(err)
			}
			return demo(cmd.Context(), c, env)
		},
	}
	addFlags(cmd, brokerSettings())
	return cmd
}

// demo is serve with the simulator in Confluence's place.
func demo(ctx context.Context, c config, env environment) error {
	log := newLogger(env.stderr, c.logLevel)
	simulator, err := listenNear(ctx, simulatorAddress)
	if err != nil {
		return err
	}
	sim := startSimulation(simulator, confluencetest.New(confluencetest.SampleSite()), nil)
	defer sim.close()
	c.allowAnonymous = true
	if err := sim.configure(&c); err != nil {
		return err
	}
	telemetry, err := newTelemetry(ctx, env.getenv, log)
	if err != nil {
		return err
	}
	defer telemetry.shutdown(log)
	calls, err := listenNear(ctx, c.listen)
	if err != nil {
		return err
	}
	admin, err := listenNear(ctx, c.adminListen)
	if err != nil {
		return errors.Join(err, calls.Close())
	}
	printDemo(env, calls.Addr().String(), admin.Addr().String(), sim.url)
	return runBroker(ctx, c, telemetry, log, calls, admin)
}

// listenNear takes a free port where the one asked for is in use: a second demo,
// or a broker that runs already, should not keep anybody from looking.
func listenNear(ctx context.Context, address string) (net.Listener, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, err
	}
	return listen.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
}

func printDemo(env environment, calls, admin, simulator string) {
	program := programName()
	if _, port, _ := net.SplitHostPort(calls); calls != "127.0.0.1:8090" {
		program = "BROKER_ADDRESS=127.0.0.1:" + port + " " + program
	}
	fmt.Fprintf(env.stdout, `A broker is running, with a simulated Confluence behind it.

  broker     %s, gRPC without TLS
  admin      http://%s/metrics
  simulator  %s

Paste these in another terminal:

`, calls, admin, simulator)
	for _, try := range [][2]string{
		{`GetPage`, `{"page_id": "1001"}`},
		{`ListChildren`, `{"parent_id": "1000"}`},
		{`Search`, `{"text": "restart", "space_keys": ["DOC"]}`},
		{`GetAttachment`, `{"attachment_id": "att9"}`},
	} {
		fmt.Fprintf(env.stdout, "  grpcurl -plaintext -d '%s' %s confluence.broker.v1.BrokerService/%s\n", try[1], calls, try[0])
	}
	fmt.Fprintf(env.stdout, "\nOr, without grpcurl (`make tools` builds one into .bin):\n\n")
	for _, try := range []string{"page 1001", "children 1000", "search restart --space DOC", "attachment att9 -o /tmp/a.png"} {
		fmt.Fprintf(env.stdout, "  %s get %s\n", program, try)
	}
	fmt.Fprintf(env.stdout, "\n%s\nCtrl-C stops it.\n\n", tracesHint(env))
}

func tracesHint(env environment) string {
	if endpoint := env.getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint != "" {
		return "Traces go to " + endpoint + ", under the service name confluence-broker."
	}
	return "To see each call as a trace, start Jaeger as README.md says and run the demo again\n" +
		"with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318."
}

// programName is how the person who started this program can start it again.
func programName() string {
	program, err := os.Executable()
	if err != nil {
		return "confluence-broker"
	}
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, program); err == nil && !strings.HasPrefix(relative, "..") {
			return "./" + relative
		}
	}
	return program
}
