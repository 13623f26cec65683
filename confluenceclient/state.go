package confluenceclient

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// What is known of pages is kept in two parts. The state of a page is everything
// but its body, and ages. The body of a version in a format never changes. So an
// old page costs the question whether it has changed, which one look-up answers
// for 250 of them, and its body only if it has.

// stateKey names the current state of a page. The identity is in every key, so
// that a token of another account starts with nothing.
type stateKey struct {
	identity uint64
	id       string
}

// unlistedKey names a page that a listing did not show.
type unlistedKey stateKey

// Revalidate returns the current state of pages, without bodies, by id. What is
// older than maxAge is looked up, in one request for each 250, and not page by
// page; Page then answers from the cache where a page has not changed. Pages that
// the look-up does not show are absent from the result: Page tells why.
func (c *Client) Revalidate(ctx context.Context, ids []string, maxAge time.Duration) (map[string]*Page, error) {
	states := map[string]*Page{}
	var old []string
	for _, id := range ids {
		if !isContentID(id) {
			continue
		}
		if got, ok := c.states.young(stateKey{c.identity(), id}, maxAge); !ok {
			old = append(old, id)
		} else if got.absent == nil {
			states[id] = stamped(got.value, Freshness{Source: SourceHit, AsOf: got.asked.time})
		}
	}
	for chunk := range slices.Chunk(old, maxPagesAtOnce) {
		listed, err := c.listStates(ctx, chunk)
		if err != nil {
			return states, err
		}
		for _, id := range chunk {
			if got, ok := listed[id]; ok {
				states[id] = stamped(got.value, Freshness{Source: SourceRevalidated, AsOf: got.asked.time})
			}
		}
	}
	return states, nil
}

// stamped is a copy of a page: the cached one is nobody's to change.
func stamped(page *Page, fresh Freshness) *Page {
	copied := *page
	copied.Freshness = fresh
	return &copied
}

// listStates looks pages up together with all that others want to know at the
// same time, and keeps what comes. A page that is not listed is forgotten: it is
// not what it was, and only reading it tells what it is.
func (c *Client) listStates(ctx context.Context, ids []string) (map[string]told[*Page], error) {
	return c.listings.ask(ctx, opListPages, ids, func(ctx context.Context, ids []string) (map[string]told[*Page], error) {
		identity, states := c.identity(), map[string]told[*Page]{}
		for chunk := range slices.Chunk(ids, maxPagesAtOnce) {
			now := c.memory.now()
			pages, err := c.listPages(ctx, chunk)
			if err != nil {
				c.refused(err)
				return nil, err
			}
			for _, page := range pages {
				states[page.ID] = told[*Page]{value: page, asked: now}
				c.states.put(stateKey{identity, page.ID}, page, now)
			}
			for _, id := range chunk {
				if _, listed := states[id]; !listed {
					c.states.forget(stateKey{identity, id})
					c.unlisted.put(unlistedKey{identity, id}, struct{}{}, now)
				}
			}
		}
		return states, nil
	})
}

// listPages reads what a listing tells of pages, which is all but their bodies.
func (c *Client) listPages(ctx context.Context, ids []string) ([]*Page, error) {
	var rows []pageJSON
	query := url.Values{"id": {strings.Join(ids, ",")}, "status": {"current,archived"}, "limit": {"250"}}
	err := each(ctx, c, opListPages, nil, query, func(row pageJSON) bool {
		rows = append(rows, row)
		return true
	})
	if err != nil {
		return nil, err
	}
	var pages []*Page
	for _, row := range rows {
		if row.Status == "" {
			row.Status = "current"
		}
		if row.Status != "current" && row.Status != "archived" {
			continue // not what was asked for
		}
		page, err := c.page(ctx, &row)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// size is about what a page takes, its texts included.
func (p *Page) size() int {
	if p == nil {
		return 0
	}
	return int(unsafe.Sizeof(*p)) + len(p.ID) + len(p.Title) + len(p.SpaceID) + len(p.SpaceKey) + len(p.Status) + len(p.ParentID) + len(p.ParentType) +
		len(p.Version.AuthorAccountID) + len(p.Version.Message) + len(p.AuthorAccountID) + len(p.WebURL) + len(p.Body)
}
