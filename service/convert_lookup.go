package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/markdown"
)

// maxLookUpTime is the most that names may take. They get no more than half of
// what a caller has left: the page is there already.
const maxLookUpTime = 5 * time.Second

// resolver looks up, in a few bulk reads and only where the body has ids
// for which it has no names, what the words should say instead. A look-up that
// fails or takes too long costs names, not the page; only a caller that is gone
// ends the call.
func (s *service) resolver(ctx context.Context, page *confluenceclient.Page, refs referred, maxStale time.Duration) (markdown.Resolver, []*brokerv1.Warning, error) {
	r := markdown.Resolver{
		SiteURL: s.client.SiteURL(), PageID: page.ID, SpaceKey: page.SpaceKey,
		Pages: map[markdown.PageRef]markdown.Page{}, Links: map[string]markdown.Page{}, Attachments: map[markdown.AttachmentRef]markdown.Attachment{},
	}
	most := maxLookUpTime
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)/2)
	}
	looking, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var people error
	r.Users, people = s.client.UserNames(looking, refs.Accounts, maxStale)
	pages := s.resolvePages(looking, refs, r, maxStale)
	files := s.resolveFiles(looking, page.ID, refs.Attachments, r.Attachments, maxStale)
	// An old copy may be the answer just because the time for a new one has run out.
	if err := ctx.Err(); err != nil && page.Freshness.Source != confluenceclient.SourceStale {
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
func (s *service) resolvePages(ctx context.Context, refs referred, r markdown.Resolver, maxStale time.Duration) error {
	var ids []string
	for _, ref := range refs.allPages() {
		if ref.ID != "" && ref.Title == "" {
			ids = append(ids, ref.ID)
		}
	}
	for _, link := range refs.links {
		if link.to.Type == confluenceclient.TypePage && link.to.ID != "" {
			ids = append(ids, link.to.ID)
		}
	}
	slices.Sort(ids)
	pages, err := s.client.PageTitles(ctx, slices.Compact(ids), maxStale)
	if err == nil {
		pages, err = s.visiblePages(ctx, pages)
	}
	for _, ref := range refs.allPages() {
		if page, ok := pages[ref.ID]; ok {
			r.Pages[ref] = markdown.Page{Title: page.Title, URL: page.WebURL}
		}
	}
	for _, link := range refs.links {
		if page, ok := pages[link.to.ID]; ok {
			r.Links[link.address] = markdown.Page{Title: page.Title}
		}
	}
	return err
}

// maxOwners bounds the pages whose files are listed for one body. Files of others
// keep their ids.
const maxOwners = 20

// resolveFiles finds the names of files that are named by file id alone, page by
// page. A page whose files cannot be listed does not keep others from it; the
// first failure is returned.
func (s *service) resolveFiles(ctx context.Context, pageID string, refs []markdown.AttachmentRef, known map[markdown.AttachmentRef]markdown.Attachment, maxStale time.Duration) error {
	byOwner := map[string][]markdown.AttachmentRef{}
	var owners []string // in the order of the text
	for _, ref := range refs {
		owner := cmp.Or(ref.Page.ID, pageID)
		if ref.FileName != "" || ref.FileID == "" || ref.Page.Title != "" {
			continue
		}
		if byOwner[owner] == nil {
			owners = append(owners, owner)
		}
		byOwner[owner] = append(byOwner[owner], ref)
	}
	var first error
	for _, owner := range owners[:min(len(owners), maxOwners)] {
		if owner != pageID {
			if _, err := s.mayRead(ctx, confluenceclient.TypePage, owner, s.maxAge); err != nil {
				continue // its files are as absent as it is
			}
		}
		names, err := s.client.FileNames(ctx, owner, maxStale)
		first = cmp.Or(first, err)
		for _, ref := range byOwner[owner] {
			if name := names[ref.FileID]; name != "" {
				known[ref] = markdown.Attachment{FileName: name}
			}
		}
	}
	return first
}
