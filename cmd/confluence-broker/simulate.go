package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

const simulatorAddress = "127.0.0.1:8092"

type simulateFlags struct {
	site, listen, token string
	pages               int
	seed                uint64
	faults              []string
	logRequests         bool
}

func simulateCommand() *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "run a Confluence for tests, with Atlassian's refusals",
		Long: `simulate serves gateway, site, OAuth endpoint and media host on one loopback port
and prints the variables that point a broker, or doctor, at it. It runs until it
is stopped.`,
		Example: `  confluence-broker simulate --site my-export/ > sim.env &
  confluence-broker simulate --token revoked
  confluence-broker simulate --fault 'route=/wiki/api/v2/pages/{id},status=429,retry-after=1,count=2'`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return simulate(cmd, flags) },
	}
	cmd.Flags().StringVar(&flags.site, "site", "", "`FILE.txtar` with the site's content, or a folder of bodies (*.xml, *.json), each of which becomes a page")
	cmd.Flags().IntVar(&flags.pages, "pages", 0, "make a site with this `NUMBER` of pages up instead")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 1, "another `NUMBER` makes another site up")
	cmd.Flags().StringArrayVar(&flags.faults, "fault", nil, "a `RULE` for answers that go wrong; may be repeated")
	cmd.Flags().StringVar(&flags.listen, "listen", simulatorAddress, "`HOST:PORT`, on this machine only")
	cmd.Flags().StringVar(&flags.token, "token", "", "`NAME` of the site's token to print (default: the one with just the scopes needed)")
	cmd.Flags().BoolVar(&flags.logRequests, "log-requests", false, "write a line of JSON for each request to stderr")
	return cmd
}

func simulate(cmd *cobra.Command, flags simulateFlags) error {
	site, err := flags.content()
	if err != nil {
		return usageError(err)
	}
	if !isLoopback(flags.listen) {
		return usageError(fmt.Errorf("--listen: %s is not on this machine; the simulator has no business elsewhere", flags.listen))
	}
	ctx := cmd.Context()
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", flags.listen)
	if err != nil {
		return err
	}
	sim := startSimulation(l, site, flags.logTo(cmd))
	defer sim.close()
	for _, rule := range flags.faults {
		fault, err := confluencetest.ParseFault(rule)
		if err != nil {
			return usageError(fmt.Errorf("--fault: %w", err))
		}
		sim.simulator.AddFault(fault)
	}
	credential, err := sim.credential(flags.token)
	if err != nil {
		return usageError(fmt.Errorf("--token: %w", err))
	}
	for _, variable := range sim.variables(credential) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s=%s\n", variable[0], variable[1])
	}
	<-ctx.Done()
	for _, complaint := range sim.simulator.Suspicious() {
		fmt.Fprintf(cmd.ErrOrStderr(), "a careful client would not have sent this: %s\n", complaint)
	}
	return nil
}

// content is the site that the flags ask for.
func (f simulateFlags) content() (*confluencetest.Site, error) {
	switch {
	case f.site != "" && f.pages != 0:
		return nil, errors.New("--site and --pages do not go together: a site is read or made up")
	case f.pages < 0:
		return nil, fmt.Errorf("--pages: %d pages cannot be made up", f.pages)
	case f.pages > 0:
		return confluencetest.Generate(f.pages, f.seed), nil
	case f.site != "":
		return confluencetest.LoadSite(f.site)
	}
	return confluencetest.SampleSite(), nil
}

func (f simulateFlags) logTo(cmd *cobra.Command) *slog.Logger {
	if !f.logRequests {
		return nil
	}
	return newLogger(cmd.ErrOrStderr(), slog.LevelInfo)
}
