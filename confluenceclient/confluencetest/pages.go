package confluencetest

import (
	"slices"
	"strings"
	"time"
)

func timeJSON(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func versionJSON(v *version) object {
	return object{"number": v.number, "createdAt": timeJSON(v.when), "authorId": v.author.id, "message": v.message, "minorEdit": v.minor}
}

// getPage answers by id, for trashed pages and archived ones too: the status
// says so, and nothing else does (api-facts §7).
func (r *request) getPage()     { r.getText(typePage) }
func (r *request) getBlogPost() { r.getText(typeBlogPost) }

func (r *request) getText(kind string) {
	id, ok := r.id("id")
	if !ok {
		return
	}
	format, ok := r.oneOf("body-format", representations...)
	if !ok {
		return
	}
	for _, status := range r.values("status") {
		if !slices.Contains([]string{"current", "archived", "trashed", "deleted", "historical", "draft"}, status) {
			refuseParameter(r.w, "Provided value {%s} for 'status' is not valid", status)
			return
		}
	}
	c := r.find(id, kind)
	if c == nil || !r.statusWanted(c) {
		r.refuseAbsentID("Cannot find a "+kind+" with id [%s]", id)
		return
	}
	v := r.versionAsked(c)
	if v == nil {
		return
	}
	status := c.status
	if v != c.current() {
		status = "historical"
	}
	shown := r.textJSON(c, v, format)
	shown["status"] = status
	shown["_links"].(object)["base"] = r.linkBase()
	r.include(shown, c)
	r.json(shown)
}

// statusWanted tells whether a read by id is for content of this status. Drafts
// are shown only to those who ask for them.
func (r *request) statusWanted(c *content) bool {
	if c.status == "draft" {
		return r.query.Get("get-draft") == "true" || slices.Contains(r.values("status"), "draft")
	}
	wanted := r.values("status")
	return len(wanted) == 0 || slices.Contains(wanted, c.status) || (slices.Contains(wanted, "historical") && r.query.Has("version"))
}

// include adds what the include- parameters ask for.
func (r *request) include(shown object, c *content) {
	wrap := func(results []object) object {
		return object{"results": results, "meta": object{"hasMore": false}, "_links": object{}}
	}
	if r.query.Get("include-labels") == "true" {
		shown["labels"] = wrap(labelsJSON(c.labels))
	}
	if r.query.Get("include-versions") == "true" {
		var versions []object
		for _, v := range c.versions {
			versions = append(versions, versionJSON(v))
		}
		shown["versions"] = wrap(versions)
	}
}

// textJSON shows a page or a blog post. Without a format the body is an empty
// object.
func (r *request) textJSON(c *content, v *version, format string) object {
	shown := object{
		"id": c.id, "status": c.status, "title": c.title, "spaceId": c.space.id,
		"authorId": c.author().id, "createdAt": timeJSON(c.created()), "version": versionJSON(v), "body": object{},
		"_links": object{"webui": webui(c), "editui": "/pages/resumedraft.action?draftId=" + c.id, "tinyui": "/x/" + tinyCode(c.number)},
	}
	if c.kind == typePage {
		shown["ownerId"], shown["lastOwnerId"], shown["position"] = c.author().id, nil, c.position
		shown["parentId"], shown["parentType"] = nil, nil
		if c.parent != nil && c.status != "trashed" {
			shown["parentId"], shown["parentType"] = c.parent.id, c.parent.kind
		}
	}
	if format != "" {
		shown["body"] = object{format: object{"representation": format, "value": v.body.in(format)}}
	}
	return shown
}

func (r *request) listPages()     { r.listTexts(typePage, nil) }
func (r *request) listBlogPosts() { r.listTexts(typeBlogPost, nil) }

// Without a status, a listing has archived pages as well (api-facts §3).
func (r *request) listTexts(kind string, in *space) {
	format, ok := r.oneOf("body-format", "storage", "atlas_doc_format")
	if !ok {
		return
	}
	statuses := r.values("status")
	for _, status := range statuses {
		if !slices.Contains([]string{"current", "archived", "trashed", "deleted"}, status) {
			refuseParameter(r.w, "Provided value {%s} for 'status' is not valid. Valid values are: current, archived, trashed, deleted", status)
			return
		}
	}
	if len(statuses) == 0 {
		statuses = []string{"current", "archived"}
	}
	sort, ok := r.oneOf("sort", "id", "-id", "created-date", "-created-date", "modified-date", "-modified-date", "title", "-title")
	if !ok {
		return
	}
	ids, spaces := r.values("id"), r.values("space-id")
	candidates := r.site.ordered
	if len(ids) > 0 {
		candidates = r.byID(ids)
	}
	var found []*content
	for _, c := range candidates {
		switch {
		case c.kind != kind, c.purged, !slices.Contains(statuses, c.status), in != nil && c.space != in:
		case len(spaces) > 0 && !slices.Contains(spaces, c.space.id):
		case r.query.Has("title") && !strings.EqualFold(c.title, r.query.Get("title")):
		case r.query.Get("depth") == "root" && c.parent != nil && c.parent.id != c.space.homepage:
		case !c.visibleTo(r.account):
		default:
			found = append(found, c)
		}
	}
	sortContents(found, sort)
	list(r, found, 25, func(c *content) object { return r.textJSON(c, c.current(), format) })
}

func (r *request) byID(ids []string) []*content {
	var found []*content
	for _, id := range ids {
		if c := r.site.contents[id]; c != nil && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	return found
}

func sortContents(items []*content, by string) {
	field, descending := strings.CutPrefix(by, "-")
	compare := func(*content, *content) int { return 0 }
	switch field {
	case "id":
		compare = func(a, b *content) int { return int(min(max(int64(a.number)-int64(b.number), -1), 1)) }
	case "title":
		compare = func(a, b *content) int {
			return strings.Compare(strings.ToLower(a.title), strings.ToLower(b.title))
		}
	case "created-date":
		compare = func(a, b *content) int { return a.created().Compare(b.created()) }
	case "modified-date":
		compare = func(a, b *content) int { return a.current().when.Compare(b.current().when) }
	}
	slices.SortStableFunc(items, func(a, b *content) int {
		if descending {
			return compare(b, a)
		}
		return compare(a, b)
	})
}

// tinyCode is an id as short links have it: eight bytes, lowest first, in base64
// with "-" for "/" and "_" for "+", without what is zero at the end.
func tinyCode(id uint64) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	var raw [9]byte
	for i := range 8 {
		raw[i] = byte(id >> (8 * i))
	}
	var code []byte
	for i := 0; i < 9; i += 3 {
		group := uint(raw[i])<<16 | uint(raw[i+1])<<8 | uint(raw[i+2])
		for shift := 18; shift >= 0; shift -= 6 {
			code = append(code, digits[group>>shift&63])
		}
	}
	return strings.TrimRight(string(code), "A")
}
