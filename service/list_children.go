package service

import (
	"context"
	"slices"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	standardChildren = 50
	maxChildren      = 250 // Confluence's own limit
)

// ListChildren lists what lies directly below a page, folder or the like.
func (s *service) ListChildren(ctx context.Context, req *brokerv1.ListChildrenRequest) (*brokerv1.ListChildrenResponse, error) {
	r := readerOf(ctx)
	binding := listing(r.name(), req)
	ask, err := s.checkListChildren(req, binding)
	if err != nil {
		return nil, err
	}
	ask.Tolerance = s.tolerance(ctx, req, min(s.maxAge, maxListingAge))
	parent, err := s.mayRead(ctx, ask.ParentType, ask.ParentID, s.maxAge)
	if err != nil {
		return nil, err
	}
	s.audit.note(ctx, ask.ParentType, ask.ParentID, parent.SpaceKey, r.at(ask.ParentID, parent))
	resp := &brokerv1.ListChildrenResponse{}
	noteAsked(ctx, ask.Tolerance)
	var fresh confluenceclient.Freshness
	pagesOnly := false
	fill := filling{size: ask.Limit, patience: 1}
	for {
		page, err := s.client.Children(ctx, ask)
		if err != nil {
			return nil, blame(err, pagedField(req.GetPageToken(), "parent_id"))
		}
		fresh = older(fresh, page.Freshness)
		shown, err := s.visibleChildren(ctx, ask.ParentID, parent, page.Children)
		if err != nil {
			return nil, err
		}
		for _, child := range shown {
			resp.Children = append(resp.Children, childMessage(child))
		}
		if r.seesAll() { // what is not current is absent to others
			resp.Warnings = append(resp.Warnings, omitted(page.Omitted)...)
		}
		pagesOnly = pagesOnly || page.PagesOnly
		ask.Cursor, ask.Limit = page.Next, fill.size-len(resp.Children)
		if !fill.goesOn(len(resp.Children), len(page.Children)-len(shown), page.Next) {
			break
		}
	}
	resp.Warnings = append(resp.Warnings, smaller(ask.Cursor, fill.size)...)
	var warnings []*brokerv1.Warning
	resp.Stale, resp.AsOfTime, warnings = tell(ctx, fresh)
	resp.Warnings = append(resp.Warnings, warnings...)
	if pagesOnly {
		resp.Warnings = append(resp.Warnings, warning(brokerv1.WarningCode_WARNING_CODE_LISTING_INCOMPLETE, req.GetParentId(),
			"only pages are listed, without folders, whiteboards, databases and embeds: the broker's token lacks the scope %s", scopesForChildren()))
	}
	resp.NextPageToken, err = s.tokens.seal(ask.Cursor, binding)
	return resp, err
}

func (s *service) checkListChildren(req *brokerv1.ListChildrenRequest, binding []byte) (confluenceclient.ChildrenRequest, error) {
	var v violations
	v.contentID("parent_id", req.GetParentId())
	v.ages(req)
	parent := req.GetParentType()
	if parent == brokerv1.ContentType_CONTENT_TYPE_UNSPECIFIED {
		parent = brokerv1.ContentType_CONTENT_TYPE_PAGE
	}
	ask := confluenceclient.ChildrenRequest{
		ParentType: contentTypes[parent], ParentID: req.GetParentId(),
		Limit: v.pageSize(req.GetPageSize(), standardChildren, maxChildren),
	}
	if !slices.Contains([]confluenceclient.ContentType{
		confluenceclient.TypePage, confluenceclient.TypeFolder, confluenceclient.TypeWhiteboard,
		confluenceclient.TypeDatabase, confluenceclient.TypeEmbed,
	}, ask.ParentType) {
		v.add("parent_type", "%s has no children in the content tree; page, folder, whiteboard, database and embed have", parent)
	}
	ask.Cursor = s.pageToken(&v, req.GetPageToken(), binding)
	return ask, v.err()
}

// pageToken opens a request's page token.
func (s *service) pageToken(v *violations, token string, binding []byte) confluenceclient.Cursor {
	cursor, err := s.tokens.open(token, binding)
	if err != nil {
		v.add("page_token", "%v", err)
	}
	return cursor
}

// pagedField is the field to blame when Confluence refuses a listing: once the
// first page has come, only the token can be at fault.
func pagedField(token, field string) string {
	if token != "" {
		return "page_token"
	}
	return field
}

// scopesForChildren is what the complete listing of a page's children needs.
func scopesForChildren() string {
	needs := confluenceclient.Needs()
	i := slices.IndexFunc(needs, func(n confluenceclient.Need) bool { return n.RPC == "ListChildren" })
	return needs[i].AnyOf[0].Scopes()
}
