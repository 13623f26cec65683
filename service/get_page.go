package service

import (
	"context"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// GetPage returns one page, by id, address, or space and title.
func (s *service) GetPage(ctx context.Context, req *brokerv1.GetPageRequest) (*brokerv1.GetPageResponse, error) {
	address, err := s.checkGetPage(req)
	if err != nil {
		return nil, err
	}
	want := s.tolerance(ctx, req, s.maxAge)
	format := req.GetBodyFormat()
	if format == brokerv1.BodyFormat_BODY_FORMAT_UNSPECIFIED {
		format = brokerv1.BodyFormat_BODY_FORMAT_STORAGE
	}
	if err := readerOf(ctx).formatAllowed(format); err != nil {
		return nil, err
	}
	noteAsked(ctx, want)
	id, err := s.findPage(ctx, address, want)
	if err != nil {
		return nil, blame(err, chosen(req, "page"))
	}
	opts := confluenceclient.PageOptions{Format: bodyFormats[format], Version: req.GetVersion(), MaxAge: want.MaxAge, MaxStale: want.MaxStale}
	var w words
	if isWords(format) {
		w, err = s.readWords(ctx, id, opts)
	} else {
		w.page, err = s.client.Page(ctx, id, opts)
	}
	if err != nil {
		return nil, blame(err, versioned(req.GetVersion(), chosen(req, "page")))
	}
	if err := s.pageAllowed(ctx, w.page); err != nil {
		return nil, err
	}
	if err := s.concealParent(ctx, w.page, want.MaxAge); err != nil {
		return nil, err
	}
	resp := &brokerv1.GetPageResponse{Page: pageMessage(w.page, format)}
	resp.Stale, resp.AsOfTime, resp.Warnings = tell(ctx, w.page.Freshness)
	if w.page.SpaceKey == "" {
		resp.Warnings = append(resp.Warnings, warning(brokerv1.WarningCode_WARNING_CODE_FIELD_UNAVAILABLE, "space_key",
			"Confluence's answer does not hold the space's key, and it could not be looked up; the scope read:space:confluence allows that"))
	}
	if isWords(format) {
		err = s.convert(ctx, w, format, want, resp)
	}
	return resp, err
}

// checkGetPage returns where the page is. An id comes back as an address too.
func (s *service) checkGetPage(req *brokerv1.GetPageRequest) (confluenceclient.Address, error) {
	var v violations
	var address confluenceclient.Address
	switch page := req.GetPage().(type) {
	case *brokerv1.GetPageRequest_PageId:
		v.contentID("page_id", page.PageId)
		address.ID = page.PageId
	case *brokerv1.GetPageRequest_Url:
		address = s.pageAddress(&v, page.Url)
	case *brokerv1.GetPageRequest_Title_:
		v.spaceKey("title.space_key", page.Title.GetSpaceKey())
		v.line("title.title", page.Title.GetTitle(), maxTitle)
		address.SpaceKey, address.Title = page.Title.GetSpaceKey(), page.Title.GetTitle()
	default:
		v.add("page", "is required: one of page_id, url and title")
	}
	v.notNegative("version", int64(req.GetVersion()))
	v.ages(req)
	if _, known := brokerv1.BodyFormat_name[int32(req.GetBodyFormat())]; !known {
		v.add("body_format", "%d is not a body format", req.GetBodyFormat())
	}
	return address, v.err()
}

// pageAddress reads an address that must lead to a page.
func (s *service) pageAddress(v *violations, raw string) confluenceclient.Address {
	if len(raw) > maxURL {
		v.add("url", "is longer than %d bytes", maxURL)
		return confluenceclient.Address{}
	}
	address, err := s.client.ParseAddress(raw)
	if err != nil {
		v.add("url", "%v", err)
		return address
	}
	switch address.Type {
	case confluenceclient.TypePage, "":
		if address.ID == "" {
			v.spaceKey("url", address.SpaceKey)
		}
		if address.Title != "" {
			v.line("url", address.Title, maxTitle)
		}
	case confluenceclient.TypeFolder, confluenceclient.TypeWhiteboard, confluenceclient.TypeDatabase, confluenceclient.TypeEmbed:
		v.add("url", "is the address of a %s, which is no page; ListChildren with parent_id %s and parent_type %s lists what is below it",
			address.Type, address.ID, contentType(address.Type))
	case confluenceclient.TypeAttachment:
		v.add("url", "is the address of an attachment; GetAttachment reads those")
	case confluenceclient.TypeBlogPost:
		v.add("url", "is the address of a blog post, and GetPage serves pages only; Search finds blog posts")
	default:
		v.add("url", "is the address of a %s, and GetPage serves pages only", address.Type)
	}
	return address
}
