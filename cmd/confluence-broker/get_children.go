package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

const contentTypePrefix = "CONTENT_TYPE_"

// pagingFlags are shared by the listings.
type pagingFlags struct {
	size  int32
	token string
	all   bool
	json  bool
	ages  ageFlags
}

func (f *pagingFlags) add(cmd *cobra.Command) {
	cmd.Flags().Int32Var(&f.size, "page-size", 0, "most `ITEMS` in one answer; 0 leaves it to the broker")
	cmd.Flags().StringVar(&f.token, "page-token", "", "`TOKEN` of the answer before")
	cmd.Flags().BoolVar(&f.all, "all", false, "follow the tokens to the end")
	cmd.Flags().BoolVar(&f.json, "json", false, "print each answer as one line of JSON")
	f.ages.add(cmd)
}

// walk calls next, with the token for it, once or with --all to the end, and
// lines up the rows that it wrote, also when a later call fails. Where a listing
// stops before its end, stderr says how to go on.
func (f *pagingFlags) walk(cmd *cobra.Command, next func(token string, table io.Writer) (string, error)) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	token, err := next(f.token, table)
	for f.all && err == nil && token != "" {
		token, err = next(token, table)
	}
	if err := errors.Join(err, table.Flush()); err != nil {
		return err
	}
	if token != "" && !f.json {
		fmt.Fprintf(cmd.ErrOrStderr(), "there are more: --all shows them, and --page-token %s the next ones\n", token)
	}
	return nil
}

func getChildrenCommand(env environment) *cobra.Command {
	var parentType string
	var paging pagingFlags
	cmd := &cobra.Command{
		Use:   "children ID",
		Short: "what lies directly below a page, folder, whiteboard, database or embed",
		Example: `  confluence-broker get children 1000
  confluence-broker get children 5005 --type folder --all`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := enumValue(brokerv1.ContentType_value, contentTypePrefix, parentType)
			if err != nil {
				return usageError(fmt.Errorf("--type: %w", err))
			}
			req := &brokerv1.ListChildrenRequest{ParentId: args[0], ParentType: brokerv1.ContentType(kind), PageSize: paging.size, PageToken: paging.token}
			req.MaxAge, req.MaxStale = paging.ages.messages()
			return withBroker(cmd, env, func(ctx context.Context, broker brokerv1.BrokerServiceClient) error {
				return listChildren(ctx, cmd, broker, req, paging)
			})
		},
	}
	cmd.Flags().StringVar(&parentType, "type", "page", "`TYPE` of the parent: page, folder, whiteboard, database or embed")
	paging.add(cmd)
	return cmd
}

func listChildren(ctx context.Context, cmd *cobra.Command, broker brokerv1.BrokerServiceClient, req *brokerv1.ListChildrenRequest, paging pagingFlags) error {
	return paging.walk(cmd, func(token string, table io.Writer) (string, error) {
		req.PageToken = token
		resp, err := broker.ListChildren(ctx, req)
		if err != nil {
			return "", err
		}
		printWarnings(cmd.ErrOrStderr(), resp.GetWarnings())
		if paging.json {
			return resp.GetNextPageToken(), printJSON(cmd.OutOrStdout(), resp)
		}
		for _, child := range resp.GetChildren() {
			row(table, child.GetId(), enumWord(child.GetType(), contentTypePrefix), child.GetStatus(), child.GetTitle())
		}
		return resp.GetNextPageToken(), nil
	})
}

// row writes one line of a table. Titles go last: their width is unknown.
func row(table io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	fmt.Fprintln(table, strings.Join(cells, "\t"))
}
