// Command confluence-broker lets other services read Confluence Cloud through
// one least-privilege token.
//
// Each command has a file of its own. What an operator can set is listed in
// settings.go; a command turns that into a config, builds what it needs from
// top to bottom, and runs it. Nothing below this package reads flags, the
// environment or files.
//
// Exit codes: 0 all went well, 1 it failed, 2 it was asked for wrongly, 3 the
// doctor found a problem.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(program()) }

// program is main for the tests too, whose binary plays the program in scripts.
func program() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	// net/http writes to the standard logger what a server sends unasked, which may
	// be page text. What matters of it comes as an error too.
	log.SetOutput(io.Discard)
	return run(ctx, os.Args[1:], environment{getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr})
}

// environment is what a command may see of the process.
type environment struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// The exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitProblem = 3
)

// exitError ends the program with a code of its own. A nil err says nothing
// more, since the command has said it already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprint(e.err) }
func (e *exitError) Unwrap() error { return e.err }

// usageError is a failure that another command line or configuration would avoid.
func usageError(err error) error { return &exitError{code: exitUsage, err: err} }

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, env environment) int {
	root := rootCommand(env)
	root.SetArgs(args)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case !errors.As(err, &exit):
		exit = &exitError{code: exitFailed, err: err}
	case exit.err == nil:
		return exit.code
	}
	for problem := range strings.SplitSeq(exit.err.Error(), "\n") {
		fmt.Fprintf(env.stderr, "confluence-broker: %s\n", problem)
	}
	return exit.code
}

func rootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "confluence-broker",
		Short: "read Confluence Cloud through one least-privilege token",
		Long: `confluence-broker holds the one scoped token of a company and answers typed gRPC
calls for pages, children, search results and attachments.

No Atlassian account at hand? Run: confluence-broker demo`,
		Args:          onlySubcommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true, // run prints them
		SilenceUsage:  true, // the usage text would bury the one sentence that helps
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
	})
	root.AddCommand(
		serveCommand(env),
		demoCommand(env),
		doctorCommand(env),
		scopesCommand(env),
		policyCommand(),
		convertCommand(),
		simulateCommand(),
		getCommand(env),
		keyCommand(env),
		versionCommand(),
	)
	return root
}

// onlySubcommands refuses words that name no command.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError(fmt.Errorf("there is no command %q; see %s --help", args[0], cmd.CommandPath()))
}

// arguments makes a wrong number of arguments a usage error that shows the form.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(fmt.Errorf("%w; the form is: %s", err, cmd.UseLine()))
		}
		return nil
	}
}
