package confluencetest

import (
	"fmt"
	"net/url"
	"strings"
)

// place is where a listing goes on. Signed, it is a cursor: no other server
// takes it, and nobody can guess the next one.
type place struct {
	Route  string `json:"r"`
	Query  string `json:"q,omitempty"` // what the walk is about; a cursor is good for nothing else
	Offset int    `json:"o"`
	Walk   uint64 `json:"w"` // tells walks apart, and pages that were empty
	Pages  int    `json:"n"` // pages given so far
}

// start reads where the listing is to go on.
func (r *request) start(about string) (place, bool) {
	at := place{Route: r.http.URL.Path, Query: about, Walk: r.nextWalk()}
	cursor := r.query.Get("cursor")
	if cursor == "" {
		return at, true
	}
	var found place
	if !r.verify(forCursor, cursor, &found) || found.Route != at.Route || found.Query != about {
		refuseParameter(r.w, "Invalid cursor provided: '%s'", cursor)
		return at, false
	}
	return found, true
}

// maxLimit is the most that one page of a listing holds.
const maxLimit = 250

// page picks the items from at on that the next page of results holds, of total
// items. Nothing promises full pages, so some are short; with the quirk
// EmptyPages, some are empty. next is nil behind the last.
func (r *request) page(at place, limit, total int) (from, to int, next *place) {
	from, to = min(at.Offset, total), min(at.Offset+limit, total)
	switch {
	case to == total || at.Pages == 0: // first and last are what people look at
	case r.quirk(EmptyPages) && at.Pages%3 == 1:
		to = from
	case limit > 2:
		to -= int(mix(at.Walk+uint64(at.Pages)) % 3)
	}
	if to < total {
		next = &place{Route: at.Route, Query: at.Query, Offset: to, Walk: at.Walk, Pages: at.Pages + 1}
	}
	return from, to, next
}

// list answers with one page of items as v2 does. all is every item, in order.
func list[T any](r *request, all []T, fallback int, show func(T) object) {
	limit, ok := r.number("limit", fallback, maxLimit)
	if !ok {
		return
	}
	about := r.http.URL.Query()
	about.Del("cursor")
	about.Del("limit")
	at, ok := r.start(about.Encode())
	if !ok {
		return
	}
	from, to, next := r.page(at, limit, len(all))
	results := []object{}
	for _, item := range all[from:to] {
		results = append(results, show(item))
	}
	links := object{"base": r.linkBase()}
	if next != nil {
		// v2 puts /wiki in front, v1 does not (api-facts §3).
		query := r.http.URL.Query()
		query.Set("cursor", r.sign(forCursor, next))
		link := r.http.URL.Path + "?" + query.Encode()
		links["next"] = link
		if !r.quirk(NoLinkHeader) {
			r.w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next", <%s>; rel="base"`, link, links["base"]))
		}
	}
	r.json(object{"results": results, "_links": links})
}

// linkBase is what _links.base says: the site, whatever host was asked.
func (r *request) linkBase() string {
	if r.quirk(GatewayBase) {
		return r.hosts.gateway + "/ex/confluence/" + r.CloudID + "/wiki"
	}
	return r.base + "/wiki"
}

// refuseAbsentID answers 404 for content that is not there, or not for this account;
// purged content is not even named.
func (r *request) refuseAbsentID(format, id string) {
	if c := r.site.contents[id]; c != nil && c.purged {
		refuseBare(r.w)
		return
	}
	refuseAbsent(r.w, format, id)
}

// webui is the address of something for people, below /wiki.
func webui(c *content) string {
	owner := c.owner()
	link := "/spaces/" + url.PathEscape(owner.space.key)
	switch {
	case owner.space.homepage == owner.id:
		link += "/overview"
	case owner.kind == typePage:
		link += "/pages/" + owner.id + "/" + titleInPath(owner.title)
	case owner.kind == typeBlogPost:
		link += "/blog/" + owner.created().UTC().Format("2006/01/02") + "/" + owner.id + "/" + titleInPath(owner.title)
	default:
		link += "/" + owner.kind + "/" + owner.id
	}
	switch c.kind {
	case typeAttachment:
		return link + "?preview=/" + owner.id + "/" + strings.TrimPrefix(c.id, "att") + "/" + url.PathEscape(c.title)
	case typeComment:
		return link + "?focusedCommentId=" + c.id
	}
	return link
}

func titleInPath(title string) string { return strings.ReplaceAll(url.QueryEscape(title), "%20", "+") }
