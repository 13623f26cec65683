package confluencetest

import (
	"slices"
	"strings"
)

func (r *request) listSpaces() {
	ids, keys, kind, status := r.values("ids"), r.values("keys"), r.query.Get("type"), r.query.Get("status")
	labels := r.values("labels")
	var found []*space
	for _, sp := range r.site.spaces {
		switch {
		case !r.account.reads(sp):
		case len(ids) > 0 && !slices.Contains(ids, sp.id):
		case len(keys) > 0 && !slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, sp.key) }):
		case kind != "" && kind != sp.kind, status != "" && status != sp.status:
		case len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool { return slices.Contains(sp.labels, l) }):
		default:
			found = append(found, sp)
		}
	}
	list(r, found, 25, r.spaceJSON)
}

func (r *request) spaceJSON(sp *space) object {
	return object{
		"id": sp.id, "key": sp.key, "name": sp.name, "type": sp.kind, "status": sp.status,
		"authorId": sp.author.id, "createdAt": timeJSON(sp.created), "homepageId": nullable(sp.homepage),
		"currentActiveAlias": sp.key, "description": nil, "icon": nil, "_links": object{"webui": "/spaces/" + sp.key},
	}
}

// nullable is null for what is empty.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// spaceInPath is the space of the path; nil: refused already.
func (r *request) spaceInPath() *space {
	id, ok := r.id("id")
	if !ok {
		return nil
	}
	sp := r.site.spaceByID(id)
	if sp == nil || !r.account.reads(sp) {
		refuseAbsent(r.w, "Cannot find a space with id [%s]", id)
		return nil
	}
	return sp
}

func (r *request) getSpace() {
	if sp := r.spaceInPath(); sp != nil {
		shown := r.spaceJSON(sp)
		shown["_links"].(object)["base"] = r.linkBase()
		r.json(shown)
	}
}

func (r *request) listPagesInSpace() {
	if sp := r.spaceInPath(); sp != nil {
		r.listTexts(typePage, sp)
	}
}

func (r *request) listBlogPostsInSpace() {
	if sp := r.spaceInPath(); sp != nil {
		r.listTexts(typeBlogPost, sp)
	}
}

func (r *request) listSpaceLabels() {
	if sp := r.spaceInPath(); sp != nil {
		list(r, labelsJSON(sp.labels), 25, func(o object) object { return o })
	}
}
