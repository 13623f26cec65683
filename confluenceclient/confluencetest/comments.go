package confluencetest

import (
	"slices"
	"strings"
)

func (r *request) listFooterComments() {
	r.listComments(func(c *content) bool { return c.selection == "" })
}
func (r *request) listInlineComments() {
	r.listComments(func(c *content) bool { return c.selection != "" })
}

// listComments lists the comments that are no replies.
func (r *request) listComments(is func(*content) bool) {
	format, ok := r.oneOf("body-format", "storage", "atlas_doc_format")
	if !ok {
		return
	}
	resolution := r.values("resolution-status")
	all := r.site.ordered // of everything, where the path names nothing
	if strings.Contains(r.route.path, "{id}") {
		c := r.inPath()
		if c == nil {
			return
		}
		all = c.comments
	}
	var found []*content
	for _, comment := range all {
		if comment.kind == typeComment && comment.visibleTo(r.account) && comment.replyTo == nil && is(comment) && (len(resolution) == 0 || slices.Contains(resolution, comment.resolution)) {
			found = append(found, comment)
		}
	}
	list(r, found, 25, func(c *content) object { return r.commentJSON(c, c.current(), format) })
}

// thread is the comment that a thread of replies begins with.
func thread(c *content) *content {
	for c.replyTo != nil {
		c = c.replyTo
	}
	return c
}

func (r *request) commentInPath() *content {
	id, ok := r.id("id")
	if !ok {
		return nil
	}
	c := r.find(id, typeComment)
	isInline := r.kindInPath() == "inline-comment"
	if c == nil || isInline != (thread(c).selection != "") {
		r.refuseAbsentID("Cannot find a comment with id [%s]", id)
		return nil
	}
	return c
}

func (r *request) getComment() {
	format, ok := r.oneOf("body-format", representations...)
	if !ok {
		return
	}
	c := r.commentInPath()
	if c == nil {
		return
	}
	if v := r.versionAsked(c); v != nil {
		shown := r.commentJSON(c, v, format)
		shown["_links"].(object)["base"] = r.linkBase()
		r.json(shown)
	}
}

func (r *request) listReplies() {
	format, ok := r.oneOf("body-format", "storage", "atlas_doc_format")
	if !ok {
		return
	}
	c := r.commentInPath()
	if c == nil {
		return
	}
	var replies []*content
	for _, reply := range c.container.comments {
		if reply.replyTo == c {
			replies = append(replies, reply)
		}
	}
	list(r, replies, 25, func(c *content) object { return r.commentJSON(c, c.current(), format) })
}

func (r *request) commentJSON(c *content, v *version, format string) object {
	shown := object{
		"id": c.id, "status": c.status, "title": commentTitle(c), "version": versionJSON(v), "body": object{},
		"_links": object{"webui": webui(c)},
	}
	owner := map[string]string{typePage: "pageId", typeBlogPost: "blogPostId"}[c.container.kind]
	if owner != "" {
		shown[owner] = c.container.id
	}
	if c.replyTo != nil {
		shown["parentCommentId"] = c.replyTo.id
	}
	if c.selection != "" {
		shown["resolutionStatus"] = c.resolution
		shown["properties"] = object{"inlineOriginalSelection": c.selection, "inlineMarkerRef": "marker-" + c.id}
	}
	if format != "" {
		shown["body"] = object{format: object{"representation": format, "value": v.body.in(format)}}
	}
	return shown
}

func commentTitle(c *content) string {
	if c.title != "" {
		return c.title
	}
	return "Re: " + c.container.title
}
