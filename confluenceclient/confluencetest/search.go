package confluencetest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// found is one page of a search.
type found struct {
	query *query
	hits  []hit
	total int
	limit int
	next  *place
}

// run runs the CQL of a request; nil: refused already.
func (r *request) run() *found {
	cql := r.query.Get("cql")
	if strings.TrimSpace(cql) == "" {
		refuseV1(r.w, http.StatusBadRequest, "BadRequestException", "The cql parameter is missing or blank")
		return nil
	}
	q, err := dialect{site: r.site, account: r.account, now: time.Now()}.parseCQL(cql)
	switch {
	case errors.Is(err, errNullPointer):
		answerJSON(r.w, http.StatusInternalServerError, object{"statusCode": 500, "message": errNullPointer.Error()})
		return nil
	case err != nil:
		refuseV1(r.w, http.StatusBadRequest, "BadRequestException", "Could not parse cql : "+cql+" : "+err.Error())
		return nil
	}
	limit, err := strconv.Atoi(r.query.Get("limit"))
	if r.query.Get("limit") == "" {
		limit, err = 25, nil
	}
	if err != nil || limit < 0 {
		refuseV1(r.w, http.StatusBadRequest, "BadRequestException", "limit is not a number")
		return nil
	}
	limit = max(1, min(limit, r.mostHits()))
	at, ok := r.start(cql) // an offset in "start" is ignored without a word
	if !ok {
		return nil
	}
	hits := r.hits(q)
	r.sortHits(q, hits, at)
	from, to, next := r.page(at, limit, len(hits))
	total := len(hits)
	if next != nil {
		total += int(mix(at.Walk+uint64(at.Pages)) % 3) // an estimate, as theirs is
	}
	return &found{query: q, hits: hits[from:to], total: total, limit: limit, next: next}
}

// mostHits is how many results a page may have: fewer when bodies are expanded,
// and "the response will not call out" that it is so (api-facts §3).
func (r *request) mostHits() int {
	expand := r.query.Get("expand")
	switch {
	case strings.Contains(expand, "body.export_view"), strings.Contains(expand, "body.styled_view"):
		return 25
	case strings.Contains(expand, "body."):
		return 50
	}
	return maxLimit
}

// hits is everything that the query holds for and the account may see. Only what
// is current is in the index, once the index has caught up.
func (r *request) hits(q *query) []hit {
	var all []hit
	indexedUntil := time.Now().Add(-r.settings.indexLag)
	for _, sp := range r.site.spaces {
		if h := (hit{space: sp}); r.account.reads(sp) && q.holds(h) {
			all = append(all, h)
		}
	}
	for _, c := range r.site.ordered {
		owner := c.owner()
		if c.status != "current" || owner.status != "current" || c.purged || (r.settings.indexLag > 0 && c.current().when.After(indexedUntil)) {
			continue
		}
		if h := (hit{content: c, space: owner.space}); q.holds(h) && c.visibleTo(r.account) {
			all = append(all, h)
		}
	}
	return all
}

// sortHits orders by what the query says, or what has the words in its title
// first. Equal hits swap places from one walk to the next.
func (r *request) sortHits(q *query, hits []hit, at place) {
	compare := q.compare(hits)
	slices.SortStableFunc(hits, compare)
	turn := at.Walk
	if r.quirk(UnstableSearch) {
		turn += uint64(at.Pages)
	}
	if turn%2 == 0 {
		return
	}
	for i := 0; i+1 < len(hits); i += 2 {
		if compare(hits[i], hits[i+1]) == 0 {
			hits[i], hits[i+1] = hits[i+1], hits[i]
		}
	}
}

// compare orders hits as the query says; without a word of it, those first that
// have what is looked for in their title.
func (q *query) compare(hits []hit) func(a, b hit) int {
	if len(q.order) > 0 {
		return func(a, b hit) int {
			for _, o := range q.order {
				if c := o.compare(a, b); c != 0 {
					return c
				}
			}
			return 0
		}
	}
	inTitle := map[hit]int{}
	for _, h := range hits {
		if len(q.words) > 0 && slices.ContainsFunc(tokens(title(h)), func(w string) bool { return slices.Contains(q.words, w) }) {
			inTitle[h] = 1
		}
	}
	return func(a, b hit) int { return inTitle[b] - inTitle[a] }
}

func (o ordering) compare(a, b hit) int {
	if o.descending {
		a, b = b, a
	}
	switch o.field {
	case "created":
		return createdAt(a).Compare(createdAt(b))
	case "lastmodified":
		return modifiedAt(a).Compare(modifiedAt(b))
	case "space":
		return strings.Compare(a.space.key, b.space.key)
	case "type":
		return strings.Compare(a.kind(), b.kind())
	case "title":
		return strings.Compare(strings.ToLower(title(a)), strings.ToLower(title(b)))
	case "creator":
		return strings.Compare(a.creator(), b.creator())
	}
	return strings.Compare(a.id(), b.id())
}

func (h hit) kind() string {
	if h.content == nil {
		return "space"
	}
	return h.content.kind
}

func (h hit) id() string {
	if h.content == nil {
		return h.space.id
	}
	return h.content.id
}

func (h hit) creator() string {
	if h.content == nil {
		return h.space.author.id
	}
	return h.content.author().id
}

func (r *request) search() {
	if f := r.run(); f != nil {
		results := []object{}
		for _, h := range f.hits {
			results = append(results, r.row(f.query, h))
		}
		r.searchAnswer(f, results)
	}
}

func (r *request) searchContent() {
	if f := r.run(); f != nil {
		results := []object{}
		for _, h := range f.hits {
			if h.content != nil {
				results = append(results, r.contentV1(h.content))
			}
		}
		r.searchAnswer(f, results)
	}
}

// searchAnswer goes on by cursor. The link has no /wiki in front, which its
// context has, and drops the excerpt.
func (r *request) searchAnswer(f *found, results []object) {
	path := strings.TrimPrefix(r.http.URL.Path, "/wiki")
	links := object{"base": r.linkBase(), "context": "/wiki", "self": r.base + r.http.URL.Path + "?" + r.http.URL.RawQuery}
	if f.next != nil {
		query := url.Values{"next": {"true"}, "cursor": {r.sign(forCursor, f.next)}, "limit": {strconv.Itoa(f.limit)}, "cql": {r.query.Get("cql")}}
		if expand := r.query.Get("expand"); expand != "" {
			query.Set("expand", expand)
		}
		links["next"] = path + "?" + query.Encode()
	}
	r.json(object{
		"results": results, "start": 0, "limit": f.limit, "size": len(results), "totalSize": f.total,
		"cqlQuery": r.query.Get("cql"), "searchDuration": 12, "archivedResultCount": 0, "_links": links,
	})
}
