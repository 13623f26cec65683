package markdown

import "regexp"

// References is what a body refers to.
type References struct {
	Attachments []AttachmentRef
	// Pages are pages and blog posts that are linked or included.
	Pages []PageRef
	// Spaces are the keys of linked spaces.
	Spaces []string
	// Accounts are the account ids of people who are mentioned. Bodies from before
	// account ids hold user keys or names instead, which Confluence Cloud can no
	// longer look up; those are not listed.
	Accounts []string
	JiraKeys []string
	// Addresses are those that links lead to, as they stand there. Which of them
	// are pages of the site is for the caller to know.
	Addresses []string
	// Comments are the places that inline comments are tied to.
	Comments []CommentRef
}

// AttachmentRef names a file. Storage format knows names, ADF knows file ids.
type AttachmentRef struct {
	FileName string
	FileID   string
	// Page is the file's owner; zero is the page of the body itself. ADF names the
	// owner by id, and so does it where that is the page itself.
	Page PageRef
}

// PageRef names a page or blog post, by ID or by title.
type PageRef struct {
	ID       string
	SpaceKey string // empty: the space of the body's own page
	Title    string
	// PostingDay is the day of a blog post, as 2026/03/01. Empty for pages.
	PostingDay string
}

// CommentRef is a stretch of text that an inline comment is about.
type CommentRef struct {
	// Ref is what the comment's own record calls the place.
	Ref  string
	Text string
}

// referenceSet gathers references, each once.
type referenceSet struct {
	list References
	seen map[target]bool
}

// issueAddress finds the key in an address at which Jira shows an issue.
var issueAddress = regexp.MustCompile(`(?:/browse/|[?&]selectedIssue=)([A-Z][A-Z0-9_]+-[1-9][0-9]*)(?:[/?&#]|$)`)

func issueKey(address string) string {
	if found := issueAddress.FindStringSubmatch(address); found != nil {
		return found[1]
	}
	return ""
}

func (r *referenceSet) note(t target) {
	t.anchor, t.title = "", ""
	if r.seen[t] {
		return
	}
	if r.seen == nil {
		r.seen = make(map[target]bool)
	}
	r.seen[t] = true
	switch {
	case t.attachment != AttachmentRef{}:
		r.list.Attachments = append(r.list.Attachments, t.attachment)
		if t.attachment.FileID == "" { // else it is mostly the page itself
			r.note(target{page: t.attachment.Page})
		}
	case t.page != PageRef{}:
		r.list.Pages = append(r.list.Pages, t.page)
	case t.space != "":
		r.list.Spaces = append(r.list.Spaces, t.space)
	case t.account != "":
		r.list.Accounts = append(r.list.Accounts, t.account)
	case t.jira != "":
		r.list.JiraKeys = append(r.list.JiraKeys, t.jira)
	case t.url != "":
		r.list.Addresses = append(r.list.Addresses, t.url)
		r.note(target{jira: issueKey(t.url)})
	}
}
