package service

import (
	"context"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	standardResults = 25
	maxResults      = 250

	// maxEmptyPages is how many pages of results in a row may be filtered away
	// to nothing before the caller gets an empty one with a token. Going on
	// spares it calls; going on for ever would be one call without an answer.
	maxEmptyPages = 5
)

// Search finds content by plain words or by CQL.
func (s *service) Search(ctx context.Context, req *brokerv1.SearchRequest) (*brokerv1.SearchResponse, error) {
	binding := listing(callerName(ctx), req)
	ask, err := s.checkSearch(req, binding)
	if err != nil {
		return nil, err
	}
	resp := &brokerv1.SearchResponse{}
	var elsewhere int32
	for range maxEmptyPages {
		page, err := s.client.Search(ctx, ask)
		if err != nil {
			return nil, blame(err, pagedField(req.GetPageToken(), chosen(req, "query")))
		}
		resp.EstimatedTotal = page.EstimatedTotal
		resp.Warnings = append(resp.Warnings, omitted(page.Omitted)...)
		for _, hit := range page.Results {
			if liesElsewhere(req, hit) {
				elsewhere++
				continue
			}
			sift(req, hit, resp)
		}
		ask.Cursor = page.Next
		if len(resp.Results) > 0 || page.Next.IsZero() {
			break
		}
	}
	if elsewhere > 0 {
		resp.Warnings = append(resp.Warnings, leftElsewhere(elsewhere))
	}
	resp.NextPageToken, err = s.tokens.seal(ask.Cursor, binding)
	return resp, err
}

func (s *service) checkSearch(req *brokerv1.SearchRequest, binding []byte) (confluenceclient.SearchRequest, error) {
	var v violations
	q := query{order: v.order(req), filters: v.filters(req)}
	switch asked := req.GetQuery().(type) {
	case *brokerv1.SearchRequest_Text:
		q.term = v.words("text", asked.Text)
	case *brokerv1.SearchRequest_Cql:
		var order string
		if q.term, order = v.cql("cql", asked.Cql); order != "" && q.order != "" {
			v.add("order_by", "is set and cql has ORDER BY as well; one of them is enough")
		} else if order != "" {
			q.order = order
		}
	default:
		v.add("query", "is required: one of text and cql")
	}
	ask := confluenceclient.SearchRequest{
		CQL: q.String(), Limit: v.pageSize(req.GetPageSize(), standardResults, maxResults),
		Cursor: s.pageToken(&v, req.GetPageToken(), binding),
	}
	return ask, v.err()
}
