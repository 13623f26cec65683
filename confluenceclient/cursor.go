package confluenceclient

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Cursor is a place in a listing, as JSON can carry it. The zero Cursor is the
// beginning. What is in it concerns only this package.
type Cursor struct {
	Op    string `json:"o,omitempty"` // operation whose cursor Value is
	Value string `json:"v,omitempty"` // Confluence's own cursor
	Limit int    `json:"l,omitempty"` // page size that Confluence could give, where it is less than was asked for; 0: any

	// The walk so far, for the loop guard below.
	Steps uint32 `json:"s,omitempty"`
	Mark  uint64 `json:"m,omitempty"`
	Until uint32 `json:"u,omitempty"`
	Seen  uint8  `json:"n,omitempty"`
	Empty uint8  `json:"e,omitempty"`
}

// IsZero tells whether the cursor is the beginning or, in an answer, the end.
func (c Cursor) IsZero() bool { return c.Value == "" }

// query says where to go on in a listing, and with pages of what size.
func (c Cursor) query(limit int) url.Values {
	if c.Limit > 0 { // what was too much for one page of results is so for the next
		limit = min(limit, c.Limit)
	}
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if c.Value != "" {
		query.Set("cursor", c.Value)
	}
	return query
}

// maxRepeats is how often the same page of results may come again before a walk
// is called endless. Once can be an accident: equal hits of a search swap.
const maxRepeats = 2

// maxEmpty is how many pages of results in a row may hold nothing.
const maxEmpty = 20

// next returns the cursor for the page after one with these ids. limit is its
// Limit; 0: none that is new.
//
// Some listings never end: they give the same cursor again, or new cursors with
// the same items (CONFSERVER-95396). The guard is Brent's: a mark is set at
// steps 1, 2, 4, 8, … and every page is held against it, so any cycle is found
// within a small multiple of its length, and nothing is kept but the mark. Pages
// that hold nothing are counted.
func (c Cursor) next(op *Operation, value string, ids []string, limit int) (Cursor, error) {
	if value == "" {
		return Cursor{}, nil
	}
	if value == c.Value {
		return Cursor{}, badResponse(op, "the listing never ends: Confluence gave the same cursor again")
	}
	n := Cursor{Op: op.Name, Value: value, Limit: cmp.Or(limit, c.Limit), Steps: c.Steps + 1, Mark: c.Mark, Until: c.Until, Seen: c.Seen}
	if len(ids) == 0 {
		if n.Empty = c.Empty + 1; n.Empty > maxEmpty {
			return Cursor{}, badResponse(op, "the listing never ends: Confluence gives pages of results without results")
		}
	}
	mark := fingerprint(ids)
	if len(ids) > 0 && c.Steps > 0 && mark == c.Mark {
		n.Seen++
	}
	if n.Seen >= maxRepeats {
		return Cursor{}, badResponse(op, "the listing never ends: Confluence gives the same items again and again")
	}
	if n.Steps > n.Until {
		n.Mark, n.Until, n.Seen = mark, 2*n.Steps, 0
	}
	return n, nil
}

// fingerprint is the same for the same ids in any order.
func fingerprint(ids []string) uint64 {
	var sum uint64
	for _, id := range ids {
		h := fnv.New64a()
		_, _ = h.Write([]byte(id))
		sum += h.Sum64()
	}
	return sum
}

// pageLinks is where a listing says how to go on.
type pageLinks struct {
	Next string `json:"next"`
}

var (
	headerLink = regexp.MustCompile(`<([^>]*)>([^<]*)`)
	headerRel  = regexp.MustCompile(`(?i)(?:^|;)\s*rel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))`)
)

// headerNext returns the link of relation "next" in Link headers (RFC 8288):
// among any parameters, quoted or not, in either case, and beside other
// relations.
func headerNext(header http.Header) string {
	for _, link := range headerLink.FindAllStringSubmatch(strings.Join(header.Values("Link"), ", "), -1) {
		for _, rel := range headerRel.FindAllStringSubmatch(link[2], -1) {
			for name := range strings.FieldsSeq(rel[1] + rel[2] + rel[3]) {
				if strings.EqualFold(name, "next") {
					return link[1]
				}
			}
		}
	}
	return ""
}

// maxCursor bounds what goes into a page token and back into an address. Real
// cursors have some hundred bytes.
const maxCursor = 4 << 10

// nextCursor takes the cursor out of a listing's link to the next page, and
// nothing else: the link itself names the site, or lacks the gateway's path
// (atlassian-python-api#1655). Empty means the end.
func nextCursor(op *Operation, links *pageLinks, header http.Header) (string, error) {
	link := ""
	if links != nil {
		link = links.Next
	}
	if link == "" {
		link = headerNext(header)
	}
	if link == "" {
		return "", nil
	}
	_, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	for part := range strings.SplitSeq(query, "&") {
		// Not url.ParseQuery: in a cursor that was not encoded, "+" is a plus.
		if value, ok := strings.CutPrefix(part, "cursor="); ok {
			if cursor, err := url.PathUnescape(value); err == nil && cursor != "" && len(cursor) <= maxCursor && utf8.ValidString(cursor) {
				return cursor, nil
			}
		}
	}
	return "", badResponse(op, "Confluence's link to the next page of results has no cursor that can be used")
}

// noResults is for a listing that lacks its list. An empty one is there all the
// same; without it, an error's body would pass for "nothing found".
func noResults(op *Operation) *Error {
	return badResponse(op, "Confluence's answer has no list of results")
}

// maxLookupPages bounds a look-up, which filters make short.
const maxLookupPages = 20

// each calls visit with the items of a listing until it returns false or the
// listing ends.
func each[T any](ctx context.Context, c *Client, op *Operation, ids pathIDs, query url.Values, visit func(T) bool) error {
	// Smaller pages of results count as parts of one.
	for left := maxLookupPages * pageSize(query); left > 0; left -= max(pageSize(query), 1) {
		var got struct {
			Results []T        `json:"results"`
			Links   *pageLinks `json:"_links"`
		}
		header, err := c.get(ctx, op, ids, query, &got)
		if err != nil {
			return err
		}
		if got.Results == nil {
			return noResults(op)
		}
		for _, item := range got.Results {
			if !visit(item) {
				return nil
			}
		}
		value, err := nextCursor(op, got.Links, header)
		if value == "" {
			return err
		}
		query.Set("cursor", value)
	}
	return badResponse(op, fmt.Sprintf("the listing has more than %d pages of results, so Confluence does not heed the filter or there is too much to look through", maxLookupPages))
}

// first finds the item of a filtered listing that passes is.
func first[T any](ctx context.Context, c *Client, op *Operation, query url.Values, is func(T) bool) (T, error) {
	var found T
	ok := false
	err := each(ctx, c, op, nil, query, func(item T) bool {
		if ok = is(item); ok {
			found = item
		}
		return !ok
	})
	if err == nil && !ok {
		err = absent(op)
	}
	return found, err
}

func absent(op *Operation) *Error {
	return &Error{Op: op, Cause: CauseNotFound, Message: messageAbsent}
}
