package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/markdown"
)

// maxConverted bounds what convert reads: far more than Confluence takes for one
// page.
const maxConverted = 64 << 20

type convertFlags struct{ from, to string }

func convertCommand() *cobra.Command {
	var flags convertFlags
	cmd := &cobra.Command{
		Use:   "convert --from {storage | adf} [--to {markdown | text}]",
		Short: "a page body as Markdown or plain text, without a broker",
		Long: `convert reads a page body from stdin and writes it to stdout as GitHub-flavoured
Markdown or plain text, the way GetPage does. What the output lacks goes to
stderr, one JSON object a line. It asks nobody: links lead to addresses made of
what the body says.`,
		Example: "  confluence-broker convert --from storage <page.xml >page.md",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(); err != nil {
				return usageError(err)
			}
			result, err := flags.convert(cmd.InOrStdin())
			if err != nil {
				return err
			}
			return printResult(cmd.OutOrStdout(), cmd.ErrOrStderr(), result)
		},
	}
	cmd.Flags().StringVar(&flags.from, "from", "", "`FORMAT` of the input: storage or adf")
	cmd.Flags().StringVar(&flags.to, "to", "markdown", "`FORMAT` of the output: markdown or text")
	return cmd
}

func (f convertFlags) check() error {
	var problems []error
	if f.from != "storage" && f.from != "adf" {
		problems = append(problems, fmt.Errorf("--from must be storage or adf, not %q", f.from))
	}
	if f.to != "markdown" && f.to != "text" {
		problems = append(problems, fmt.Errorf("--to must be markdown or text, not %q", f.to))
	}
	return errors.Join(problems...)
}

func (f convertFlags) convert(input io.Reader) (markdown.Result, error) {
	body, err := io.ReadAll(io.LimitReader(input, maxConverted+1))
	if err != nil {
		return markdown.Result{}, err
	}
	if len(body) > maxConverted {
		return markdown.Result{}, fmt.Errorf("the input is longer than %d bytes", maxConverted)
	}
	var doc *markdown.Document
	if f.from == "adf" {
		if doc, err = markdown.ParseADF(string(body)); err != nil {
			return markdown.Result{}, err
		}
	} else {
		doc = markdown.ParseStorage(string(body))
	}
	if f.to == "text" {
		return doc.Text(markdown.Resolver{}), nil
	}
	return doc.Markdown(markdown.Resolver{}), nil
}

// printResult writes warnings before the text: a pipe that is closed early must
// not hide them.
func printResult(stdout, stderr io.Writer, result markdown.Result) error {
	lines := json.NewEncoder(stderr)
	lines.SetEscapeHTML(false)
	for _, warning := range result.Warnings {
		if err := lines.Encode(warning); err != nil {
			return err
		}
	}
	_, err := io.WriteString(stdout, result.Text)
	return err
}
