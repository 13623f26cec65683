package service

import (
	"fmt"
	"slices"
	"strings"
	"time"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	maxFilterValues = 100
	maxLabel        = 255
)

// filters checks the filters and returns them, but for that by space, as terms of
// CQL.
func (v *violations) filters(req *brokerv1.SearchRequest) []string {
	for i, key := range bounded(v, "space_keys", req.GetSpaceKeys()) {
		v.spaceKey(fmt.Sprintf("space_keys[%d]", i), key)
	}
	for i, label := range bounded(v, "labels", req.GetLabels()) {
		v.line(fmt.Sprintf("labels[%d]", i), label, maxLabel)
	}
	var types []string
	for i, t := range bounded(v, "types", req.GetTypes()) {
		types = append(types, string(contentTypes[t]))
		if types[i] == "" {
			v.add(fmt.Sprintf("types[%d]", i), "%s is not a type of content", t)
		}
	}
	after, before := req.GetModifiedAfter(), req.GetModifiedBefore()
	v.timestamp("modified_after", after)
	v.timestamp("modified_before", before)
	var terms []string
	for _, term := range []string{
		anyOf("type", types), anyOf("label", req.GetLabels()),
	} {
		if term != "" {
			terms = append(terms, term)
		}
	}
	if after.IsValid() {
		terms = append(terms, modifiedSince(after.AsTime()))
	}
	if before.IsValid() {
		terms = append(terms, modifiedUntil(before.AsTime()))
	}
	if after.IsValid() && before.IsValid() && !after.AsTime().Before(before.AsTime()) {
		v.add("modified_before", "is not later than modified_after, so nothing can be found")
	}
	return terms
}

// bounded returns the values of a filter to check further: none when there are
// too many, since one sentence is enough then.
func bounded[T any](v *violations, field string, values []T) []T {
	if len(values) > maxFilterValues {
		v.add(field, "has %d values, at most %d are allowed", len(values), maxFilterValues)
		return nil
	}
	return values
}

func (v *violations) order(req *brokerv1.SearchRequest) string {
	order, known := map[brokerv1.SearchOrder]string{
		brokerv1.SearchOrder_SEARCH_ORDER_UNSPECIFIED:        "",
		brokerv1.SearchOrder_SEARCH_ORDER_MODIFIED_TIME_DESC: "lastmodified desc",
		brokerv1.SearchOrder_SEARCH_ORDER_MODIFIED_TIME_ASC:  "lastmodified asc",
		brokerv1.SearchOrder_SEARCH_ORDER_CREATE_TIME_DESC:   "created desc",
		brokerv1.SearchOrder_SEARCH_ORDER_CREATE_TIME_ASC:    "created asc",
		brokerv1.SearchOrder_SEARCH_ORDER_TITLE_ASC:          "title asc",
	}[req.GetOrderBy()]
	if !known {
		v.add("order_by", "%d is not an order", req.GetOrderBy())
	}
	return order
}

// liesElsewhere checks the filter by space once more, since what a query means
// is Confluence's word only: it finds a space by its alias, too.
func liesElsewhere(req *brokerv1.SearchRequest, hit confluenceclient.SearchResult) bool {
	return len(req.GetSpaceKeys()) > 0 && hit.SpaceKey != "" &&
		!slices.ContainsFunc(req.GetSpaceKeys(), func(key string) bool { return strings.EqualFold(key, hit.SpaceKey) })
}

// leftElsewhere is one warning for all hits that lie elsewhere, and shows
// nothing of them: no caller asked for those spaces.
func leftElsewhere(count int32) *brokerv1.Warning {
	w := warning(brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED, "space_keys",
		"hits left out, because Confluence says that they lie in other spaces; if space_keys holds the alias of a space, use its key")
	w.Count = count
	return w
}

// sift adds a hit to the answer if it passes the filters that CQL alone does
// not hold: a space that is known, and times to the second, which CQL has in a
// zone that we do not know.
func sift(req *brokerv1.SearchRequest, hit confluenceclient.SearchResult, resp *brokerv1.SearchResponse) {
	if hit.SpaceKey == "" && len(req.GetSpaceKeys()) > 0 {
		resp.Warnings = append(resp.Warnings, warning(brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED, hit.ID,
			"left out: Confluence does not tell its space, so the filter by space cannot be checked"))
		return
	}
	after, before := req.GetModifiedAfter(), req.GetModifiedBefore()
	switch {
	case after == nil && before == nil:
	case hit.ModifiedTime.IsZero():
		resp.Warnings = append(resp.Warnings, warning(brokerv1.WarningCode_WARNING_CODE_TIME_UNVERIFIED, hit.ID,
			"kept, though Confluence does not tell when it changed, so the filter by time could not be checked"))
	case after != nil && hit.ModifiedTime.Before(after.AsTime()), before != nil && !hit.ModifiedTime.Before(before.AsTime()):
		return
	}
	resp.Results = append(resp.Results, resultMessage(hit))
}

// Confluence reads times in the zone of the token's account, which may be
// anywhere from UTC-12 to UTC+14. The bounds are wide enough for all of them;
// sift does the rest.
const (
	westmost = 12 * time.Hour
	eastmost = 14 * time.Hour
)

func modifiedSince(t time.Time) string {
	return "lastmodified >= " + literal(t.Add(-westmost).Truncate(time.Minute))
}

func modifiedUntil(t time.Time) string {
	return "lastmodified <= " + literal(t.Add(eastmost+time.Minute-1).Truncate(time.Minute))
}

func literal(t time.Time) string {
	// What lies outside the four digits of a year can be no tighter than them.
	if t.Year() < 1 {
		t = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if t.Year() > 9999 {
		t = time.Date(9999, 12, 31, 23, 59, 0, 0, time.UTC)
	}
	return quoted(t.UTC().Format("2006-01-02 15:04"))
}
