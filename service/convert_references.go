package service

import (
	"cmp"
	"slices"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/markdown"
)

// referred is what a body refers to, with the addresses that lead into the site
// read.
type referred struct {
	markdown.References
	page  string // the id of the page itself
	links []siteLink
}

// siteLink is an address in a body that names something of the site.
type siteLink struct {
	address string
	to      confluenceclient.Address
}

func (s *service) referred(w words) referred {
	r := referred{References: w.body.refs, page: w.page.ID}
	for _, address := range r.Addresses {
		if to, err := s.client.ParseAddress(address); err == nil {
			r.links = append(r.links, siteLink{address, to})
		}
	}
	return r
}

// allPages are those that are linked and the others that own files.
func (r referred) allPages() []markdown.PageRef {
	pages := slices.Clone(r.Pages)
	for _, file := range r.Attachments {
		if !r.own(file) {
			pages = append(pages, file.Page)
		}
	}
	return pages
}

// own tells whether a file is attached to the page itself.
func (r referred) own(file markdown.AttachmentRef) bool {
	return file.Page == markdown.PageRef{} || file.Page.ID == r.page
}

// message tells each thing once.
func (r referred) message(known markdown.Resolver) *brokerv1.References {
	out := &brokerv1.References{SpaceKeys: slices.Clone(r.Spaces), AccountIds: r.Accounts, JiraKeys: r.JiraKeys}
	listed := map[markdown.PageRef]bool{} // by id, or else by title, or else by space
	for _, key := range r.Spaces {
		listed[markdown.PageRef{SpaceKey: key}] = true
	}
	for _, ref := range r.Pages {
		listed[pageKey(ref)] = true
		out.Pages = append(out.Pages, pageReference(ref, known))
	}
	for _, link := range r.links {
		ref := markdown.PageRef{ID: link.to.ID, SpaceKey: link.to.SpaceKey, Title: link.to.Title}
		if listed[pageKey(ref)] {
			continue
		}
		listed[pageKey(ref)] = true
		switch {
		case ref.ID == "" && ref.Title == "":
			out.SpaceKeys = append(out.SpaceKeys, ref.SpaceKey)
		case link.to.Type == confluenceclient.TypePage || link.to.Type == confluenceclient.TypeBlogPost:
			page := pageReference(ref, known)
			page.Title = cmp.Or(known.Links[link.address].Title, page.GetTitle())
			out.Pages = append(out.Pages, page)
		}
	}
	for _, ref := range r.Attachments {
		file := &brokerv1.AttachmentReference{FileName: ref.FileName, FileId: ref.FileID}
		if file.FileName == "" {
			file.FileName = known.Attachments[ref].FileName
		}
		if !r.own(ref) {
			file.Page = pageReference(ref.Page, known)
		}
		out.Attachments = append(out.Attachments, file)
	}
	for _, ref := range r.Comments {
		out.Comments = append(out.Comments, &brokerv1.CommentReference{Ref: ref.Ref, Text: ref.Text})
	}
	return out
}

// pageKey is what two references to one page share.
func pageKey(ref markdown.PageRef) markdown.PageRef {
	if ref.ID != "" {
		return markdown.PageRef{ID: ref.ID}
	}
	return ref
}

func pageReference(ref markdown.PageRef, known markdown.Resolver) *brokerv1.PageReference {
	title := ref.Title
	if title == "" {
		title = known.Pages[ref].Title
	}
	return &brokerv1.PageReference{PageId: ref.ID, SpaceKey: ref.SpaceKey, Title: title}
}
