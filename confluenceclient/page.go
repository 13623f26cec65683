package confluenceclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PageOptions says how to read a page.
type PageOptions struct {
	Format  BodyFormat
	Version int32         // 0: the current version
	MaxAge  time.Duration // how old a cached answer may be; 0: ask Confluence
}

// pageKey names one cached answer. The identity is in it so that a new token,
// perhaps of another account, starts with nothing.
type pageKey struct {
	identity uint64
	id       string
	version  int32
	format   BodyFormat
}

func pageWeight(p *Page) uint32 {
	const fields = 512 // about what a page takes besides its texts
	return uint32(min(fields+len(p.Body)+len(p.Title)+len(p.WebURL), math.MaxUint32))
}

type pageJSON struct {
	ID         contentID           `json:"id"`
	Status     string              `json:"status"`
	Title      string              `json:"title"`
	SpaceID    contentID           `json:"spaceId"`
	ParentID   contentID           `json:"parentId"`
	ParentType string              `json:"parentType"`
	AuthorID   contentID           `json:"authorId"`
	CreatedAt  instant             `json:"createdAt"`
	Version    versionJSON         `json:"version"`
	Body       map[string]bodyJSON `json:"body"`
	Links      linksJSON           `json:"_links"`
}

type bodyJSON struct {
	Value json.RawMessage `json:"value"`
}

// text is the body's value, and whether there is one. ADF is a JSON document
// inside a JSON string; a server that leaves the string out means the same.
func (b bodyJSON) text(format BodyFormat) (text string, ok bool) {
	if format == FormatADF && bytes.HasPrefix(b.Value, []byte("{")) {
		return strings.ToValidUTF8(string(b.Value), "\uFFFD"), true
	}
	return text, bytes.HasPrefix(b.Value, []byte(`"`)) && json.Unmarshal(b.Value, &text) == nil
}

// Page returns a page that is current or archived, or an old version of one.
// Absent pages, trashed ones and drafts are CauseNotFound.
func (c *Client) Page(ctx context.Context, id string, opts PageOptions) (*Page, error) {
	key := pageKey{identity: c.identity(), id: id, version: opts.Version, format: opts.Format}
	if page, ok := c.pages.get(key, opts.MaxAge); ok {
		hit := *page
		hit.FromCache = true
		return &hit, nil
	}
	asked := time.Now()
	page, err := c.readPage(ctx, id, opts)
	if err != nil {
		c.forgetPage(key, CauseOf(err))
		return nil, err
	}
	c.pages.put(key, page, asked)
	fresh := *page // the cached one is nobody's to change
	return &fresh, nil
}

// forgetPage drops copies that a newer answer has disproved: of this page when it
// is gone, of all pages when the token is no longer good for them.
func (c *Client) forgetPage(key pageKey, cause Cause) {
	switch cause {
	case CauseTokenRejected, CauseScopeMissing, CauseForbidden:
		c.pages.clear()
	case CauseNotFound:
		// Without its current version a page has no old ones either; without an old
		// one it has the others.
		c.pages.dropAll(func(k pageKey) bool { return k.id == key.id && (key.version == 0 || k.version == key.version) })
	}
}

func (c *Client) readPage(ctx context.Context, id string, opts PageOptions) (*Page, error) {
	query := url.Values{}
	if opts.Format != FormatNone {
		query.Set("body-format", string(opts.Format))
	}
	if opts.Version != 0 {
		query.Set("version", strconv.Itoa(int(opts.Version)))
	}
	var got pageJSON
	if _, err := c.get(ctx, opGetPage, pathIDs{"id": id}, query, &got); err != nil {
		return nil, err
	}
	if err := checkPage(&got, id, opts); err != nil {
		return nil, err
	}
	if got.Status == "historical" {
		// Old versions of a trashed page are still handed out (api-facts §7): the
		// page as it is now decides.
		if _, err := c.Page(ctx, id, PageOptions{MaxAge: opts.MaxAge}); err != nil {
			return nil, err
		}
	}
	page := &Page{
		ID: string(got.ID), Title: got.Title, Status: got.Status,
		SpaceID: string(got.SpaceID), SpaceKey: c.spaceKeyOf(got.Links.WebUI),
		ParentID: string(got.ParentID), ParentType: ContentType(got.ParentType),
		Version: got.Version.version(), CreateTime: got.CreatedAt.Time, AuthorAccountID: string(got.AuthorID),
		WebURL: c.webURL(got.Links.WebUI),
	}
	if page.WebURL == "" {
		page.WebURL = c.pageURL(page.ID)
	}
	if opts.Format != FormatNone {
		var ok bool
		if page.Body, ok = got.Body[string(opts.Format)].text(opts.Format); !ok {
			return nil, badResponse(opGetPage, "Confluence answered without the body that was asked for")
		}
	}
	if page.SpaceKey == "" && page.SpaceID != "" {
		// Best effort: without the scope for spaces the page is still good, and
		// the empty key tells.
		err := c.unlessLacking(opListSpaces, func() (err error) {
			page.SpaceKey, err = c.SpaceKeyByID(ctx, page.SpaceID)
			return err
		})
		if err != nil && CauseOf(err) != CauseScopeMissing && CauseOf(err) != CauseNotFound {
			return nil, err
		}
	}
	return page, nil
}

// checkPage refuses what is not the page that was asked for. By-id reads answer
// 200 for trashed pages (api-facts §7).
func checkPage(got *pageJSON, id string, opts PageOptions) error {
	switch got.Status {
	case "":
		if opts.Version == 0 {
			got.Status = "current" // not told, and nothing else was asked for
		}
	case "current", "archived":
	case "historical":
		if opts.Version == 0 {
			return notServed(got.Status)
		}
	default:
		return notServed(got.Status)
	}
	if string(got.ID) != id {
		return badResponse(opGetPage, "Confluence answered with another page than the one asked for")
	}
	if opts.Version != 0 && got.Version.Number.int32() != opts.Version {
		return badResponse(opGetPage, fmt.Sprintf("Confluence answered with version %d instead of %d", got.Version.Number.value, opts.Version))
	}
	return nil
}

func notServed(status string) error {
	why := map[string]string{"trashed": "it is in the trash", "draft": "it was never published", "deleted": "it was deleted"}[status]
	if why == "" {
		why = "it is not current"
	}
	return &Error{Op: opGetPage, Cause: CauseNotFound, Message: "the page is not served: " + why}
}

func badResponse(op *Operation, message string) *Error {
	return &Error{Op: op, Cause: CauseBadResponse, Message: message}
}
