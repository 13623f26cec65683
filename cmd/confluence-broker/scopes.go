package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

func scopesCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scopes [RPC...]",
		Short: "the smallest set of scopes for the RPCs in use",
		Long: `scopes prints the smallest set of scopes that a token needs for the named RPCs,
or for all of them, and for the policy, if one is set, ready to tick on the page
where the token is made. Scopes come in two families; a token may mix them. The
scopes of a token cannot be changed later: a missing one needs a new token.`,
		Example: "  confluence-broker scopes GetPage Search",
		RunE: func(cmd *cobra.Command, rpcs []string) error {
			needs, err := needsOf(rpcs)
			c, loadErr := load(policySettings(), cmd.Flags(), env.getenv, nil)
			policies, policyErr := c.openPolicy()
			if err := errors.Join(err, loadErr, policyErr); err != nil {
				return usageError(err)
			}
			return printScopes(cmd.OutOrStdout(), append(needs, policyNeeds(policies.value())...))
		},
	}
	addFlags(cmd, policySettings())
	return cmd
}

// policyNeeds is what the rules of all callers need together.
func policyNeeds(p *policy.Policy) []confluenceclient.Need {
	hides := false
	var facts confluenceclient.Facts
	callers := p.Callers()
	if anonymous, ok := p.Anonymous(); ok {
		callers = append(callers, anonymous)
	}
	for _, c := range callers {
		hides = hides || !c.HidesNothing()
		needs := c.Needs()
		facts.Ancestors = facts.Ancestors || needs.Ancestors
		facts.Labels = facts.Labels || needs.Labels
		facts.Restricted = facts.Restricted || needs.Restrictions
	}
	if !hides {
		return nil
	}
	return confluenceclient.PolicyNeeds(facts)
}

// needsOf selects what the named RPCs need; no names select all.
func needsOf(rpcs []string) ([]confluenceclient.Need, error) {
	all := confluenceclient.Needs()
	if len(rpcs) == 0 {
		return all, nil
	}
	var known []string
	for _, need := range all {
		known = append(known, need.RPC)
	}
	known = slices.Compact(known)
	for _, rpc := range rpcs {
		if !slices.Contains(known, rpc) {
			return nil, fmt.Errorf("there is no RPC %q; there are %s", rpc, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(need confluenceclient.Need) bool { return !slices.Contains(rpcs, need.RPC) }), nil
}

// scopeSet is the union of what the preferred endpoints need, sorted, and what
// would only make answers richer besides. Classic scopes open no v2 endpoint, so
// the classic set holds granular ones, too.
func scopeSet(needs []confluenceclient.Need, preferClassic bool) (due, richer []string) {
	for _, need := range needs {
		op := need.AnyOf[0]
		scopes := op.Granular
		if len(op.Granular) == 0 || preferClassic && len(op.Classic) > 0 {
			scopes = op.Classic
		}
		if need.Optional {
			richer = append(richer, scopes...)
		} else {
			due = append(due, scopes...)
		}
	}
	slices.Sort(due)
	slices.Sort(richer)
	richer = slices.DeleteFunc(richer, func(scope string) bool { return slices.Contains(due, scope) })
	return slices.Compact(due), slices.Compact(richer)
}

func printScopes(w io.Writer, needs []confluenceclient.Need) error {
	granular, granularRicher := scopeSet(needs, false)
	mixed, mixedRicher := scopeSet(needs, true)
	printSet(w, "Tick these, all of the granular family:", granular, granularRicher)
	if !slices.Equal(granular, mixed) {
		printSet(w, "Or these, classic where Confluence takes classic ones:", mixed, mixedRicher)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RPC\tENDPOINT\tCLASSIC\tGRANULAR")
	for _, row := range scopeRows(needs) {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func printSet(w io.Writer, heading string, due, richer []string) {
	fmt.Fprintf(w, "%s\n\n  %s\n\n", heading, strings.Join(due, "\n  "))
	if len(richer) > 0 {
		fmt.Fprintf(w, "With these as well, Markdown has names in place of ids:\n\n  %s\n\n", strings.Join(richer, "\n  "))
	}
}

// scopeRows are the lines of the table RPC, endpoint, classic, granular scopes.
func scopeRows(needs []confluenceclient.Need) [][]string {
	var rows [][]string
	for _, need := range needs {
		rpc := strings.TrimSpace(need.RPC + " " + need.Purpose)
		if need.Optional {
			rpc += " (optional)"
		}
		for i, op := range need.AnyOf {
			endpoint := op.Endpoint()
			if i > 0 {
				rpc, endpoint = "", "or, with less in the answer: "+endpoint
			}
			rows = append(rows, []string{rpc, endpoint, words(op.Classic), words(op.Granular)})
		}
	}
	return rows
}

func words(scopes []string) string { return cmp.Or(strings.Join(scopes, ", "), "-") }
