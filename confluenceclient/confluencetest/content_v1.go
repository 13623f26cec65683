package confluencetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// old is the answer of the endpoints of v1 that Atlassian has taken out of its
// API description. Whether they still work depends on the day, the site and the
// kind of token (api-facts §11): 410, or with the quirk OldContentRoutes what
// they used to say, under a warning.
func (r *request) old() {
	r.w.Header().Set("Deprecation", "true")
	r.w.Header().Set("Warning", `299 - "This API is deprecated and will be removed"`)
	r.w.Header().Set("Link", `<https://developer.atlassian.com/cloud/confluence/changelog/#CHANGE-864>; rel="deprecation"`)
	answer := map[string]func(*request){
		"/content":                       (*request).oldContents,
		"/content/{id}":                  (*request).oldContent,
		"/content/{id}/child/{type}":     (*request).oldChildren,
		"/content/{id}/child/attachment": (*request).oldChildren,
		"/content/{id}/child/comment":    (*request).oldChildren,
		"/content/{id}/label":            (*request).oldLabels,
		"/space":                         (*request).oldSpaces,
		"/space/{spaceKey}":              (*request).oldSpace,
	}[strings.TrimPrefix(r.route.path, "/wiki/rest/api")]
	if answer == nil || !r.quirk(OldContentRoutes) {
		refuseV1(r.w, http.StatusGone, "GoneException", "This deprecated endpoint has been removed.")
		return
	}
	answer(r)
}

// oldInPath is the content of the path; nil: refused already.
func (r *request) oldInPath() *content {
	id := r.http.PathValue("id")
	c := r.find(id, contentTypes...)
	if c == nil || (c.status != "current" && !slices.Contains(r.values("status"), c.status) && r.query.Get("status") != "any") {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No content found with id: ContentId{id="+id+"}")
		return nil
	}
	return c
}

func (r *request) oldContent() {
	if c := r.oldInPath(); c != nil {
		shown := r.contentV1(c)
		shown["_links"].(object)["base"] = r.linkBase()
		r.json(shown)
	}
}

func (r *request) oldContents() {
	kind := r.query.Get("type")
	if kind == "" {
		kind = typePage
	}
	var found []*content
	for _, c := range r.site.ordered {
		switch {
		case c.kind != kind, c.status != "current", c.purged, !c.visibleTo(r.account):
		case r.query.Has("spaceKey") && c.owner().space.key != r.query.Get("spaceKey"):
		case r.query.Has("title") && c.title != r.query.Get("title"):
		default:
			found = append(found, c)
		}
	}
	oldList(r, found, r.contentV1)
}

func (r *request) oldChildren() {
	c := r.oldInPath()
	if c == nil {
		return
	}
	kind := r.route.path[strings.LastIndexByte(r.route.path, '/')+1:]
	if kind == "{type}" {
		kind = r.http.PathValue("type")
	}
	var found []*content
	for _, child := range slices.Concat(r.shownBelow(c), c.attachments, c.comments) {
		if child.kind == kind {
			found = append(found, child)
		}
	}
	oldList(r, found, r.contentV1)
}

func (r *request) oldLabels() {
	if c := r.oldInPath(); c != nil {
		oldList(r, labelsJSON(c.labels), func(label object) object {
			label["label"] = label["name"]
			return label
		})
	}
}

func (r *request) oldSpaces() {
	var found []*space
	for _, sp := range r.site.spaces {
		if r.account.reads(sp) && (!r.query.Has("spaceKey") || slices.Contains(r.query["spaceKey"], sp.key)) {
			found = append(found, sp)
		}
	}
	oldList(r, found, r.spaceV1)
}

func (r *request) oldSpace() {
	key := r.http.PathValue("spaceKey")
	sp := r.site.spaceByKey(key)
	if sp == nil || !r.account.reads(sp) {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No space with key : "+key)
		return
	}
	r.json(r.spaceV1(sp))
}

// oldList answers by start and limit, as listings did before cursors.
func oldList[T any](r *request, all []T, show func(T) object) {
	start, _ := strconv.Atoi(r.query.Get("start"))
	limit, err := strconv.Atoi(r.query.Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	start = min(max(start, 0), len(all))
	limit = min(limit, r.mostHits())
	end := min(start+limit, len(all))
	results := []object{}
	for _, item := range all[start:end] {
		results = append(results, show(item))
	}
	links := object{"base": r.linkBase(), "context": "/wiki", "self": r.base + r.http.URL.Path}
	if end < len(all) {
		query := r.http.URL.Query()
		query.Set("start", strconv.Itoa(end))
		links["next"] = strings.TrimPrefix(r.http.URL.Path, "/wiki") + "?" + query.Encode()
	}
	r.json(object{"results": results, "start": start, "limit": limit, "size": len(results), "_links": links})
}
