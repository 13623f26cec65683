package service

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// contentTypes pairs the API's names with Confluence's.
var contentTypes = map[brokerv1.ContentType]confluenceclient.ContentType{
	brokerv1.ContentType_CONTENT_TYPE_PAGE:       confluenceclient.TypePage,
	brokerv1.ContentType_CONTENT_TYPE_BLOG_POST:  confluenceclient.TypeBlogPost,
	brokerv1.ContentType_CONTENT_TYPE_FOLDER:     confluenceclient.TypeFolder,
	brokerv1.ContentType_CONTENT_TYPE_WHITEBOARD: confluenceclient.TypeWhiteboard,
	brokerv1.ContentType_CONTENT_TYPE_DATABASE:   confluenceclient.TypeDatabase,
	brokerv1.ContentType_CONTENT_TYPE_EMBED:      confluenceclient.TypeEmbed,
	brokerv1.ContentType_CONTENT_TYPE_COMMENT:    confluenceclient.TypeComment,
	brokerv1.ContentType_CONTENT_TYPE_ATTACHMENT: confluenceclient.TypeAttachment,
	brokerv1.ContentType_CONTENT_TYPE_SPACE:      confluenceclient.TypeSpace,
}

// contentType is UNSPECIFIED for a kind that the API cannot name.
func contentType(t confluenceclient.ContentType) brokerv1.ContentType {
	for ours, theirs := range contentTypes {
		if theirs == t {
			return ours
		}
	}
	return brokerv1.ContentType_CONTENT_TYPE_UNSPECIFIED
}

// bodyFormats pairs the formats that Confluence has itself.
var bodyFormats = map[brokerv1.BodyFormat]confluenceclient.BodyFormat{
	brokerv1.BodyFormat_BODY_FORMAT_NONE:        confluenceclient.FormatNone,
	brokerv1.BodyFormat_BODY_FORMAT_STORAGE:     confluenceclient.FormatStorage,
	brokerv1.BodyFormat_BODY_FORMAT_ADF:         confluenceclient.FormatADF,
	brokerv1.BodyFormat_BODY_FORMAT_VIEW:        confluenceclient.FormatView,
	brokerv1.BodyFormat_BODY_FORMAT_EXPORT_VIEW: confluenceclient.FormatExportView,
}

func pageMessage(p *confluenceclient.Page, format brokerv1.BodyFormat) *brokerv1.Page {
	page := &brokerv1.Page{
		Id: p.ID, Title: p.Title, SpaceId: p.SpaceID, SpaceKey: p.SpaceKey, Status: p.Status,
		ParentId: p.ParentID, ParentType: contentType(p.ParentType), Version: versionMessage(p.Version),
		CreateTime: timeMessage(p.CreateTime), AuthorAccountId: p.AuthorAccountID, WebUrl: p.WebURL,
	}
	if format != brokerv1.BodyFormat_BODY_FORMAT_NONE {
		page.Body = &brokerv1.Body{Format: format, Value: p.Body, Source: format}
	}
	return page
}

func childMessage(c confluenceclient.Child) *brokerv1.Child {
	return &brokerv1.Child{
		Id: c.ID, Type: contentType(c.Type), Title: c.Title, Status: c.Status, Position: c.Position, WebUrl: c.WebURL,
	}
}

func resultMessage(r confluenceclient.SearchResult) *brokerv1.SearchResult {
	return &brokerv1.SearchResult{
		Id: r.ID, Type: contentType(r.Type), Title: r.Title, SpaceKey: r.SpaceKey, Excerpt: r.Excerpt, WebUrl: r.WebURL,
		ModifiedTime: timeMessage(r.ModifiedTime), ContainerId: r.ContainerID, ContainerType: contentType(r.ContainerType),
	}
}

func attachmentMessage(a *confluenceclient.Attachment) *brokerv1.Attachment {
	return &brokerv1.Attachment{
		Id: a.ID, Title: a.Title, MediaType: a.MediaType, FileSize: a.FileSize, Version: versionMessage(a.Version),
		PageId: a.ContainerID, SpaceKey: a.SpaceKey, WebUrl: a.WebURL, Comment: a.Comment, CreateTime: timeMessage(a.CreateTime),
	}
}

func versionMessage(v confluenceclient.Version) *brokerv1.Version {
	return &brokerv1.Version{
		Number: v.Number, CreateTime: timeMessage(v.CreateTime), AuthorAccountId: v.AuthorAccountID,
		Message: v.Message, MinorEdit: v.MinorEdit,
	}
}

// timeMessage is nil for a time that was not told.
func timeMessage(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func warning(code brokerv1.WarningCode, subject, format string, args ...any) *brokerv1.Warning {
	return &brokerv1.Warning{Code: code, Subject: subject, Message: fmt.Sprintf(format, args...), Count: 1}
}

// smaller is the remark on a page of results of a listing that Confluence can give
// in smaller ones only, where the caller wanted size items.
func smaller(next confluenceclient.Cursor, size int) []*brokerv1.Warning {
	if next.IsZero() || next.Limit == 0 || next.Limit >= size {
		return nil
	}
	return []*brokerv1.Warning{warning(brokerv1.WarningCode_WARNING_CODE_PAGE_SMALLER, "page_size",
		"Confluence could not give %d items at once; with a page_size of %d it can, and the next page goes on where this one ends", size, next.Limit)}
}

func omitted(items []confluenceclient.Omitted) []*brokerv1.Warning {
	var warnings []*brokerv1.Warning
	for _, item := range items {
		warnings = append(warnings, warning(brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED, item.ID, "left out: %s", item.Why))
	}
	return warnings
}
