package markdown

import (
	"net/url"
	"strings"
)

// Resolver holds what is known of the things that a body refers to. The zero
// Resolver knows nothing; addresses then are relative and made of what the body
// says. A Resolver is only read, so that it may be shared.
type Resolver struct {
	// SiteURL is put before addresses that are relative to the site, such as
	// https://acme.example. Empty leaves them relative.
	SiteURL string
	// JiraURL is where issues are looked at, such as https://acme.example. Empty
	// means that issue keys are no links.
	JiraURL string
	// PageID and SpaceKey are of the page whose body it is.
	PageID, SpaceKey string

	Pages map[PageRef]Page
	// Links holds what is known of pages by the address that leads to them, as
	// References.Addresses has it. Cards are called by it.
	Links       map[string]Page
	Attachments map[AttachmentRef]Attachment
	// Users holds display names by account id.
	Users map[string]string
}

// Page is what is known of a page. Empty fields are not known.
type Page struct{ Title, URL string }

// Attachment is what is known of a file. Empty fields are not known.
type Attachment struct{ FileName, URL string }

// safeSchemes are those of addresses that lead somewhere and run nothing.
var safeSchemes = map[string]bool{
	"http": true, "https": true, "ftp": true, "ftps": true, "sftp": true, "mailto": true, "tel": true, "sms": true,
	"callto": true, "sip": true, "sips": true, "xmpp": true, "irc": true, "ircs": true, "news": true, "geo": true,
	"ssh": true, "git": true, "skype": true, "slack": true, "msteams": true, "zoommtg": true,
}

// safe returns an address that came with the page, made absolute where it is
// relative to the site; "" if it must not become a link.
func (r *Resolver) safe(address string) string {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	colon := strings.IndexByte(address, ':')
	if colon >= 0 && !strings.ContainsAny(address[:colon], "/?#") {
		// Browsers skip line breaks and tabs inside a scheme, so a scheme is read
		// by letters alone, and one that is not known is none.
		if !safeSchemes[strings.ToLower(address[:colon])] {
			return ""
		}
		return address
	}
	if strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") {
		return r.site(address)
	}
	return address
}

func (r *Resolver) site(path string) string { return strings.TrimRight(r.SiteURL, "/") + path }

// address returns where a target is, or "" if it can be no link.
func (r *Resolver) address(t *target) string {
	var base string
	switch {
	case t.url != "":
		base = r.safe(t.url)
	case t.attachment != AttachmentRef{}:
		base = r.attachmentAddress(t.attachment)
	case t.page != PageRef{}:
		base = r.pageAddress(t.page)
	case t.space != "":
		base = r.site("/wiki/spaces/" + segment(t.space))
	case t.account != "":
		base = r.site("/wiki/people/" + segment(t.account))
	case t.jira != "" && r.JiraURL != "":
		base = strings.TrimRight(r.JiraURL, "/") + "/browse/" + segment(t.jira)
	}
	if t.anchor != "" && (base != "" || *t == target{anchor: t.anchor, title: t.title}) {
		base += "#" + url.PathEscape(t.anchor)
	}
	return base
}

func (r *Resolver) pageAddress(p PageRef) string {
	if known := r.safe(r.Pages[p].URL); known != "" {
		return known
	}
	if p.ID != "" {
		return r.site("/wiki/pages/viewpage.action?pageId=" + url.QueryEscape(p.ID))
	}
	// Confluence finds a page by its title at this address, whatever characters
	// the title has.
	query := "title=" + url.QueryEscape(p.Title)
	if key := r.spaceOf(p); key != "" {
		query = "spaceKey=" + url.QueryEscape(key) + "&" + query
	}
	if p.PostingDay != "" {
		query += "&postingDay=" + url.QueryEscape(p.PostingDay)
	}
	return r.site("/wiki/pages/viewpage.action?" + query)
}

func (r *Resolver) spaceOf(p PageRef) string {
	if p.SpaceKey != "" {
		return p.SpaceKey
	}
	return r.SpaceKey
}

func (r *Resolver) attachmentAddress(a AttachmentRef) string {
	if known := r.safe(r.Attachments[a].URL); known != "" {
		return known
	}
	name := firstOf(r.Attachments[a].FileName, a.FileName, a.FileID)
	owner := a.Page.ID
	if a.Page == (PageRef{}) {
		owner = r.PageID
	}
	if owner != "" {
		return r.site("/wiki/download/attachments/" + segment(owner) + "/" + segment(name))
	}
	// Without ids an address can only say what is meant: the file, and its owner
	// if that is another page.
	path := "attachments"
	for _, part := range []string{a.Page.SpaceKey, a.Page.Title, name} {
		if part != "" {
			path += "/" + segment(part)
		}
	}
	return path
}

// label returns the name that a page, file or person has, or "" if none is known.
func (r *Resolver) label(t *target) string {
	switch {
	case t.attachment != AttachmentRef{}:
		return firstOf(r.Attachments[t.attachment].FileName, t.attachment.FileName)
	case t.page != PageRef{}:
		return firstOf(r.Pages[t.page].Title, t.page.Title)
	case t.account != "" && r.Users[t.account] != "":
		return "@" + strings.TrimPrefix(r.Users[t.account], "@")
	}
	return r.Links[t.url].Title
}

// segment writes a text as one part of a path. Dots alone would lead elsewhere.
func segment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
