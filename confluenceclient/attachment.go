package confluenceclient

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
)

type attachmentJSON struct {
	ID              contentID   `json:"id"`
	Status          string      `json:"status"`
	Title           string      `json:"title"`
	MediaType       string      `json:"mediaType"`
	Comment         string      `json:"comment"`
	FileID          string      `json:"fileId"`
	FileSize        number      `json:"fileSize"`
	CreatedAt       instant     `json:"createdAt"`
	PageID          contentID   `json:"pageId"`
	BlogPostID      contentID   `json:"blogPostId"`
	CustomContentID contentID   `json:"customContentId"`
	WebUILink       string      `json:"webuiLink"`
	Version         versionJSON `json:"version"`
	Links           linksJSON   `json:"_links"`
}

// attachmentKey names a read of an attachment's description.
type attachmentKey struct {
	identity uint64
	id       string
	version  int32
}

// Attachment describes a version of an attachment; version 0 is the current
// one. A trashed attachment is CauseNotFound.
func (c *Client) Attachment(ctx context.Context, id string, version int32) (*Attachment, error) {
	shared, _, err := share(ctx, &c.attachments, opGetAttachment, attachmentKey{c.identity(), id, version}, func(ctx context.Context) (*Attachment, error) {
		return c.readAttachment(ctx, id, version)
	})
	if err != nil {
		return nil, err
	}
	attachment := *shared
	return &attachment, nil
}

func (c *Client) readAttachment(ctx context.Context, id string, version int32) (*Attachment, error) {
	query := url.Values{}
	if version != 0 {
		query.Set("version", strconv.Itoa(int(version)))
	}
	var got attachmentJSON
	if _, err := c.get(ctx, opGetAttachment, pathIDs{"id": id}, query, &got); err != nil {
		return nil, err
	}
	container := cmp.Or(got.PageID, got.BlogPostID, got.CustomContentID)
	switch {
	case got.Status == "trashed" || got.Status == "deleted" || got.Status == "draft":
		return nil, &Error{Op: opGetAttachment, Cause: CauseNotFound, Message: "the attachment is not served: its status is " + got.Status}
	case strings.TrimPrefix(string(got.ID), "att") != strings.TrimPrefix(id, "att"):
		return nil, badResponse(opGetAttachment, "Confluence answered with another attachment than the one asked for")
	case version != 0 && got.Version.Number.int32() != version:
		return nil, badResponse(opGetAttachment, "Confluence answered with another version than the one asked for")
	case !isContentID(string(container)):
		return nil, badResponse(opGetAttachment, "Confluence does not tell what the attachment belongs to")
	}
	if got.Status == "historical" && version != 0 {
		// As with pages, what it is now decides.
		if _, err := c.Attachment(ctx, id, 0); err != nil {
			return nil, err
		}
	}
	link := cmp.Or(got.Links.WebUI, got.WebUILink)
	attachment := &Attachment{
		ID: "att" + strings.TrimPrefix(string(got.ID), "att"), Title: got.Title, MediaType: got.MediaType, Comment: got.Comment,
		Version: got.Version.version(), ContainerID: string(container), ContainerType: got.containerType(),
		SpaceKey: c.spaceKeyOf(link), WebURL: c.webURL(link), CreateTime: got.CreatedAt.Time,
	}
	if size := got.FileSize; size.told && size.value > 0 { // 0 has been seen for files that are not empty
		attachment.FileSize = &size.value
	}
	if attachment.WebURL == "" {
		attachment.WebURL = c.pageURL(attachment.ContainerID)
	}
	return attachment, nil
}

func (a attachmentJSON) containerType() ContentType {
	switch {
	case a.PageID != "":
		return TypePage
	case a.BlogPostID != "":
		return TypeBlogPost
	}
	return ""
}
