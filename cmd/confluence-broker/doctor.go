package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func doctorCommand(env environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "find out why a token does not work, and what to do",
		Long: `doctor checks configuration, token, cloud ID, gateway and the scopes of each RPC,
by small reads that change nothing. Each finding tells what was seen and what to
do. It exits with 3 when there is a problem.

The token is shown to the site's own address once, and only with scheme basic:
a token that works there is not a scoped one.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := diagnose(cmd.Context(), cmd, env)
			show := printFindings
			if asJSON {
				show = printFindingsJSON
			}
			if err := show(cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			if slices.ContainsFunc(findings, isProblem) {
				return &exitError{code: exitProblem}
			}
			return nil
		},
	}
	addFlags(cmd, upstreamSettings())
	addFlags(cmd, policySettings())
	addConfigFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// diagnose works with whatever configuration there is: what is wrong with it
// comes first, and the checks go as far as the rest leads.
func diagnose(ctx context.Context, cmd *cobra.Command, env environment) []confluenceclient.Finding {
	c, err := loadCommand(cmd, env)
	findings := settingProblems(err)
	findings = append(findings, settingProblems(c.checkCredentials())...)
	secret, err := c.openSecret()
	if err != nil {
		findings = append(findings, settingProblems(err)...)
		secret = fixedSecret("")
	}
	c.upstream.Credentials.Secret = secret.value
	policies, err := c.openPolicy()
	if err != nil {
		return append(append(findings, settingProblems(err)...), confluenceclient.Diagnose(ctx, c.upstream)...)
	}
	return append(findings, confluenceclient.Diagnose(ctx, c.upstream, policyNeeds(policies.value())...)...)
}

// settingProblems turns errors joined by errors.Join into a finding each.
func settingProblems(err error) []confluenceclient.Finding {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var findings []confluenceclient.Finding
		for _, one := range joined.Unwrap() {
			findings = append(findings, settingProblems(one)...)
		}
		return findings
	}
	return []confluenceclient.Finding{{
		Check: "settings", Severity: confluenceclient.Problem, Seen: err.Error(),
		Remedy: "correct it; serve does not start like this",
	}}
}

func isProblem(f confluenceclient.Finding) bool { return f.Severity == confluenceclient.Problem }

func printFindings(w io.Writer, findings []confluenceclient.Finding) error {
	marks := map[confluenceclient.Severity]string{
		confluenceclient.OK: "ok", confluenceclient.Warning: "warn", confluenceclient.Problem: "FAIL", confluenceclient.Skipped: "-",
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		row(table, marks[f.Severity], f.Check, f.Seen)
		if f.Remedy != "" {
			row(table, "", "", "→ "+f.Remedy)
		}
	}
	return table.Flush()
}

func printFindingsJSON(w io.Writer, findings []confluenceclient.Finding) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(findings); err != nil {
		return fmt.Errorf("writing the findings: %w", err)
	}
	return nil
}
