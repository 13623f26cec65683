package service

import (
	"context"
	"slices"
	"strings"
	"time"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/markdown"
)

// isWords tells whether the broker makes the format itself.
func isWords(format brokerv1.BodyFormat) bool {
	return format == brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN || format == brokerv1.BodyFormat_BODY_FORMAT_TEXT
}

// words is a page whose body has been read for conversion.
type words struct {
	page   *confluenceclient.Page
	source brokerv1.BodyFormat // what the body is in
	doc    *markdown.Document
}

// readWords reads a page's storage format and, where that shows nothing, its
// ADF: pages made in the new editor have been seen with text there alone.
// Rendered views are never a source: they lose what authors wrote.
func (s *service) readWords(ctx context.Context, id string, opts confluenceclient.PageOptions) (words, error) {
	opts.Format = confluenceclient.FormatStorage
	page, err := s.client.Page(ctx, id, opts)
	if err != nil {
		return words{}, err
	}
	w := words{page: page, source: brokerv1.BodyFormat_BODY_FORMAT_STORAGE, doc: markdown.ParseStorage(page.Body)}
	if !w.doc.Empty() {
		return w, nil
	}
	opts.Format = confluenceclient.FormatADF
	page, err = s.client.Page(ctx, id, opts)
	if err != nil {
		return words{}, err
	}
	if strings.TrimSpace(page.Body) == "" {
		return w, nil
	}
	doc, err := markdown.ParseADF(page.Body)
	if err != nil {
		return words{}, &confluenceclient.Error{Cause: confluenceclient.CauseBadResponse, Message: "Confluence's ADF is not a JSON document", Err: err}
	}
	return words{page: page, source: brokerv1.BodyFormat_BODY_FORMAT_ADF, doc: doc}, nil
}

// convert puts the body into words, and tells what they lack and refer to.
func (s *service) convert(ctx context.Context, w words, format brokerv1.BodyFormat, resp *brokerv1.GetPageResponse) error {
	linked := s.linkedPages(w.doc.References().Addresses)
	resolver, warnings, err := s.resolver(ctx, w, linked)
	if err != nil {
		return err
	}
	write := w.doc.Markdown
	if format == brokerv1.BodyFormat_BODY_FORMAT_TEXT {
		write = w.doc.Text
	}
	result := write(resolver)
	resp.Page.Body = &brokerv1.Body{Format: format, Value: result.Text, Source: w.source}
	resp.References = references(w.doc.References(), linked, resolver)
	if w.doc.Empty() {
		warnings = append(warnings, warning(brokerv1.WarningCode_WARNING_CODE_BODY_EMPTY, "body", "the page has no text, neither in storage format nor in ADF"))
	}
	for _, loss := range result.Warnings {
		warnings = append(warnings, &brokerv1.Warning{
			Code: losses[loss.Code], Subject: loss.Construct, Message: loss.Message, Count: int32(loss.Count),
		})
	}
	resp.Warnings = append(resp.Warnings, warnings...)
	return nil
}

// losses pairs the kinds of loss with the API's names.
var losses = map[markdown.Code]brokerv1.WarningCode{
	markdown.Unsupported:        brokerv1.WarningCode_WARNING_CODE_UNSUPPORTED,
	markdown.DynamicContent:     brokerv1.WarningCode_WARNING_CODE_DYNAMIC_CONTENT,
	markdown.FormattingLost:     brokerv1.WarningCode_WARNING_CODE_FORMATTING_LOST,
	markdown.Flattened:          brokerv1.WarningCode_WARNING_CODE_FLATTENED,
	markdown.Unresolved:         brokerv1.WarningCode_WARNING_CODE_UNRESOLVED_REFERENCE,
	markdown.AnchorLost:         brokerv1.WarningCode_WARNING_CODE_ANCHOR_LOST,
	markdown.UnsafeLink:         brokerv1.WarningCode_WARNING_CODE_UNSAFE_LINK,
	markdown.Malformed:          brokerv1.WarningCode_WARNING_CODE_MALFORMED_SOURCE,
	markdown.LimitExceeded:      brokerv1.WarningCode_WARNING_CODE_NESTING_LIMITED,
	markdown.CharactersReplaced: brokerv1.WarningCode_WARNING_CODE_CHARACTERS_REPLACED,
}

// maxLookUpTime is the most that names may take. They get no more than half of
// what a caller has left: the page is there already.
const maxLookUpTime = 5 * time.Second

// resolver looks up, in a few bulk reads and only where the body has ids
// for which it has no names, what the words should say instead. A look-up that
// fails or takes too long costs names, not the page; only a caller that is gone
// ends the call.
func (s *service) resolver(ctx context.Context, w words, linked []linkedPage) (markdown.Resolver, []*brokerv1.Warning, error) {
	refs := w.doc.References()
	r := markdown.Resolver{
		SiteURL: s.client.SiteURL(), PageID: w.page.ID, SpaceKey: w.page.SpaceKey,
		Pages: map[markdown.PageRef]markdown.Page{}, Links: map[string]markdown.Page{}, Attachments: map[markdown.AttachmentRef]markdown.Attachment{},
	}
	most := maxLookUpTime
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)/2)
	}
	looking, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var people error
	r.Users, people = s.client.UserNames(looking, refs.Accounts)
	pages := s.resolvePages(looking, refs.Pages, linked, r)
	files := s.resolveFiles(looking, w.page.ID, refs.Attachments, r.Attachments)
	if err := ctx.Err(); err != nil {
		return r, nil, err
	}
	var warnings []*brokerv1.Warning
	for _, missed := range []struct {
		what string
		err  error
	}{{"people", people}, {"pages", pages}, {"files", files}} {
		if missed.err != nil {
			warnings = append(warnings, warning(brokerv1.WarningCode_WARNING_CODE_FIELD_UNAVAILABLE, missed.what,
				"names of %s could not be looked up: %s", missed.what, whyMissed(failureOf(looking, missed.err))))
		}
	}
	return r, warnings, nil
}

// whyMissed is a failure in the API's words alone, with the scopes that would
// help.
func whyMissed(f *failure) string {
	if f.cause == confluenceclient.CauseScopeMissing && f.op != nil {
		return f.reasonName() + ", the token lacks " + f.op.Scopes()
	}
	return f.reasonName()
}

// resolvePages finds the titles of pages that are named by id or by address
// alone. r's maps are filled.
func (s *service) resolvePages(ctx context.Context, refs []markdown.PageRef, linked []linkedPage, r markdown.Resolver) error {
	var ids []string
	for _, ref := range refs {
		if ref.ID != "" && ref.Title == "" {
			ids = append(ids, ref.ID)
		}
	}
	for _, link := range linked {
		ids = append(ids, link.page.ID)
	}
	slices.Sort(ids)
	pages, err := s.client.PageTitles(ctx, slices.Compact(ids))
	for _, ref := range refs {
		if page, ok := pages[ref.ID]; ok {
			r.Pages[ref] = markdown.Page{Title: page.Title, URL: page.WebURL}
		}
	}
	for _, link := range linked {
		if page, ok := pages[link.page.ID]; ok {
			r.Links[link.address] = markdown.Page{Title: page.Title}
		}
	}
	return err
}

// linkedPage is a page of the site that an address in a body names by its id.
type linkedPage struct {
	address string
	page    confluenceclient.Address
}

func (s *service) linkedPages(addresses []string) []linkedPage {
	var linked []linkedPage
	for _, address := range addresses {
		page, err := s.client.ParseAddress(address)
		if err == nil && page.Type == confluenceclient.TypePage && page.ID != "" {
			linked = append(linked, linkedPage{address: address, page: page})
		}
	}
	return linked
}

func (s *service) resolveFiles(ctx context.Context, pageID string, refs []markdown.AttachmentRef, known map[markdown.AttachmentRef]markdown.Attachment) error {
	nameless := func(ref markdown.AttachmentRef) bool {
		return ref.FileName == "" && ref.FileID != "" && ref.Page == markdown.PageRef{}
	}
	var names map[string]string
	for _, ref := range refs {
		if !nameless(ref) {
			continue
		}
		if names == nil {
			var err error
			if names, err = s.client.FileNames(ctx, pageID); err != nil {
				return err
			}
		}
		if name := names[ref.FileID]; name != "" {
			known[ref] = markdown.Attachment{FileName: name}
		}
	}
	return nil
}

func references(refs markdown.References, linked []linkedPage, r markdown.Resolver) *brokerv1.References {
	out := &brokerv1.References{SpaceKeys: refs.Spaces, AccountIds: refs.Accounts, JiraKeys: refs.JiraKeys}
	listed := map[string]bool{} // by id
	for _, ref := range refs.Pages {
		listed[ref.ID] = true
		out.Pages = append(out.Pages, pageReference(ref, r))
	}
	for _, link := range linked {
		if id := link.page.ID; !listed[id] {
			listed[id] = true
			out.Pages = append(out.Pages, &brokerv1.PageReference{PageId: id, SpaceKey: link.page.SpaceKey, Title: r.Links[link.address].Title})
		}
	}
	for _, ref := range refs.Attachments {
		file := &brokerv1.AttachmentReference{FileName: ref.FileName, FileId: ref.FileID}
		if file.FileName == "" {
			file.FileName = r.Attachments[ref].FileName
		}
		if ref.Page != (markdown.PageRef{}) {
			file.Page = pageReference(ref.Page, r)
		}
		out.Attachments = append(out.Attachments, file)
	}
	for _, ref := range refs.Comments {
		out.Comments = append(out.Comments, &brokerv1.CommentReference{Ref: ref.Ref, Text: ref.Text})
	}
	return out
}

func pageReference(ref markdown.PageRef, r markdown.Resolver) *brokerv1.PageReference {
	title := ref.Title
	if title == "" {
		title = r.Pages[ref].Title
	}
	return &brokerv1.PageReference{PageId: ref.ID, SpaceKey: ref.SpaceKey, Title: title}
}
