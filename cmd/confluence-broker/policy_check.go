package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/policy"
)

func policyCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "say in words what a policy means, or everything that is wrong with it",
		Long: `check reads a policy file as serve does. If it is good, it says for each caller
how it is known, what it may do and what not, and warns of rules that do nothing.
If not, it names every fault with line and column, and exits with 1.`,
		Example: "  confluence-broker policy check policy.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := readPolicy(args[0])
			if asJSON {
				return printPolicyJSON(cmd.OutOrStdout(), p, err)
			}
			if err != nil {
				return err
			}
			printExplanations(cmd.OutOrStdout(), p.Explain())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print callers or problems as JSON")
	return cmd
}

func printPolicyJSON(w io.Writer, p *policy.Policy, err error) error {
	var problems policy.Problems
	switch {
	case errors.As(err, &problems):
		if err := printIndented(w, map[string]any{"problems": problems}); err != nil {
			return err
		}
		return &exitError{code: exitFailed}
	case err != nil:
		return err
	}
	return printIndented(w, map[string]any{"callers": p.Explain()})
}

func printExplanations(w io.Writer, explanations []policy.Explanation) {
	if len(explanations) == 0 {
		fmt.Fprintln(w, "The policy lets nobody in.")
	}
	for i, e := range explanations {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s (line %d)\n", e.Caller, e.Line)
		printItems(w, "is known by", e.KnownBy)
		printItems(w, "may", e.May)
		printItems(w, "may not", e.MayNot)
		printItems(w, "WARNING", e.Warnings)
	}
}

func printItems(w io.Writer, heading string, items []string) {
	for _, item := range items {
		fmt.Fprintf(w, "  %-12s %s\n", heading, item)
		heading = ""
	}
}
