package service

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// walkChildren reads a whole listing, size by size.
func walkChildren(ctx context.Context, t *testing.T, b *broker, req *brokerv1.ListChildrenRequest) (ids []string, warnings []*brokerv1.Warning) {
	t.Helper()
	for range 1000 {
		got, err := b.ListChildren(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, child := range got.GetChildren() {
			ids = append(ids, child.GetId())
		}
		warnings = append(warnings, got.GetWarnings()...)
		if req.PageToken = got.GetNextPageToken(); req.PageToken == "" {
			return ids, warnings
		}
	}
	t.Fatal("the listing does not end")
	return nil, nil
}

func TestListChildrenGivesTypesInConfluencesOrder(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	got, err := b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "1000"})
	if err != nil {
		t.Fatal(err)
	}
	types := map[brokerv1.ContentType]bool{}
	last := int32(-1 << 31)
	for _, child := range got.GetChildren() {
		types[child.GetType()] = true
		if child.Position != nil && child.GetPosition() < last {
			t.Errorf("child %s at %d comes after %d", child.GetId(), child.GetPosition(), last)
		}
		last = max(last, child.GetPosition())
		if child.GetType() == brokerv1.ContentType_CONTENT_TYPE_PAGE && !strings.HasPrefix(child.GetWebUrl(), "https://acme.example/wiki/") {
			t.Errorf("child %s has web_url %q", child.GetId(), child.GetWebUrl())
		}
	}
	for _, want := range []brokerv1.ContentType{
		brokerv1.ContentType_CONTENT_TYPE_PAGE, brokerv1.ContentType_CONTENT_TYPE_FOLDER, brokerv1.ContentType_CONTENT_TYPE_WHITEBOARD,
		brokerv1.ContentType_CONTENT_TYPE_DATABASE, brokerv1.ContentType_CONTENT_TYPE_EMBED,
	} {
		if !types[want] {
			t.Errorf("no child of type %s", want)
		}
	}
}

func TestListChildrenOfAFolder(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	folder := &brokerv1.ListChildrenRequest{ParentId: "5005", ParentType: brokerv1.ContentType_CONTENT_TYPE_FOLDER}
	if got, err := b.ListChildren(t.Context(), folder); err != nil || len(got.GetChildren()) == 0 {
		t.Errorf("ListChildren = %v, %v, want children", got, err)
	}
	_, err := b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "5005"})
	failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
	_, err = b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "404404", ParentType: brokerv1.ContentType_CONTENT_TYPE_FOLDER})
	failedAs(t, err, codes.NotFound, "CONTENT_NOT_FOUND")
}

func TestListChildrenByTokenGivesEachChildOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	all, _ := walkChildren(t.Context(), t, b, &brokerv1.ListChildrenRequest{ParentId: "1000"})
	for _, size := range []int32{1, 2, 3, 1000} {
		got, _ := walkChildren(t.Context(), t, b, &brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: size})
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("page_size %d (-all at once +got):\n%s", size, diff)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(all))); len(sorted) != len(all) || len(all) < 5 {
		t.Errorf("children %v are not at least five, each once", all)
	}
}

func TestListChildrenRefusesTokensOfOtherListings(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	got, err := b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: 1})
	if err != nil || got.GetNextPageToken() == "" {
		t.Fatalf("ListChildren = %v, %v, want a token", got, err)
	}
	token := got.GetNextPageToken()
	before := len(b.api())
	altered := []byte(token)
	altered[len(altered)/2] ^= 1
	refused := map[string]error{}
	for name, token := range map[string]string{
		"garbage": "garbage", "an address": "https://acme.example/wiki/api/v2/spaces?cursor=zzz", "altered": string(altered), "endless": strings.Repeat("A", 1<<16),
	} {
		_, refused[name] = b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "1000", PageToken: token})
	}
	_, refused["another parent"] = b.ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "1001", PageToken: token})
	_, refused["another method"] = b.Search(t.Context(), &brokerv1.SearchRequest{Query: &brokerv1.SearchRequest_Text{Text: "x"}, PageToken: token})
	_, refused["another process"] = newBroker(t).ListChildren(t.Context(), &brokerv1.ListChildrenRequest{ParentId: "1000", PageToken: token})
	for name, err := range refused {
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if diff := cmp.Diff([]string{"page_token"}, fields(err)); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", name, diff)
		}
	}
	if asked := b.api()[before:]; len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
}

func TestListChildrenRefusesBadRequestsNamingEveryField(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	tests := []struct {
		req  *brokerv1.ListChildrenRequest
		want []string
	}{
		{&brokerv1.ListChildrenRequest{}, []string{"parent_id"}},
		{&brokerv1.ListChildrenRequest{ParentId: "1000", ParentType: brokerv1.ContentType_CONTENT_TYPE_BLOG_POST}, []string{"parent_type"}},
		{&brokerv1.ListChildrenRequest{ParentId: "1000", ParentType: 77}, []string{"parent_type"}},
		{&brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: -1}, []string{"page_size"}},
		{&brokerv1.ListChildrenRequest{ParentId: "att9", ParentType: 77, PageSize: -1, PageToken: "x"}, []string{"parent_id", "page_size", "parent_type", "page_token"}},
	}
	for _, test := range tests {
		_, err := b.ListChildren(t.Context(), test.req)
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if diff := cmp.Diff(test.want, fields(err)); diff != "" {
			t.Errorf("%v: fields (-want +got):\n%s", test.req, diff)
		}
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
}
