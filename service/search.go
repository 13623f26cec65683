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
	r := readerOf(ctx)
	if d := r.rules.CQL(); !d.Allowed && req.GetCql() != "" {
		s.audit.note(ctx, "", "", "", d)
		return nil, notAllowed("this caller may not word queries itself, and searches by text and filters", d)
	}
	binding := listing(r.name(), req)
	q, ask, err := s.checkSearch(req, binding)
	if err != nil {
		return nil, err
	}
	q, findsNothing, err := s.narrow(ctx, q, req.GetSpaceKeys())
	if err != nil {
		return nil, err
	}
	s.audit.call(ctx, outcomeAllowed, "")
	if findsNothing {
		return &brokerv1.SearchResponse{}, nil
	}
	ask.CQL, ask.Tolerance = q.String(), s.tolerance(ctx, req, min(s.maxAge, maxListingAge))
	noteAsked(ctx, ask.Tolerance)
	return s.search(ctx, req, ask, binding)
}

// search asks for pages of results until there is something to show.
func (s *service) search(ctx context.Context, req *brokerv1.SearchRequest, ask confluenceclient.SearchRequest, binding []byte) (*brokerv1.SearchResponse, error) {
	r, resp := readerOf(ctx), &brokerv1.SearchResponse{}
	var elsewhere int32
	var fresh confluenceclient.Freshness
	fill := filling{size: ask.Limit, patience: maxEmptyPages}
	for {
		page, err := s.client.Search(ctx, ask)
		if err != nil {
			return nil, blame(r.withoutQuery(err), pagedField(req.GetPageToken(), chosen(req, "query")))
		}
		fresh = older(fresh, page.Freshness)
		hits, err := s.visibleHits(ctx, page.Results)
		if err != nil {
			return nil, err
		}
		if r.seesAll() { // what is not current is absent to others
			resp.Warnings = append(resp.Warnings, omitted(page.Omitted)...)
		}
		if r.needs() == (confluenceclient.Facts{}) { // otherwise the query finds hidden content, too
			resp.EstimatedTotal = page.EstimatedTotal
		}
		for _, hit := range hits {
			if liesElsewhere(req, hit) {
				elsewhere++
				continue
			}
			sift(req, hit, resp)
		}
		ask.Cursor = page.Next
		if !fill.goesOn(len(resp.Results), len(page.Results)-len(hits), page.Next) {
			break
		}
		ask.Limit = fill.size - len(resp.Results)
	}
	resp.Warnings = append(resp.Warnings, smaller(ask.Cursor, fill.size)...)
	var warnings []*brokerv1.Warning
	resp.Stale, resp.AsOfTime, warnings = tell(ctx, fresh)
	resp.Warnings = append(resp.Warnings, warnings...)
	if elsewhere > 0 {
		resp.Warnings = append(resp.Warnings, leftElsewhere(elsewhere))
	}
	var err error
	resp.NextPageToken, err = s.tokens.seal(ask.Cursor, binding)
	return resp, err
}

// checkSearch returns the query that the caller asks for, and all else of what to
// ask.
func (s *service) checkSearch(req *brokerv1.SearchRequest, binding []byte) (query, confluenceclient.SearchRequest, error) {
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
	v.ages(req)
	ask := confluenceclient.SearchRequest{
		Limit:  v.pageSize(req.GetPageSize(), standardResults, maxResults),
		Cursor: s.pageToken(&v, req.GetPageToken(), binding),
	}
	return q, ask, v.err()
}
