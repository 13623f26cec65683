package service

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// walkSearch reads all results.
func walkSearch(ctx context.Context, t *testing.T, b *broker, req *brokerv1.SearchRequest) (results []*brokerv1.SearchResult) {
	t.Helper()
	for range 1000 {
		got, err := b.Search(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, got.GetResults()...)
		if req.PageToken = got.GetNextPageToken(); req.PageToken == "" {
			return results
		}
	}
	t.Fatal("the search does not end")
	return nil
}

func resultIDs(results []*brokerv1.SearchResult) (ids []string) {
	for _, r := range results {
		ids = append(ids, r.GetId())
	}
	return ids
}

func TestSearchTextSendsOneQuotedLiteral(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	if _, err := b.Search(t.Context(), byText("C#ess: BBQ (grill) +x [a]")); err != nil {
		t.Fatal(err)
	}
	sent := b.sim.Requests()[0].Query
	if diff := cmp.Diff([]string{`text ~ "C#ess BBQ grill x a"`}, sent["cql"]); diff != "" {
		t.Errorf("cql (-want +got):\n%s", diff)
	}
	if sent.Has("start") {
		t.Error("an offset was sent")
	}
}

func TestSearchCannotLeaveItsSpaces(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, req := range []*brokerv1.SearchRequest{
		byText(`x" OR type = page OR text ~ "`),
		byCQL(`space = "SEC" OR type = page ORDER BY created`),
		byCQL(`type = page OR space = "SEC"`),
	} {
		req.SpaceKeys = []string{"doc"}
		for _, hit := range walkSearch(t.Context(), t, b, req) {
			if hit.GetSpaceKey() != "DOC" {
				t.Errorf("%v found %s in space %s", req, hit.GetId(), hit.GetSpaceKey())
			}
		}
	}
	all := walkSearch(t.Context(), t, b, byCQL("type = page"))
	if !slices.ContainsFunc(all, func(r *brokerv1.SearchResult) bool { return r.GetSpaceKey() == "SEC" }) {
		t.Error("without the filter nothing of SEC is found, so the filter shows nothing")
	}
}

func TestSearchByPersonalNumericAndReservedSpaceKeys(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	keys := []string{"~712020abc", "2024", "and"}
	req := byCQL("type = page")
	req.SpaceKeys = keys
	found := map[string]bool{}
	for _, hit := range walkSearch(t.Context(), t, b, req) {
		found[hit.GetSpaceKey()] = true
	}
	for _, key := range keys {
		if !found[key] {
			t.Errorf("nothing found in space %s", key)
		}
	}
	if sent := b.sim.Requests()[0].Query.Get("cql"); !strings.HasPrefix(sent, `space in ("~712020abc","2024","and") AND (`) {
		t.Errorf("cql = %s", sent)
	}
}

func TestSearchFiltersByTypeAndLabel(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	req := byCQL(`space = "DOC"`)
	req.Types = []brokerv1.ContentType{brokerv1.ContentType_CONTENT_TYPE_BLOG_POST, brokerv1.ContentType_CONTENT_TYPE_ATTACHMENT}
	results := walkSearch(t.Context(), t, b, req)
	if len(results) == 0 {
		t.Error("nothing found")
	}
	for _, hit := range results {
		if !slices.Contains(req.GetTypes(), hit.GetType()) {
			t.Errorf("found %s of type %s", hit.GetId(), hit.GetType())
		}
	}
	labelled := byCQL(`type = page`)
	labelled.Labels = []string{"runbook"}
	if hits := walkSearch(t.Context(), t, b, labelled); len(hits) == 0 || len(hits) == len(walkSearch(t.Context(), t, b, byCQL("type = page"))) {
		t.Errorf("label filter found %v", resultIDs(hits))
	}
}

func TestSearchByTokenGivesEachHitOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	want := slices.Sorted(slices.Values(resultIDs(walkSearch(t.Context(), t, b, byCQL("type = page")))))
	req := byCQL("type = page")
	req.PageSize = 2
	got := slices.Sorted(slices.Values(resultIDs(walkSearch(t.Context(), t, b, req))))
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 3 {
		t.Errorf("two by two (-at once +got):\n%s", diff)
	}
}

func TestSearchShowsPlainTitlesExcerptsAndAddressesOfTheSite(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, hit := range walkSearch(t.Context(), t, b, byCQL(`space = "DOC"`)) {
		if text := hit.GetTitle() + hit.GetExcerpt(); strings.Contains(text, "@@@") || strings.Contains(text, "&amp;") || strings.Contains(text, "&lt;") {
			t.Errorf("%s: %q is not plain", hit.GetId(), text)
		}
		if !strings.HasPrefix(hit.GetWebUrl(), "https://acme.example/wiki/") {
			t.Errorf("%s: web_url %q", hit.GetId(), hit.GetWebUrl())
		}
	}
}

func TestSearchTellsWhereAnAttachmentBelongs(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	hits := walkSearch(t.Context(), t, b, byCQL(`type = attachment and title = "spec.pdf"`))
	if len(hits) != 1 {
		t.Fatalf("found %v, want one", resultIDs(hits))
	}
	hit := hits[0]
	if hit.GetId() != "att77" || hit.GetType() != brokerv1.ContentType_CONTENT_TYPE_ATTACHMENT || hit.GetContainerId() != "1001" ||
		hit.GetContainerType() != brokerv1.ContentType_CONTENT_TYPE_PAGE || !strings.Contains(hit.GetWebUrl(), "/1001") {
		t.Errorf("hit = %v, want att77 on page 1001", hit)
	}
}

func TestSearchByTimeIsExactToTheInstant(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	all := walkSearch(t.Context(), t, b, byCQL("type = page"))
	for _, pivot := range all {
		at := pivot.GetModifiedTime()
		if at == nil {
			t.Fatalf("%s has no time", pivot.GetId())
		}
		for name, test := range map[string]struct {
			req  *brokerv1.SearchRequest
			want func(time.Time) bool
		}{
			"after is inclusive":  {&brokerv1.SearchRequest{ModifiedAfter: at}, func(t time.Time) bool { return !t.Before(at.AsTime()) }},
			"before is exclusive": {&brokerv1.SearchRequest{ModifiedBefore: at}, func(t time.Time) bool { return t.Before(at.AsTime()) }},
			"one instant": {
				&brokerv1.SearchRequest{ModifiedAfter: at, ModifiedBefore: timestamppb.New(at.AsTime().Add(1))},
				func(t time.Time) bool { return t.Equal(at.AsTime()) },
			},
		} {
			test.req.Query = byCQL("type = page").GetQuery()
			test.req.PageSize = 3
			var want []string
			for _, hit := range all {
				if test.want(hit.GetModifiedTime().AsTime()) {
					want = append(want, hit.GetId())
				}
			}
			got := slices.Sorted(slices.Values(resultIDs(walkSearch(t.Context(), t, b, test.req))))
			if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
				t.Errorf("%s, %v (-want +got):\n%s", name, at.AsTime(), diff)
			}
		}
	}
}

func TestSearchRefusesBadRequestsNamingEveryField(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	with := func(req *brokerv1.SearchRequest, change func(*brokerv1.SearchRequest)) *brokerv1.SearchRequest {
		change(req)
		return req
	}
	now := timestamppb.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	tests := []struct {
		name string
		req  *brokerv1.SearchRequest
		want []string
	}{
		{"nothing to look for", &brokerv1.SearchRequest{}, []string{"query"}},
		{"blank text", byText(" \t"), []string{"text"}},
		{"text of signs", byText(`"*"`), []string{"text"}},
		{"blank CQL", byCQL(" "), []string{"cql"}},
		{"CQL that leaves its brackets", byCQL(`type = page) OR (space = SEC`), []string{"cql"}},
		{"two orders", with(byCQL("type = page order by title"), func(r *brokerv1.SearchRequest) {
			r.OrderBy = brokerv1.SearchOrder_SEARCH_ORDER_CREATE_TIME_ASC
		}), []string{"order_by"}},
		{"bounds the wrong way round", with(byText("x"), func(r *brokerv1.SearchRequest) { r.ModifiedAfter, r.ModifiedBefore = now, now }), []string{"modified_before"}},
		{"times beyond all years", with(byText("x"), func(r *brokerv1.SearchRequest) {
			r.ModifiedAfter, r.ModifiedBefore = &timestamppb.Timestamp{Seconds: 1 << 60}, &timestamppb.Timestamp{Nanos: -1}
		}), []string{"modified_after", "modified_before"}},
		{"too many keys", with(byText("x"), func(r *brokerv1.SearchRequest) { r.SpaceKeys = slices.Repeat([]string{"A"}, 101) }), []string{"space_keys"}},
		{"too many types, none of them one", with(byText("x"), func(r *brokerv1.SearchRequest) { r.Types = make([]brokerv1.ContentType, 1<<16) }), []string{"types"}},
		{"all at once", &brokerv1.SearchRequest{
			Query: &brokerv1.SearchRequest_Text{Text: ""}, SpaceKeys: []string{"DOC", `a" OR`}, Labels: []string{""},
			Types: []brokerv1.ContentType{brokerv1.ContentType_CONTENT_TYPE_PAGE, 0, 99}, OrderBy: 99, PageSize: -1, PageToken: "x",
		}, []string{"order_by", "space_keys[1]", "labels[0]", "types[1]", "types[2]", "text", "page_size", "page_token"}},
	}
	for _, test := range tests {
		_, err := b.Search(t.Context(), test.req)
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if diff := cmp.Diff(test.want, fields(err)); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", test.name, diff)
		}
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
}

func TestSearchPassesOnWhatTheParserSays(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, err := b.Search(t.Context(), byCQL("no_such_field = 1"))
	failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
	if text := status.Convert(err).Message(); !strings.Contains(text, "Could not parse cql") || strings.Contains(text, "com.atlassian") {
		t.Errorf("%q is not the parser's own sentence", text)
	}
	if diff := cmp.Diff([]string{"cql"}, fields(err)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if asked := b.api(); len(asked) != 1 {
		t.Errorf("upstream was asked %d times, want once", len(asked))
	}
}

// rows makes the search answer with these rows, once, and a cursor behind them.
func rows(b *broker, cursor string, rows ...string) {
	b.sim.AddFault(confluencetest.Fault{
		Route: "/wiki/rest/api/search", Status: http.StatusOK, Count: 1,
		Body: `{"results":[` + strings.Join(rows, ",") + `],"totalSize":9,"_links":{"next":"/rest/api/search?next=true&cursor=` + cursor + `"}}`,
	})
}

func TestSearchNamesWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	rows(b, "a",
		`{"content":{"id":"1","type":"page","title":"in DOC"},"url":"/spaces/DOC/pages/1","lastModified":"2026-03-01T01:00:00Z"}`,
		`{"content":{"id":"2","type":"page","title":"space unknown"},"url":"/pages/viewpage.action?pageId=2","lastModified":"2026-03-01T01:00:00Z"}`,
		`{"content":{"id":"3","type":"page","title":"in SEC"},"url":"/spaces/SEC/pages/3","lastModified":"2026-03-01T01:00:00Z"}`,
		`{"content":{"id":"4","type":"page","title":"time unknown"},"url":"/spaces/DOC/pages/4"}`,
		`{"content":{"id":"5","type":"page","title":"too old"},"url":"/spaces/DOC/pages/5","lastModified":"2026-03-01T00:10:00Z"}`,
	)
	req := byText("x")
	req.SpaceKeys = []string{"DOC"}
	req.ModifiedAfter = timestamppb.New(time.Date(2026, 3, 1, 0, 30, 0, 0, time.UTC))
	got, err := b.Search(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "4"}, resultIDs(got.GetResults())); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	warnings := map[string]brokerv1.WarningCode{}
	for _, w := range got.GetWarnings() {
		warnings[w.GetSubject()] = w.GetCode()
	}
	if diff := cmp.Diff(map[string]brokerv1.WarningCode{
		"2": brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED, "space_keys": brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED, "4": brokerv1.WarningCode_WARNING_CODE_TIME_UNVERIFIED,
	}, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestSearchNamesARowThatIsNothing(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	rows(b, "more", `null`, `{"content":{"id":"1","type":"page","title":"one"},"url":"/spaces/DOC/pages/1"}`)
	got, err := b.Search(t.Context(), byText("x"))
	if err != nil || len(got.GetResults()) != 1 || len(got.GetWarnings()) != 1 || got.GetWarnings()[0].GetCode() != brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED {
		t.Errorf("Search = %v, %v, want the other hit and a warning", got, err)
	}
}

func TestSearchByTheAliasOfASpaceSaysWhyItFindsNothing(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for i := range maxEmptyPages {
		id := strconv.Itoa(i)
		rows(b, "cursor"+id, `{"content":{"id":"`+id+`","type":"page","title":"hidden"},"url":"/spaces/SEC/pages/`+id+`"}`)
	}
	req := byText("x")
	req.SpaceKeys = []string{"security"}
	got, err := b.Search(t.Context(), req)
	if err != nil || len(got.GetResults()) > 0 {
		t.Fatalf("Search = %v, %v, want no results", got, err)
	}
	warnings := got.GetWarnings()
	if len(warnings) != 1 || warnings[0].GetCode() != brokerv1.WarningCode_WARNING_CODE_ITEM_OMITTED || warnings[0].GetCount() != maxEmptyPages {
		t.Errorf("warnings = %v, want one, for %d hits", warnings, maxEmptyPages)
	}
	if text := got.String(); strings.Contains(text, "SEC") || strings.Contains(text, "hidden") {
		t.Errorf("%v tells of a space that was not asked for", got)
	}
}

func TestSearchAnswersInUTF8WhateverAddressesHold(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	rows(b, "more", `{"content":{"id":"1","type":"page","title":"one"},"url":"/spaces/A%FFB/pages/1"}`)
	got, err := b.Search(t.Context(), byText("x"))
	if err != nil || len(got.GetResults()) != 1 {
		t.Fatalf("Search = %v, %v, want the hit", got, err)
	}
}

func TestSearchGoesOnOverPagesThatAreFilteredAwayButNotForEver(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	old := func(id string) string {
		return `{"content":{"id":"` + id + `","type":"page"},"url":"/spaces/DOC/pages/1","lastModified":"2026-01-01T00:00:00Z"}`
	}
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		rows(b, "cursor"+id, old(id))
	}
	rows(b, "cursor7", `{"content":{"id":"7","type":"page"},"url":"/spaces/DOC/pages/7","lastModified":"2026-04-01T00:00:00Z"}`)
	req := byText("x")
	req.ModifiedAfter = timestamppb.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	got, err := b.Search(t.Context(), req)
	if err != nil || len(got.GetResults()) > 0 || got.GetNextPageToken() == "" || len(b.api()) != maxEmptyPages {
		t.Fatalf("Search = %v, %v after %d requests, want an empty page with a token after %d", got, err, len(b.api()), maxEmptyPages)
	}
	req.PageToken = got.GetNextPageToken()
	got, err = b.Search(t.Context(), req)
	if diff := cmp.Diff([]string{"7"}, resultIDs(got.GetResults())); err != nil || diff != "" || len(b.api()) != 7 {
		t.Errorf("Search goes on with %v after %d requests (-want +got):\n%s", err, len(b.api()), diff)
	}
}

func TestSearchThatNeverEndsIsAnError(t *testing.T) {
	t.Parallel()
	row := `{"content":{"id":"1","type":"page"},"url":"/spaces/DOC/pages/1"}`
	for name, cursor := range map[string]func(int) string{
		"the same cursor each time":                 func(int) string { return "same" },
		"new cursors each time, with the same rows": func(i int) string { return "c" + strconv.Itoa(i) },
	} {
		b := newBroker(t)
		req := byText("x")
		var err error
		for i := range 50 {
			rows(b, cursor(i), row)
			var got *brokerv1.SearchResponse
			if got, err = b.Search(t.Context(), req); err != nil {
				break
			}
			req.PageToken = got.GetNextPageToken()
		}
		failedAs(t, err, codes.Internal, "UPSTREAM_BAD_RESPONSE")
		if text := status.Convert(err).Message(); !strings.Contains(text, "never ends") {
			t.Errorf("%s: %q does not name the loop", name, text)
		}
	}
}

func TestSearchTokenThatConfluenceNoLongerTakesIsTheTokensFault(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	rows(b, "a", `{"content":{"id":"1","type":"page"},"url":"/spaces/DOC/pages/1"}`)
	req := byText("x")
	got, err := b.Search(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	b.sim.AddFault(confluencetest.Fault{Status: http.StatusBadRequest, Body: `{"errors":[{"status":400,"code":"INVALID_REQUEST_PARAMETER","title":"bad cursor"}]}`})
	req.PageToken = got.GetNextPageToken()
	_, err = b.Search(t.Context(), req)
	failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
	if diff := cmp.Diff([]string{"page_token"}, fields(err)); diff != "" || len(b.api()) != 2 {
		t.Errorf("after %d requests, fields (-want +got):\n%s", len(b.api()), diff)
	}
}
