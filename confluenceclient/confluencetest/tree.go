package confluencetest

import "strings"

// kindInPath is the type of content that a path such as
// /wiki/api/v2/folders/{id}/direct-children is about.
func (r *request) kindInPath() string {
	plural, _, _ := strings.Cut(strings.TrimPrefix(r.route.path, "/wiki/api/v2/"), "/")
	return strings.TrimSuffix(plural, "s")
}

// inPath is the content of the path; nil: refused already. A folder's id on a
// page's path is not found, and the other way round.
func (r *request) inPath() *content {
	id, ok := r.id("id")
	if !ok {
		return nil
	}
	kind := r.kindInPath()
	c := r.find(id, kind)
	if c == nil && kind == typePage {
		r.refuseAbsentID("Cannot find a page with id [%s]", id)
	} else if c == nil {
		r.refuseAbsentID("Content with id: [%s] not found", id)
	}
	return c
}

// shownBelow is the children of c that a listing of the tree shows.
func (r *request) shownBelow(c *content) []*content {
	var shown []*content
	for _, child := range c.children {
		if child.status == "current" && !child.purged && child.visibleTo(r.account) {
			shown = append(shown, child)
		}
	}
	return shown
}

// listDirectChildren shows children of every type, in their order, and of each
// no more than this: no address for people, no version.
func (r *request) listDirectChildren() {
	if c := r.inPath(); c != nil {
		list(r, r.shownBelow(c), 25, func(child *content) object {
			return object{
				"id": child.id, "status": child.status, "title": child.title, "type": child.kind, "spaceId": child.space.id, "childPosition": child.position,
			}
		})
	}
}

// listChildPages is the deprecated listing, which hides all but pages.
func (r *request) listChildPages() {
	c := r.inPath()
	if c == nil {
		return
	}
	var pages []*content
	for _, child := range r.shownBelow(c) {
		if child.kind == typePage {
			pages = append(pages, child)
		}
	}
	list(r, pages, 25, func(child *content) object {
		return object{"id": child.id, "status": child.status, "title": child.title, "spaceId": child.space.id, "childPosition": child.position}
	})
}

// maxDepth is how deep a listing of descendants goes; what lies deeper is left
// out without a word (api-facts §3).
const maxDepth = 10

func (r *request) listDescendants() {
	c := r.inPath()
	if c == nil {
		return
	}
	deepest, ok := r.number("depth", 2, maxDepth)
	if !ok {
		return
	}
	var found []object
	var walk func(above *content, depth int)
	walk = func(above *content, depth int) {
		for _, child := range r.shownBelow(above) {
			found = append(found, object{
				"id": child.id, "status": child.status, "title": child.title, "type": child.kind, "parentId": above.id,
				"depth": depth, "childPosition": child.position,
			})
			if depth < deepest {
				walk(child, depth+1)
			}
		}
	}
	walk(c, 1)
	list(r, found, 25, func(o object) object { return o })
}

// listAncestors has no cursor: the topmost of a full answer is where to ask on.
func (r *request) listAncestors() {
	c := r.inPath()
	if c == nil {
		return
	}
	limit, ok := r.number("limit", 25, maxLimit)
	if !ok {
		return
	}
	above := []object{} // highest first
	for at := c.parent; at != nil && len(above) < limit; at = at.parent {
		above = append([]object{{"id": at.id, "type": at.kind}}, above...)
	}
	r.json(object{"results": above, "_links": object{"base": r.linkBase()}})
}

// getPlace shows what is in the tree but is no page: folders, whiteboards,
// databases and embeds.
func (r *request) getPlace() {
	c := r.inPath()
	if c == nil {
		return
	}
	shown := object{
		"id": c.id, "type": c.kind, "status": c.status, "title": c.title, "spaceId": c.space.id, "position": c.position,
		"parentId": nil, "parentType": nil, "authorId": c.author().id, "ownerId": c.author().id,
		"createdAt": timeJSON(c.created()), "version": versionJSON(c.current()),
		"_links": object{"webui": webui(c), "base": r.linkBase()},
	}
	if c.parent != nil && c.status != "trashed" {
		shown["parentId"], shown["parentType"] = c.parent.id, c.parent.kind
	}
	if c.kind == typeEmbed {
		shown["embedUrl"] = c.address
	}
	r.json(shown)
}
