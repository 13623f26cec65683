package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

const searchOrderPrefix = "SEARCH_ORDER_"

type getSearchFlags struct {
	cql                   string
	spaces, types, labels []string
	after, before, order  string
	paging                pagingFlags
}

func getSearchCommand(env environment) *cobra.Command {
	var flags getSearchFlags
	cmd := &cobra.Command{
		Use:   "search {WORDS... | --cql CQL}",
		Short: "content, by plain words or by CQL",
		Example: `  confluence-broker get search restart --space DOC
  confluence-broker get search --cql 'type = page and label = runbook' --order modified-time-desc`,
		RunE: func(cmd *cobra.Command, words []string) error {
			req, err := flags.request(words)
			for _, name := range []string{"space", "type", "label"} {
				if list, _ := cmd.Flags().GetStringSlice(name); cmd.Flags().Changed(name) && len(list) == 0 {
					err = fmt.Errorf("--%s is empty, which would search everywhere; leave it out if that is meant", name)
				}
			}
			if err != nil {
				return usageError(err)
			}
			return withBroker(cmd, env, func(ctx context.Context, broker brokerv1.BrokerServiceClient) error {
				return search(ctx, cmd, broker, req, flags.paging)
			})
		},
	}
	cmd.Flags().StringVar(&flags.cql, "cql", "", "`CQL` expression, in place of words")
	cmd.Flags().StringSliceVar(&flags.spaces, "space", nil, "only content of the space with this `KEY`; may be repeated")
	cmd.Flags().StringSliceVar(&flags.types, "type", nil, "only content of this `TYPE`, such as page or blog-post; may be repeated")
	cmd.Flags().StringSliceVar(&flags.labels, "label", nil, "only content with this `LABEL`; may be repeated")
	cmd.Flags().StringVar(&flags.after, "modified-after", "", "only content changed at or after this `TIME`, such as 2026-01-31T08:00:00Z")
	cmd.Flags().StringVar(&flags.before, "modified-before", "", "only content changed before this `TIME`")
	cmd.Flags().StringVar(&flags.order, "order", "", "`ORDER`: "+strings.Join(enumWords(brokerv1.SearchOrder_value, searchOrderPrefix), ", ")+" (default: by relevance)")
	flags.paging.add(cmd)
	return cmd
}

func (f getSearchFlags) request(words []string) (*brokerv1.SearchRequest, error) {
	req := &brokerv1.SearchRequest{SpaceKeys: f.spaces, Labels: f.labels, PageSize: f.paging.size, PageToken: f.paging.token}
	req.MaxAge, req.MaxStale = f.paging.ages.messages()
	switch {
	case (f.cql == "") == (len(words) == 0):
		return nil, errors.New("say what to search for in one way: by words or by --cql")
	case f.cql != "":
		req.Query = &brokerv1.SearchRequest_Cql{Cql: f.cql}
	default:
		req.Query = &brokerv1.SearchRequest_Text{Text: strings.Join(words, " ")}
	}
	for _, word := range f.types {
		kind, err := enumValue(brokerv1.ContentType_value, contentTypePrefix, word)
		if err != nil {
			return nil, fmt.Errorf("--type: %w", err)
		}
		req.Types = append(req.Types, brokerv1.ContentType(kind))
	}
	if f.order != "" {
		order, err := enumValue(brokerv1.SearchOrder_value, searchOrderPrefix, f.order)
		if err != nil {
			return nil, fmt.Errorf("--order: %w", err)
		}
		req.OrderBy = brokerv1.SearchOrder(order)
	}
	after, errAfter := instant("--modified-after", f.after)
	before, errBefore := instant("--modified-before", f.before)
	req.ModifiedAfter, req.ModifiedBefore = after, before
	return req, errors.Join(errAfter, errBefore)
}

// instant reads a time that says its zone; a day means its beginning in UTC.
func instant(flag, value string) (*timestamppb.Timestamp, error) {
	if value == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return timestamppb.New(t), nil
		}
	}
	return nil, fmt.Errorf("%s: %q is not a time with its zone, such as 2026-01-31T08:00:00Z", flag, value)
}

func search(ctx context.Context, cmd *cobra.Command, broker brokerv1.BrokerServiceClient, req *brokerv1.SearchRequest, paging pagingFlags) error {
	return paging.walk(cmd, func(token string, table io.Writer) (string, error) {
		req.PageToken = token
		resp, err := broker.Search(ctx, req)
		if err != nil {
			return "", err
		}
		printWarnings(cmd.ErrOrStderr(), resp.GetWarnings())
		if paging.json {
			return resp.GetNextPageToken(), printJSON(cmd.OutOrStdout(), resp)
		}
		for _, hit := range resp.GetResults() {
			row(table, hit.GetId(), enumWord(hit.GetType(), contentTypePrefix), hit.GetSpaceKey(), day(hit.GetModifiedTime()), hit.GetTitle())
		}
		return resp.GetNextPageToken(), nil
	})
}

func day(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Format(time.DateOnly)
}
