package confluencetest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Site is the content of a Confluence site with its accounts and tokens. It does
// not change once it is made, so many simulators may serve one at the same time;
// what changes while they run (a revoked token, a fault) is the simulator's.
type Site struct {
	cloudID  string
	spaces   []*space
	contents map[string]*content // by id; attachments by "att" and number
	ordered  []*content          // by number
	accounts map[string]*account // by name in the fixture
	tokens   []*token
	clients  []*oauthClient
}

type space struct {
	id, key, name string
	kind          string // global, personal, …
	status        string
	homepage      string
	created       time.Time
	author        *account
	labels        []string
}

// Types of content.
const (
	typePage       = "page"
	typeBlogPost   = "blogpost"
	typeFolder     = "folder"
	typeWhiteboard = "whiteboard"
	typeDatabase   = "database"
	typeEmbed      = "embed"
	typeComment    = "comment"
	typeAttachment = "attachment"
)

// content is anything that has an id and a title.
type content struct {
	id, kind, status, title string
	number                  uint64 // the id without "att"
	space                   *space
	parent                  *content // above it in the tree of its space; nil: at the top, or not in the tree
	container               *content // what an attachment or a comment is on
	children                []*content
	attachments, comments   []*content
	position                int
	labels                  []string
	viewers                 []*account // view restriction; nil: none
	versions                []*version // oldest first; the last is the current one
	purged                  bool       // gone for good: refused in words that tell nothing

	mediaType, fileID string // of attachments
	sizeUnknown       bool   // the description leaves fileSize out

	replyTo    *content // of comments
	selection  string   // text that an inline comment is about; empty: a footer comment
	resolution string   // of inline comments: open, resolved
	address    string   // of embeds
}

type version struct {
	number  int
	when    time.Time
	author  *account
	message string
	minor   bool
	body    body
	file    file
}

func (c *content) current() *version { return c.versions[len(c.versions)-1] }

func (c *content) versionNumbered(n int) *version {
	for _, v := range c.versions {
		if v.number == n {
			return v
		}
	}
	return nil
}

func (c *content) created() time.Time { return c.versions[0].when }
func (c *content) author() *account   { return c.versions[0].author }

// owner is the page, blog post or other thing in a space that c belongs to:
// itself, unless it is on something.
func (c *content) owner() *content {
	for c.container != nil {
		c = c.container
	}
	return c
}

// visibleTo tells whether the account may see c: its space, and every page
// above it, since a restriction holds for what lies below too.
func (c *content) visibleTo(a *account) bool {
	owner := c.owner()
	if !a.reads(owner.space) {
		return false
	}
	for at := owner; at != nil; at = at.parent {
		if at.viewers != nil && !slices.Contains(at.viewers, a) {
			return false
		}
	}
	return true
}

func (s *Site) spaceByKey(key string) *space {
	for _, sp := range s.spaces {
		if strings.EqualFold(sp.key, key) {
			return sp
		}
	}
	return nil
}

func (s *Site) spaceByID(id string) *space {
	for _, sp := range s.spaces {
		if sp.id == id {
			return sp
		}
	}
	return nil
}

// index links contents to one another and puts them in order. It is called once,
// when everything is there.
func (s *Site) index() {
	s.ordered = s.ordered[:0]
	for _, c := range s.contents {
		s.ordered = append(s.ordered, c)
	}
	slices.SortFunc(s.ordered, func(a, b *content) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.id, b.id))
	})
	for _, c := range s.ordered {
		switch {
		case c.kind == typeAttachment:
			c.container.attachments = append(c.container.attachments, c)
		case c.kind == typeComment:
			c.container.comments = append(c.container.comments, c)
		case c.parent != nil:
			c.parent.children = append(c.parent.children, c)
		}
	}
	for _, c := range s.ordered {
		slices.SortStableFunc(c.children, func(a, b *content) int { return cmp.Compare(a.position, b.position) })
	}
}
