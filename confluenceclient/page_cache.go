package confluenceclient

import (
	"context"
	"time"
)

// PageOptions says how to read a page.
type PageOptions struct {
	Format   BodyFormat
	Version  int32         // 0: the current version
	MaxAge   time.Duration // as in Tolerance
	MaxStale time.Duration // as in Tolerance
}

// bodyKey names a version of a page in a format. Version 0 names the read of
// whatever version is current, and no cached body.
type bodyKey struct {
	stateKey
	version int32
	format  BodyFormat
}

// Page returns a page that is current or archived, or an old version of one.
// Absent pages, trashed ones and drafts are CauseNotFound.
func (c *Client) Page(ctx context.Context, id string, opts PageOptions) (page *Page, err error) {
	want := Tolerance{MaxAge: opts.MaxAge, MaxStale: opts.MaxStale}
	source := want.upstream()
	defer func() { c.memory.count(ctx, "page", source) }()
	key := bodyKey{stateKey{c.identity(), id}, opts.Version, opts.Format}
	if opts.Version == 0 {
		page, err = c.currentPage(ctx, key, want)
	} else {
		page, err = c.pageVersion(ctx, key, want)
	}
	if err == nil {
		source = page.Freshness.Source
	}
	return page, err
}

// currentPage answers out of the cache, or asks whether the page has changed if
// only that is in doubt, or reads it.
//
// Who takes nothing out of the cache has most likely been told of a change. For
// them the page is read at once: that is one request in either case.
func (c *Client) currentPage(ctx context.Context, key bodyKey, want Tolerance) (*Page, error) {
	state, young := c.states.young(key.stateKey, want.MaxAge)
	page, known := c.withBody(key, state)
	switch {
	case young && state.absent != nil:
		return nil, state.err()
	case young && known:
		return stamped(page, Freshness{Source: SourceHit, AsOf: state.asked.time}), nil
	case known && want.MaxAge > 0:
		listed, err := c.listStates(ctx, []string{key.id})
		if isOutage(err) || CauseOf(err) == CauseCancelled {
			return c.stalePage(key, want, err) // reading the page would fail as well
		}
		if page, ok := c.withBody(key, listed[key.id]); ok {
			return stamped(page, Freshness{Source: SourceRevalidated, AsOf: listed[key.id].asked.time}), nil
		}
	}
	got, source, err := c.askPage(ctx, key, want)
	if err != nil {
		return c.stalePage(key, want, err)
	}
	return stamped(got.value, Freshness{Source: source, AsOf: got.asked.time}), nil
}

// pageVersion returns a version by its number. It never changes; whether it is
// still served does. Old versions of a trashed page are handed out by Confluence
// (api-facts §7), so the page as it is now decides, and says where it lies.
func (c *Client) pageVersion(ctx context.Context, key bodyKey, want Tolerance) (*Page, error) {
	old, young := c.bodies.young(key, want.MaxAge)
	if young && old.absent != nil {
		return nil, old.err()
	}
	source := SourceHit
	if old.value == nil {
		var err error
		if old, source, err = c.askPage(ctx, key, want); err != nil {
			return nil, err
		}
		if old.value.Status != "historical" { // it is the current one
			return stamped(old.value, Freshness{Source: source, AsOf: old.asked.time}), nil
		}
	}
	now, err := c.currentPage(ctx, bodyKey{stateKey: key.stateKey}, want)
	if err != nil {
		return nil, err
	}
	page := stamped(old.value, now.Freshness)
	if page.Freshness.Source == SourceHit {
		page.Freshness.Source = source
	}
	page.Status = "historical"
	if now.Version.Number == page.Version.Number {
		page.Status = now.Status
	}
	if now.SpaceID != page.SpaceID {
		page.WebURL = now.WebURL
	}
	page.SpaceID, page.SpaceKey, page.ParentID, page.ParentType = now.SpaceID, now.SpaceKey, now.ParentID, now.ParentType
	return page, nil
}

// withBody joins a state and the body of its version, if both are known.
func (c *Client) withBody(key bodyKey, state told[*Page]) (*Page, bool) {
	if state.value == nil || key.format == FormatNone {
		return state.value, state.value != nil
	}
	key.version = state.value.Version.Number
	body, ok := c.bodies.known(key)
	if !ok || body.value == nil {
		return nil, false
	}
	page := *state.value
	page.Body = body.value.Body
	return &page, true
}

// stalePage is what was known before a read failed with err, or err.
func (c *Client) stalePage(key bodyKey, want Tolerance, err error) (*Page, error) {
	if state, ok := c.states.stale(key.stateKey, want.MaxStale, err); ok {
		if page, ok := c.withBody(key, state); ok {
			return stamped(page, Freshness{Source: SourceStale, AsOf: state.asked.time, Failure: err}), nil
		}
	}
	return nil, err
}

// askPage reads a page, once for all who ask for the same at the same time, and
// keeps what comes.
func (c *Client) askPage(ctx context.Context, key bodyKey, want Tolerance) (told[*Page], Source, error) {
	got, led, err := share(ctx, &c.bodies.flights, opGetPage, key, func(ctx context.Context) (told[*Page], error) {
		if state, young := c.states.young(key.stateKey, want.MaxAge); young && key.version == 0 {
			if page, ok := c.withBody(key, state); ok { // it came between a look into the cache and this read
				return told[*Page]{value: page, asked: state.asked}, nil
			}
		}
		now := c.memory.now()
		page, err := c.readPage(ctx, key)
		if err != nil {
			c.settlePage(key, err, now)
			return told[*Page]{}, err
		}
		c.keepPage(key, page, now)
		return told[*Page]{value: page, asked: now}, nil
	})
	if !led {
		return got, SourceCoalesced, err
	}
	return got, want.upstream(), err
}

func (c *Client) keepPage(key bodyKey, page *Page, asked moment) {
	if page.Status != "historical" {
		state := *page
		state.Body = ""
		c.states.put(key.stateKey, &state, asked)
	}
	// Without its number a version cannot be told from the next.
	if version := page.Version.Number; version > 0 && (key.version != 0 || key.format != FormatNone) {
		key.version = version
		c.bodies.put(key, page, asked)
	}
}

// settlePage keeps what a failure tells. Without its current version a page has
// no old ones either; without an old one it has the others.
func (c *Client) settlePage(key bodyKey, err error, asked moment) {
	if key.version == 0 {
		c.states.settle(key.stateKey, err, asked)
	} else {
		c.bodies.settle(key, err, asked)
	}
	c.refused(err)
}

// refused acts on a refusal of what is read of pages.
func (c *Client) refused(err error) {
	c.states.refused(err)
	c.bodies.refused(err)
}
