package confluenceclient

import (
	"context"
	"time"
	"unsafe"
)

// ChildrenRequest names a parent and a place in the listing of its children.
type ChildrenRequest struct {
	ParentType ContentType // page, folder, whiteboard, database or embed
	ParentID   string
	Limit      int // 1 to 250; Confluence may give fewer
	Cursor     Cursor
	Tolerance  Tolerance
}

// childrenKey names a cached page of results.
type childrenKey struct {
	identity uint64
	op       *Operation
	id       string
	limit    int
	cursor   Cursor
}

// Omitted is an item that a listing left out, and why.
type Omitted struct{ ID, Why string }

// ChildrenPage is one page of results.
type ChildrenPage struct {
	Children  []Child
	Next      Cursor // zero: no more
	PagesOnly bool   // the deprecated endpoint was asked, which shows pages only
	Omitted   []Omitted
	Freshness Freshness
}

func (p *ChildrenPage) size() int {
	if p == nil {
		return 0
	}
	size := int(unsafe.Sizeof(*p)) + len(p.Next.Value) + omittedSize(p.Omitted)
	for _, child := range p.Children {
		size += int(unsafe.Sizeof(child)) + len(child.ID) + len(child.Title) + len(child.Status) + len(child.Type) + len(child.SpaceID) + len(child.WebURL)
		if child.Position != nil {
			size += int(unsafe.Sizeof(*child.Position))
		}
	}
	return size
}

func omittedSize(items []Omitted) int {
	size := 0
	for _, item := range items {
		size += int(unsafe.Sizeof(item)) + len(item.ID) + len(item.Why)
	}
	return size
}

type childJSON struct {
	ID            contentID `json:"id"`
	Status        string    `json:"status"`
	Title         string    `json:"title"`
	Type          string    `json:"type"`
	SpaceID       contentID `json:"spaceId"`
	ChildPosition number    `json:"childPosition"`
	Links         linksJSON `json:"_links"`
}

// Children lists what lies directly below the parent, in Confluence's order.
// Where the token lacks the scope for it, the children of a page come from the
// deprecated endpoint, and PagesOnly says so.
func (c *Client) Children(ctx context.Context, req ChildrenRequest) (*ChildrenPage, error) {
	ops := childrenOps(req.ParentType)
	if len(ops) == 0 {
		return nil, &Error{Cause: CauseInvalid, Message: "content of type " + string(req.ParentType) + " has no children"}
	}
	if op := operationNamed(ops, req.Cursor.Op); op != nil {
		return c.listChildren(ctx, op, req) // a cursor is good for its own endpoint only
	}
	var refusal error
	for _, op := range ops {
		var page *ChildrenPage
		ask := func() (err error) {
			page, err = c.listChildren(ctx, op, req)
			return err
		}
		var err error
		if op == ops[len(ops)-1] {
			err = ask() // the last one's refusal is Confluence's own
		} else {
			err = c.unlessLacking(op, ask)
		}
		if CauseOf(err) != CauseScopeMissing {
			return page, err
		}
		if refusal == nil {
			refusal = err // the preferred endpoint's scope is the one to ask for
		}
	}
	return nil, refusal
}

func childrenOps(parent ContentType) []*Operation {
	switch parent {
	case TypePage:
		return []*Operation{opPageChildren, opPageChildrenDeprecated}
	case TypeFolder:
		return []*Operation{opFolderChildren}
	case TypeWhiteboard:
		return []*Operation{opWhiteboardChildren}
	case TypeDatabase:
		return []*Operation{opDatabaseChildren}
	case TypeEmbed:
		return []*Operation{opEmbedChildren}
	}
	return nil
}

func operationNamed(ops []*Operation, name string) *Operation {
	for _, op := range ops {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// lackingKey names an operation that a token was refused.
type lackingKey struct {
	credential uint64 // not the account: its next token may have the scope
	op         string
}

// maxLackingAge is how long a refused scope is taken as still missing. Scopes
// of a token never change, so this only bounds how long an error can live on.
const maxLackingAge = 5 * time.Minute

// unlessLacking asks by f, but for operations that the token was refused before:
// what is only asked to make an answer richer should not cost a refusal each
// time.
func (c *Client) unlessLacking(op *Operation, f func() error) error {
	key := lackingKey{c.credential().id, op.Name}
	if _, lacking := c.lacking.get(key, maxLackingAge); lacking {
		return lacksScope(op)
	}
	asked := time.Now()
	err := f()
	if CauseOf(err) == CauseScopeMissing {
		c.lacking.put(key, struct{}{}, asked)
	}
	return err
}

func (c *Client) listChildren(ctx context.Context, op *Operation, req ChildrenRequest) (*ChildrenPage, error) {
	key := childrenKey{c.identity(), op, req.ParentID, req.Limit, req.Cursor}
	page, fresh, err := c.children.answer(ctx, op, key, req.Tolerance, func(ctx context.Context) (*ChildrenPage, error) {
		return c.readChildren(ctx, op, req)
	})
	if err != nil {
		return nil, err
	}
	shown := *page
	shown.Freshness = fresh
	return &shown, nil
}

func (c *Client) readChildren(ctx context.Context, op *Operation, req ChildrenRequest) (*ChildrenPage, error) {
	query := req.Cursor.query(req.Limit)
	var got struct {
		Results []childJSON `json:"results"`
		Links   *pageLinks  `json:"_links"`
	}
	header, err := c.get(ctx, op, pathIDs{"id": req.ParentID}, query, &got)
	if err != nil {
		return nil, err
	}
	if got.Results == nil {
		return nil, noResults(op)
	}
	page := &ChildrenPage{PagesOnly: op.Deprecated}
	var ids []string
	for _, item := range got.Results {
		if item.ID == "" {
			return nil, badResponse(op, "Confluence lists a child without an id")
		}
		ids = append(ids, string(item.ID))
		if item.Status != "current" && item.Status != "archived" && item.Status != "" {
			page.Omitted = append(page.Omitted, Omitted{ID: string(item.ID), Why: "its status is " + item.Status})
			continue
		}
		page.Children = append(page.Children, c.child(op, item))
	}
	value, err := nextCursor(op, got.Links, header)
	if err != nil {
		return nil, err
	}
	page.Next, err = req.Cursor.next(op, value, ids, reduced(query, req.Limit))
	return page, err
}

func (c *Client) child(op *Operation, item childJSON) Child {
	child := Child{
		ID: string(item.ID), Type: ContentType(item.Type), Title: item.Title, Status: item.Status, SpaceID: string(item.SpaceID),
		WebURL: c.webURL(item.Links.WebUI),
	}
	if position := item.ChildPosition.int32(); item.ChildPosition.told && int64(position) == item.ChildPosition.value {
		child.Position = &position
	}
	if child.Type == "" && op.Deprecated {
		child.Type = TypePage // the deprecated endpoint has nothing else and does not say so
	}
	if child.WebURL == "" && child.Type == TypePage {
		child.WebURL = c.pageURL(child.ID)
	}
	return child
}
