package confluenceclient

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Facts says what Place finds out about content besides its space. Each costs
// upstream requests of its own.
type Facts struct {
	Ancestors  bool // what it lies below
	Labels     bool
	Restricted bool // whether viewing is limited to some people
}

// Place is where content lies, and what rules about reading it go by.
type Place struct {
	SpaceID, SpaceKey string
	Ancestors         []string // ids, the nearest last; nil unless asked for
	Labels            []string // nil unless asked for
	Restricted        bool     // viewing the content, or something that it lies below, is limited; false unless asked for
}

// placeKey names one cached fact about content.
type placeKey struct {
	identity uint64
	fact     *Operation
	id       string
}

// placeOps are the reads that tell what kind of content lies where.
var placeOps = map[ContentType]struct{ space, ancestors, labels *Operation }{
	TypePage:       {opGetPage, opPageAncestors, opPageLabels},
	TypeBlogPost:   {opGetBlogPost, nil, opBlogPostLabels},
	TypeFolder:     {opGetFolder, opFolderAncestors, nil},
	TypeWhiteboard: {opGetWhiteboard, opWhiteboardAncestors, nil},
	TypeDatabase:   {opGetDatabase, opDatabaseAncestors, nil},
	TypeEmbed:      {opGetEmbed, opEmbedAncestors, nil},
}

// ancestor is one step above content in the tree.
type ancestor struct {
	ID   contentID   `json:"id"`
	Type ContentType `json:"type"`
}

// Place tells where current content lies. What is known already may be maxAge
// old. Content that is absent, or not current or archived, is CauseNotFound. A
// fact that cannot be had is an error, and never left out: rules about reading
// must not be decided without it.
//
// Absent content is asked for all facts too, so that it takes as many requests
// to learn that it is absent as to learn where content lies that is there.
func (c *Client) Place(ctx context.Context, kind ContentType, id string, facts Facts, maxAge time.Duration) (Place, error) {
	ops, ok := placeOps[kind]
	if !ok {
		return Place{}, &Error{Cause: CauseInvalid, Message: "content of type " + string(kind) + " has no place of its own"}
	}
	place, absence := c.spaceOf(ctx, ops.space, id, maxAge)
	if absence != nil && CauseOf(absence) != CauseNotFound {
		return Place{}, absence
	}
	err := c.addFacts(ctx, &place, kind, id, facts, maxAge)
	if absence != nil && (err == nil || CauseOf(err) == CauseNotFound) {
		err = absence
	}
	if err != nil {
		return Place{}, err
	}
	return place, nil
}

// addFacts goes on after a fact that is absent, and returns that error at the
// end.
func (c *Client) addFacts(ctx context.Context, place *Place, kind ContentType, id string, facts Facts, maxAge time.Duration) error {
	var absence, err error
	if op := placeOps[kind].labels; facts.Labels && op != nil {
		if place.Labels, absence = c.labels(ctx, op, id, maxAge); absence != nil && CauseOf(absence) != CauseNotFound {
			return absence
		}
	}
	if !facts.Ancestors && !facts.Restricted {
		return absence
	}
	above, err := c.ancestors(ctx, kind, id, maxAge)
	if err != nil && CauseOf(err) != CauseNotFound {
		return err
	}
	absence = cmp.Or(absence, err)
	place.Ancestors = idsOf(above)
	if facts.Restricted {
		place.Restricted, err = c.Restricted(ctx, id, place.Ancestors, maxAge)
		absence = cmp.Or(err, absence)
	}
	return absence
}

func idsOf(above []ancestor) []string {
	var ids []string
	for _, a := range above {
		ids = append(ids, string(a.ID))
	}
	return ids
}

// spaceOf reads the content itself, without its body.
func (c *Client) spaceOf(ctx context.Context, op *Operation, id string, maxAge time.Duration) (Place, error) {
	if place, ok := c.knownSpace(op, id, maxAge); ok {
		return place, nil
	}
	if op == opGetPage {
		page, err := c.Page(ctx, id, PageOptions{MaxAge: maxAge})
		if err != nil {
			return Place{}, err
		}
		return Place{SpaceID: page.SpaceID, SpaceKey: page.SpaceKey}, nil
	}
	return fact(c, op, id, maxAge, func() (Place, error) {
		var got struct {
			ID      contentID `json:"id"`
			Status  string    `json:"status"`
			SpaceID contentID `json:"spaceId"`
		}
		if _, err := c.get(ctx, op, pathIDs{"id": id}, nil, &got); err != nil {
			return Place{}, err
		}
		if got.Status != "" && got.Status != "current" && got.Status != "archived" {
			return Place{}, absent(op)
		}
		if string(got.ID) != id {
			return Place{}, badResponse(op, "Confluence answered with other content than the one asked for")
		}
		key, err := c.SpaceKeyByID(ctx, string(got.SpaceID))
		return Place{SpaceID: string(got.SpaceID), SpaceKey: key}, err
	})
}

func (c *Client) labels(ctx context.Context, op *Operation, id string, maxAge time.Duration) ([]string, error) {
	return fact(c, op, id, maxAge, func() ([]string, error) {
		names := []string{}
		err := each(ctx, c, op, pathIDs{"id": id}, url.Values{"limit": {"250"}}, func(label struct {
			Name string `json:"name"`
		}) bool {
			names = append(names, label.Name)
			return true
		})
		return names, err
	})
}

const (
	ancestorsAtOnce = 250
	// maxAncestorReads bounds the walk up a tree, which is 2,500 levels then.
	maxAncestorReads = 10
)

// ancestors reads what the content lies below, the nearest last. The listing has
// no cursor: where it is full, it goes on at the topmost (api-facts §3).
func (c *Client) ancestors(ctx context.Context, kind ContentType, id string, maxAge time.Duration) ([]ancestor, error) {
	op := placeOps[kind].ancestors
	if op == nil {
		return nil, nil // blog posts lie below nothing
	}
	return fact(c, op, id, maxAge, func() ([]ancestor, error) {
		above := []ancestor{}
		top := ancestor{ID: contentID(id), Type: kind}
		for range maxAncestorReads {
			op := placeOps[top.Type].ancestors
			if op == nil {
				return nil, badResponse(opPageAncestors, "Confluence names an ancestor of a kind that has no place in the tree")
			}
			var got struct {
				Results []ancestor `json:"results"`
			}
			query := url.Values{"limit": {strconv.Itoa(ancestorsAtOnce)}}
			if _, err := c.get(ctx, op, pathIDs{"id": string(top.ID)}, query, &got); err != nil {
				return nil, err
			}
			if got.Results == nil {
				return nil, noResults(op)
			}
			above = append(slices.Clone(got.Results), above...)
			if len(got.Results) < pageSize(query) { // which a busy Confluence may have made smaller
				return above, nil
			}
			top = got.Results[0]
		}
		return nil, badResponse(op, "the content lies deeper than a tree can be")
	})
}

// maxRestrictionsAtOnce is how many steps of the way up a tree are read at the
// same time.
const maxRestrictionsAtOnce = 8

// Restricted tells whether viewing the content is limited to some people, or
// viewing one of what it lies below, of which it asks only if need be, and at about
// the same time. Something above whose restrictions may not be read counts as
// limited.
func (c *Client) Restricted(ctx context.Context, id string, above []string, maxAge time.Duration) (bool, error) {
	own, err := c.viewLimited(ctx, id, maxAge)
	if own || err != nil {
		return own, err
	}
	limited := make([]bool, len(above))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxRestrictionsAtOnce)
	for i, at := range above {
		group.Go(func() (err error) {
			limited[i], err = c.viewLimited(ctx, at, maxAge)
			if CauseOf(err) == CauseNotFound {
				limited[i], err = true, nil
			}
			return err
		})
	}
	err = group.Wait()
	return slices.Contains(limited, true), err
}

func (c *Client) viewLimited(ctx context.Context, id string, maxAge time.Duration) (bool, error) {
	return fact(c, opRestrictions, id, maxAge, func() (bool, error) {
		type names struct {
			Results []struct{} `json:"results"`
			Size    number     `json:"size"`
		}
		var got struct {
			Read *struct {
				Restrictions struct {
					User  names `json:"user"`
					Group names `json:"group"`
				} `json:"restrictions"`
			} `json:"read"`
		}
		if _, err := c.get(ctx, opRestrictions, pathIDs{"id": id}, nil, &got); err != nil {
			return false, err
		}
		if got.Read == nil {
			return false, badResponse(opRestrictions, "Confluence does not tell who may view the content")
		}
		some := func(n names) bool { return len(n.Results) > 0 || n.Size.value > 0 }
		return some(got.Read.Restrictions.User) || some(got.Read.Restrictions.Group), nil
	})
}

// fact returns what is known of content, or reads and keeps it.
func fact[V any](c *Client, op *Operation, id string, maxAge time.Duration, read func() (V, error)) (V, error) {
	if value, ok := known[V](c, op, id, maxAge); ok {
		return value, nil
	}
	asked, identity := time.Now(), c.identity() // another account may take over meanwhile
	value, err := read()
	if err == nil {
		c.places.put(placeKey{identity: identity, fact: op, id: id}, any(value), asked)
	}
	return value, err
}
