package confluenceclient

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// maxSpaceAge is how long a space's id, key and home page are believed. They
// change about never.
const maxSpaceAge = 10 * time.Minute

// space is what the client needs to know of a space.
type space struct{ id, key, homepageID string }

// spaceKey names a cached space, by key in lower case or by id.
type spaceKey struct {
	identity uint64
	by, what string
}

type spaceJSON struct {
	ID         contentID `json:"id"`
	Key        string    `json:"key"`
	Alias      string    `json:"currentActiveAlias"`
	HomepageID contentID `json:"homepageId"`
}

// titleKey names the page that has a title in a space.
type titleKey struct {
	identity       uint64
	spaceID, title string
}

func spaceSize(k spaceKey, s space) int {
	return len(k.what) + len(s.id) + len(s.key) + len(s.homepageID)
}

// HomepageID returns the id of the space's home page. CauseNotFound with the
// operation getSpaces means that there is no such space.
func (c *Client) HomepageID(ctx context.Context, key string, want Tolerance) (string, error) {
	s, err := c.spaceByKey(ctx, key, want)
	if err == nil && s.homepageID == "" {
		err = &Error{Op: opListPages, Cause: CauseNotFound, Message: "the space has no home page"}
	}
	return s.homepageID, err
}

func (c *Client) spaceByKey(ctx context.Context, key string, want Tolerance) (space, error) {
	return c.space(ctx, "keys", key, want, func(s spaceJSON) bool {
		return strings.EqualFold(s.Key, key) || strings.EqualFold(s.Alias, key)
	})
}

// SpaceKeyByID returns the key of the space with this id. CauseNotFound means
// that there is none, or none that the token's account may see.
func (c *Client) SpaceKeyByID(ctx context.Context, id string) (string, error) {
	s, err := c.space(ctx, "ids", id, Tolerance{MaxAge: maxSpaceAge}, func(s spaceJSON) bool { return string(s.ID) == id })
	return s.key, err
}

// SpaceKeys returns the keys of all spaces that the token's account may see, at
// most ten minutes old. More than 5,000 are CauseBadResponse.
func (c *Client) SpaceKeys(ctx context.Context) ([]string, error) {
	key := c.identity()
	if keys, ok := c.spaceKeys.get(key, maxSpaceAge); ok {
		return keys, nil
	}
	asked := time.Now()
	keys := []string{}
	err := each(ctx, c, opListSpaces, nil, url.Values{"limit": {"250"}}, func(s spaceJSON) bool {
		keys = append(keys, s.Key)
		return true
	})
	if err != nil {
		return nil, err
	}
	c.spaceKeys.put(key, keys, asked)
	return keys, nil
}

// space finds one space by a filter, and checks that the filter was heeded.
func (c *Client) space(ctx context.Context, filter, value string, want Tolerance, is func(spaceJSON) bool) (space, error) {
	key := spaceKey{identity: c.identity(), by: filter, what: strings.ToLower(value)}
	s, _, err := c.spaces.answer(ctx, opListSpaces, key, want, func(ctx context.Context) (space, error) {
		found, err := first(ctx, c, opListSpaces, url.Values{filter: {value}, "limit": {"25"}}, is)
		return space{id: string(found.ID), key: found.Key, homepageID: string(found.HomepageID)}, err
	})
	return s, err
}

// PageIDByTitle finds the current page with this title in the space; upper and
// lower case are the same, except that an exact match goes first. CauseNotFound
// with the operation getSpaces means that there is no such space.
func (c *Client) PageIDByTitle(ctx context.Context, key, title string, want Tolerance) (string, error) {
	s, err := c.spaceByKey(ctx, key, want)
	if err != nil {
		return "", err
	}
	id, _, err := c.titles.answer(ctx, opListPages, titleKey{c.identity(), s.id, title}, want, func(ctx context.Context) (string, error) {
		return c.readPageID(ctx, s.id, title)
	})
	return id, err
}

func (c *Client) readPageID(ctx context.Context, spaceID, title string) (string, error) {
	query := url.Values{"space-id": {spaceID}, "title": {title}, "status": {"current"}, "limit": {"25"}}
	var found string
	err := each(ctx, c, opListPages, nil, query, func(p pageJSON) bool {
		if !strings.EqualFold(p.Title, title) || string(p.SpaceID) != spaceID || (p.Status != "current" && p.Status != "") {
			return true
		}
		if found == "" || p.Title == title {
			found = string(p.ID)
		}
		return p.Title != title
	})
	if err == nil && found == "" {
		err = absent(opListPages)
	}
	return found, err
}
