package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/policy"
)

// policyQuestion is what `policy test` asks.
type policyQuestion struct {
	caller, method, bodyFormat string
	space, page                string
	ancestors, labels          []string
	restricted, cql            bool
	bytes                      int64
}

// policyAnswer is one decision and what it is about.
type policyAnswer struct {
	Question string `json:"question"`
	Allowed  bool   `json:"allowed"`
	Rule     string `json:"rule"`
}

func policyTestCommand() *cobra.Command {
	var q policyQuestion
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test FILE --caller NAME [--method RPC] [--space KEY [--page ID ...]] ...",
		Short: "say which rule of a policy decides",
		Long: `test asks a policy file what a caller may do, and says which rule decides. Of the
page, everything counts that is said here and nothing else: without --label it
has no labels.

It exits with 0 where everything asked for is allowed, with 1 where something is
denied, and with 2 where the question or the policy file is wrong.`,
		Example: `  confluence-broker policy test policy.yaml --caller support-bot --method GetPage --space KB
  confluence-broker policy test policy.yaml --caller anonymous --space DOC --page 1003 --ancestor 1001 --label secret`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := readPolicy(args[0])
			if err == nil {
				err = q.check(p, cmd.Flags().Changed)
			}
			if err != nil {
				return usageError(err)
			}
			answers := q.ask(p, cmd.Flags().Changed)
			denied := slices.ContainsFunc(answers, func(a policyAnswer) bool { return !a.Allowed })
			if asJSON {
				err = printIndented(cmd.OutOrStdout(), map[string]any{"allowed": !denied, "decisions": answers})
			} else {
				err = printAnswers(cmd.OutOrStdout(), answers)
			}
			if denied && err == nil {
				err = &exitError{code: exitFailed}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.caller, "caller", "", "`NAME` of the caller in the policy, or anonymous; required")
	flags.StringVar(&q.method, "method", "", "`RPC` that it calls, such as GetPage")
	flags.StringVar(&q.bodyFormat, "body-format", "", "`FORMAT` of the body that it asks for")
	flags.StringVar(&q.space, "space", "", "`KEY` of the space that it reads in")
	flags.StringVar(&q.page, "page", "", "`ID` of the page that it reads")
	flags.StringArrayVar(&q.ancestors, "ancestor", nil, "`ID` of something that the page lies under; may be repeated")
	flags.StringArrayVar(&q.labels, "label", nil, "`LABEL` of the page; may be repeated")
	flags.BoolVar(&q.restricted, "restricted", false, "not everybody in the space may view the page")
	flags.Int64Var(&q.bytes, "attachment-bytes", 0, "size of the attachment that it reads, in `BYTES`")
	flags.BoolVar(&q.cql, "cql", false, "it searches by CQL of its own wording")
	flags.BoolVar(&asJSON, "json", false, "print the decisions as JSON")
	return cmd
}

// check refuses questions that would be answered beside the point, such as one
// about a method that does not exist.
func (q policyQuestion) check(p *policy.Policy, given func(flag string) bool) error {
	known := policyWords()
	names := []string{}
	for _, c := range p.Callers() {
		names = append(names, c.Name)
	}
	if _, ok := p.Anonymous(); ok {
		names = append(names, policy.AnonymousName)
	}
	oneOf := func(flag, value string, words []string) error {
		if !given(flag) || slices.Contains(words, value) {
			return nil
		}
		return fmt.Errorf("--%s: %q is not one of %s", flag, value, strings.Join(words, ", "))
	}
	problems := []error{
		oneOf("caller", q.caller, names),
		oneOf("method", q.method, known.Methods),
		oneOf("body-format", q.bodyFormat, known.BodyFormats),
	}
	if !given("caller") {
		problems = append(problems, errors.New("--caller is required: who it is that asks, of "+strings.Join(names, ", ")))
	}
	if !slices.ContainsFunc([]string{"method", "body-format", "space", "page", "attachment-bytes", "cql"}, given) {
		problems = append(problems, errors.New("there is nothing to decide; add --method, --space or another flag that says what the caller does"))
	}
	for _, flag := range []string{"ancestor", "label", "restricted"} {
		if given(flag) && !given("page") {
			problems = append(problems, fmt.Errorf("--%s says something of a page; add --page", flag))
		}
	}
	if given("page") && !given("space") {
		problems = append(problems, errors.New("--page is read in some space; add --space"))
	}
	return errors.Join(problems...)
}

func (q policyQuestion) ask(p *policy.Policy, given func(flag string) bool) []policyAnswer {
	c, _ := p.Named(q.caller)
	var answers []policyAnswer
	answer := func(asked bool, question string, d policy.Decision) {
		if asked {
			answers = append(answers, policyAnswer{Question: question, Allowed: d.Allowed, Rule: d.Rule})
		}
	}
	answer(given("method"), "call "+q.method, c.Method(q.method))
	answer(q.cql, "search by CQL", c.CQL())
	answer(given("body-format"), "have a body as "+q.bodyFormat, c.BodyFormat(q.bodyFormat))
	answer(given("attachment-bytes"), fmt.Sprintf("have an attachment of %d bytes", q.bytes), c.AttachmentSize(q.bytes))
	answer(given("space") && !given("page"), "read in space "+q.space, c.Space(q.space))
	answer(given("page"), "read page "+q.page+" in space "+q.space, c.Content(policy.Content{
		SpaceKey: q.space, ID: q.page, AncestorIDs: q.ancestors, Labels: q.labels, Restricted: q.restricted,
		Known: policy.Facts{Ancestors: true, Labels: true, Restrictions: true},
	}))
	return answers
}

func printAnswers(w io.Writer, answers []policyAnswer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range answers {
		word := "allowed"
		if !a.Allowed {
			word = "DENIED"
		}
		row(table, word, a.Question, a.Rule)
	}
	return table.Flush()
}
