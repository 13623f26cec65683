package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

type getPageFlags struct {
	space, title, format string
	version              int32
	ages                 ageFlags
	json, markdown       bool
}

func getPageCommand(env environment) *cobra.Command {
	var flags getPageFlags
	cmd := &cobra.Command{
		Use:   "page {ID | ADDRESS | --space KEY --title TITLE}",
		Short: "a page, by id, by its address, or by space and title",
		Example: `  confluence-broker get page 1001
  confluence-broker get page https://acme.example/wiki/spaces/DOC/pages/1001 --format view
  confluence-broker get page 1001 --markdown
  confluence-broker get page --space DOC --title "Run Book" --format none`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.markdown && cmd.Flags().Changed("format") {
				return usageError(errors.New("--markdown and --format both name a format; one is enough"))
			}
			req, err := flags.request(args)
			if err != nil {
				return usageError(err)
			}
			return withBroker(cmd, env, func(ctx context.Context, broker brokerv1.BrokerServiceClient) error {
				resp, err := broker.GetPage(ctx, req)
				if err != nil {
					return err
				}
				printWarnings(cmd.ErrOrStderr(), resp.GetWarnings())
				if flags.json {
					return printJSON(cmd.OutOrStdout(), resp)
				}
				return printPage(cmd.OutOrStdout(), resp.GetPage())
			})
		},
	}
	cmd.Flags().StringVar(&flags.space, "space", "", "`KEY` of the page's space, with --title")
	cmd.Flags().StringVar(&flags.title, "title", "", "`TITLE` of the page, with --space")
	cmd.Flags().StringVar(&flags.format, "format", "storage", "`FORMAT` of the body: "+strings.Join(enumWords(brokerv1.BodyFormat_value, "BODY_FORMAT_"), ", "))
	cmd.Flags().BoolVar(&flags.markdown, "markdown", false, "the same as --format markdown")
	cmd.Flags().Int32Var(&flags.version, "version", 0, "`NUMBER` of an old version; 0 is the current one")
	flags.ages.add(cmd)
	cmd.Flags().BoolVar(&flags.json, "json", false, "print the answer as one line of JSON")
	return cmd
}

// request chooses the way of naming the page: an address has a slash, an id has
// not. What is no id is the broker's to refuse.
func (f getPageFlags) request(args []string) (*brokerv1.GetPageRequest, error) {
	if f.markdown {
		f.format = "markdown"
	}
	format, err := enumValue(brokerv1.BodyFormat_value, "BODY_FORMAT_", f.format)
	if err != nil {
		return nil, fmt.Errorf("--format: %w", err)
	}
	req := &brokerv1.GetPageRequest{BodyFormat: brokerv1.BodyFormat(format), Version: f.version}
	req.MaxAge, req.MaxStale = f.ages.messages()
	byTitle := f.space != "" || f.title != ""
	switch {
	case byTitle == (len(args) == 1):
		return nil, errors.New("name the page in one way: by id, by address, or by --space and --title")
	case byTitle:
		req.Page = &brokerv1.GetPageRequest_Title_{Title: &brokerv1.GetPageRequest_Title{SpaceKey: f.space, Title: f.title}}
	case strings.Contains(args[0], "/"):
		req.Page = &brokerv1.GetPageRequest_Url{Url: args[0]}
	default:
		req.Page = &brokerv1.GetPageRequest_PageId{PageId: args[0]}
	}
	return req, nil
}

func printPage(w io.Writer, page *brokerv1.Page) error {
	version := page.GetVersion()
	place := page.GetStatus() + " page " + page.GetId()
	if key := page.GetSpaceKey(); key != "" {
		place += " in space " + key
	}
	fmt.Fprintf(w, "%s\n%s\n%s, version %d of %s\n", printable(page.GetTitle()), printable(page.GetWebUrl()), printable(place),
		version.GetNumber(), version.GetCreateTime().AsTime().UTC().Format(time.DateTime+" UTC"))
	if page.GetBody() == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", page.GetBody().GetValue())
	return err
}
