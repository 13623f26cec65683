package confluenceclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

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

// readPage reads a page, or a version of it, as Confluence has it now.
func (c *Client) readPage(ctx context.Context, key bodyKey) (*Page, error) {
	query := url.Values{}
	if key.format != FormatNone {
		query.Set("body-format", string(key.format))
	}
	if key.version != 0 {
		query.Set("version", strconv.Itoa(int(key.version)))
	}
	var got pageJSON
	if _, err := c.get(ctx, opGetPage, pathIDs{"id": key.id}, query, &got); err != nil {
		return nil, err
	}
	if err := checkPage(&got, key); err != nil {
		return nil, err
	}
	page, err := c.page(ctx, &got)
	if err != nil || key.format == FormatNone {
		return page, err
	}
	var ok bool
	if page.Body, ok = got.Body[string(key.format)].text(key.format); !ok {
		return nil, badResponse(opGetPage, "Confluence answered without the body that was asked for")
	}
	return page, nil
}

// page is all of a page but its body.
func (c *Client) page(ctx context.Context, got *pageJSON) (*Page, error) {
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
func checkPage(got *pageJSON, key bodyKey) error {
	switch got.Status {
	case "":
		if key.version == 0 {
			got.Status = "current" // not told, and nothing else was asked for
		}
	case "current", "archived":
	case "historical":
		if key.version == 0 {
			return notServed(got.Status)
		}
	default:
		return notServed(got.Status)
	}
	if string(got.ID) != key.id {
		return badResponse(opGetPage, "Confluence answered with another page than the one asked for")
	}
	if key.version != 0 && got.Version.Number.int32() != key.version {
		return badResponse(opGetPage, fmt.Sprintf("Confluence answered with version %d instead of %d", got.Version.Number.value, key.version))
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
