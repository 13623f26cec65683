package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

const simulatorAddress = "127.0.0.1:8092"

type simulateFlags struct {
	site, listen, control     string
	auth, token               string
	pages, rateLimit          int
	seed                      uint64
	quirks, faults            []string
	latency, jitter, indexLag time.Duration
	logRequests               bool
}

func simulateCommand() *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "run a Confluence for tests, with Atlassian's refusals",
		Long: `simulate serves gateway, site, OAuth endpoint and media host on one loopback port
and prints the variables that point a broker, or doctor, at it, as lines for a
shell. It runs until it is stopped.

With --control, another port takes orders while it runs:

  GET    /requests      the requests so far, a JSON object a line, without credentials
  GET    /suspicious    what a careful client would not have sent, a sentence a line
  POST   /faults        adds a fault; the body is a RULE as for --fault
  DELETE /faults        removes all faults
  POST   /revoke/NAME   revokes the site's token or OAuth client of this name
  POST   /expire        ends all access tokens of OAuth clients, which may get new ones

The keys of a RULE are route, face, status, retry-after, header, delay, jitter,
per-second, reason, reset, short-body, no-length, after, count and, last, body.`,
		Example: `  confluence-broker simulate --site my-export/ > sim.env &
  confluence-broker simulate --token revoked
  confluence-broker simulate --auth oauth --quirk empty-pages --latency 80ms --jitter 40ms
  confluence-broker simulate --fault 'route=/wiki/api/v2/pages/{id},status=429,retry-after=900'`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return simulate(cmd, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.site, "site", "", "`FILE.txtar` with the site's content, or a folder of bodies (*.xml in storage format, *.json in ADF), each of which becomes a page")
	f.IntVar(&flags.pages, "pages", 0, "make a site with this `NUMBER` of pages up instead")
	f.Uint64Var(&flags.seed, "seed", 1, "another `NUMBER` makes another site up")
	f.StringArrayVar(&flags.quirks, "quirk", nil, "`NAME` of something that sites differ in: "+quirkNames()+"; may be repeated")
	f.StringArrayVar(&flags.faults, "fault", nil, "a `RULE` for answers that go wrong; may be repeated")
	f.IntVar(&flags.rateLimit, "rate-limit", 0, "`NUMBER` of requests for one endpoint in one second before 429; 0 means no limit")
	f.DurationVar(&flags.latency, "latency", 0, "`TIME` that each request waits")
	f.DurationVar(&flags.jitter, "jitter", 0, "up to so much `TIME` more, by chance")
	f.DurationVar(&flags.indexLag, "index-lag", 0, "`TIME` that searches are behind changes")
	f.StringVar(&flags.listen, "listen", simulatorAddress, "`HOST:PORT`, on this machine only")
	f.StringVar(&flags.control, "control", "", "`HOST:PORT` for orders while it runs, on this machine only; port 0 takes a free one (default: none)")
	f.StringVar(&flags.auth, "auth", "basic", "`SCHEME` of the variables to print: basic, bearer or oauth")
	f.StringVar(&flags.token, "token", "", "`NAME` of the site's token to print, or with oauth of its client (default: the one with just the scopes needed)")
	f.BoolVar(&flags.logRequests, "log-requests", false, "write a line of JSON for each request to stderr")
	return cmd
}

func simulate(cmd *cobra.Command, flags simulateFlags) error {
	simulator, err := flags.simulator()
	if err != nil {
		return usageError(err)
	}
	who, err := flags.identity(simulator)
	if err != nil {
		return usageError(err)
	}
	ctx := cmd.Context()
	l, err := listenHere(ctx, "--listen", flags.listen)
	if err != nil {
		return err
	}
	sim := startSimulation(l, simulator, flags.logged(cmd))
	defer sim.close()
	if flags.control != "" {
		l, err := listenHere(ctx, "--control", flags.control)
		if err != nil {
			return err
		}
		control := serveOn(l, simulator.Control())
		defer func() { _ = control.Close() }()
		fmt.Fprintf(cmd.OutOrStdout(), "# control: http://%s\n", l.Addr())
	}
	fmt.Fprint(cmd.OutOrStdout(), who.lines(sim))
	<-ctx.Done()
	for _, complaint := range simulator.Suspicious() {
		fmt.Fprintf(cmd.ErrOrStderr(), "a careful client would not have sent this: %s\n", complaint)
	}
	return nil
}

// simulator is what the flags ask for.
func (f simulateFlags) simulator() (*confluencetest.Simulator, error) {
	site, err := f.content()
	if err != nil {
		return nil, err
	}
	if f.rateLimit < 0 || f.latency < 0 || f.jitter < 0 || f.indexLag < 0 {
		return nil, errors.New("--rate-limit, --latency, --jitter and --index-lag cannot be less than 0")
	}
	options := []confluencetest.Option{
		confluencetest.WithRateLimit(f.rateLimit),
		confluencetest.WithLatency(f.latency, f.jitter),
		confluencetest.WithIndexLag(f.indexLag),
	}
	for _, name := range f.quirks {
		quirk := confluencetest.Quirk(name)
		if !slices.Contains(confluencetest.Quirks(), quirk) {
			return nil, fmt.Errorf("--quirk: there is no %q; there are %s", name, quirkNames())
		}
		options = append(options, confluencetest.With(quirk))
	}
	simulator := confluencetest.New(site, options...)
	for _, rule := range f.faults {
		fault, err := confluencetest.ParseFault(rule)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		simulator.AddFault(fault)
	}
	return simulator, nil
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

// logged is the log of requests, nil where none was asked for.
func (f simulateFlags) logged(cmd *cobra.Command) func(http.Handler) http.Handler {
	if !f.logRequests {
		return nil
	}
	log := newLogger(cmd.ErrOrStderr(), slog.LevelInfo)
	return func(simulator http.Handler) http.Handler { return logRequests(simulator, log) }
}

func quirkNames() string {
	var names []string
	for _, quirk := range confluencetest.Quirks() {
		names = append(names, string(quirk))
	}
	return strings.Join(names, ", ")
}

// listenHere listens on this machine only: what the simulator hands out are no
// secrets, and its control port does as it is told by anybody.
func listenHere(ctx context.Context, flag, address string) (net.Listener, error) {
	if !isLoopback(address) {
		return nil, usageError(fmt.Errorf("%s: %s is not on this machine; the simulator has no business elsewhere", flag, address))
	}
	var listen net.ListenConfig
	return listen.Listen(ctx, "tcp", address)
}

// serveOn serves h on l until the server is closed.
func serveOn(l net.Listener, h http.Handler) *http.Server {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return server
}
