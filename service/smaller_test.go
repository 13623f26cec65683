package service

import (
	"net/http"
	"slices"
	"strconv"
	"testing"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// overtaxed answers 504 to listings of more than so many items.
type overtaxed struct {
	next http.RoundTripper
	most int
}

func (o overtaxed) RoundTrip(req *http.Request) (*http.Response, error) {
	if limit, _ := strconv.Atoi(req.URL.Query().Get("limit")); limit > o.most {
		return &http.Response{StatusCode: http.StatusGatewayTimeout, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	}
	return o.next.RoundTrip(req)
}

func TestAListingTooLargeForConfluenceComesInSmallerPagesWithARemark(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t, func(s *setup) {
			s.site = confluencetest.Generate(200, 1)
			s.upstream = func(next http.RoundTripper) http.RoundTripper { return overtaxed{next, 20} }
		})
		req := &brokerv1.SearchRequest{Query: &brokerv1.SearchRequest_Cql{Cql: "type = page"}, PageSize: 100}
		var seen []string
		for range 50 {
			resp, err := b.Search(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, hit := range resp.GetResults() {
				seen = append(seen, hit.GetId())
			}
			remarked := slices.ContainsFunc(resp.GetWarnings(), func(w *brokerv1.Warning) bool {
				return w.GetCode() == brokerv1.WarningCode_WARNING_CODE_PAGE_SMALLER && w.GetSubject() == "page_size"
			})
			if more := resp.GetNextPageToken() != ""; remarked != more {
				t.Errorf("remark = %v where more = %v: %v", remarked, more, resp.GetWarnings())
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				break
			}
		}
		unique := len(slices.Compact(slices.Sorted(slices.Values(seen))))
		if unique != len(seen) || unique < 200 {
			t.Errorf("%d hits, %d of them different; want all 200 once", len(seen), unique)
		}
		asked := len(b.api())
		if most := len(seen)/10 + 5; asked > most {
			t.Errorf("%d requests, want at most %d", asked, most)
		}
	})
}
