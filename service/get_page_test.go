package service

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func TestGetPageByIDAsksTheGatewayOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	got, err := b.GetPage(t.Context(), byID("1001"))
	if err != nil {
		t.Fatal(err)
	}
	page := got.GetPage()
	if page.GetId() != "1001" || page.GetTitle() != "Run Book" || page.GetSpaceKey() != "DOC" || page.GetStatus() != "current" ||
		page.GetVersion().GetNumber() != 3 || page.GetParentId() != "1000" || page.GetParentType() != brokerv1.ContentType_CONTENT_TYPE_PAGE ||
		page.GetBody().GetFormat() != brokerv1.BodyFormat_BODY_FORMAT_STORAGE || page.GetBody().GetValue() == "" || len(got.GetWarnings()) > 0 {
		t.Errorf("page = %v", got)
	}
	if want := "https://acme.example/wiki/spaces/DOC/pages/1001/"; !strings.HasPrefix(page.GetWebUrl(), want) {
		t.Errorf("web_url = %s, want it to begin with %s", page.GetWebUrl(), want)
	}
	requests := b.sim.Requests()
	if len(requests) != 1 || requests[0].Path != "/ex/confluence/"+b.sim.CloudID+"/wiki/api/v2/pages/1001" {
		t.Errorf("upstream was asked %v, want the page at the gateway alone", b.api())
	}
}

func TestGetPageByAnyAddress(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, url := range []string{
		"https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book",
		"https://acme.example/wiki/spaces/DOC/pages/1001",
		"https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book?focusedCommentId=7#heading",
		"https://acme.example/wiki/spaces/DOC/pages/edit-v2/1001",
		"https://acme.example/wiki/pages/viewpage.action?pageId=1001",
		"https://acme.example/wiki/x/6QM",
		"https://acme.example/wiki/display/DOC/Run+Book",
		"https://acme.example/wiki/spaces/doc/pages/1001/",
	} {
		got, err := b.GetPage(t.Context(), byURL(url))
		if err != nil || got.GetPage().GetId() != "1001" {
			t.Errorf("%s: %v, %v, want page 1001", url, got.GetPage().GetId(), err)
		}
	}
	got, err := b.GetPage(t.Context(), byURL("https://acme.example/wiki/spaces/DOC/overview"))
	if err != nil || got.GetPage().GetId() != "1000" {
		t.Errorf("overview: %v, %v, want the home page", got.GetPage().GetId(), err)
	}
}

func TestGetPageByTitleIgnoresCase(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, req := range []*brokerv1.GetPageRequest{byTitle("DOC", "Run Book"), byTitle("doc", "run book")} {
		got, err := b.GetPage(t.Context(), req)
		if err != nil || got.GetPage().GetId() != "1001" {
			t.Errorf("%v: %v, %v, want page 1001", req, got.GetPage().GetId(), err)
		}
	}
	for key, title := range map[string]string{"~712020abc": "Ada's Notes", "2024": "Review of 2024", "DOC": `R&D "x" <env>`} {
		got, err := b.GetPage(t.Context(), byTitle(key, title))
		if err != nil || got.GetPage().GetTitle() != title || got.GetPage().GetSpaceKey() != key {
			t.Errorf("%s in %s: %v, %v", title, key, got, err)
		}
	}
	_, err := b.GetPage(t.Context(), byTitle("NOSUCH", "Run Book"))
	failedAs(t, err, codes.NotFound, "SPACE_NOT_FOUND")
	_, err = b.GetPage(t.Context(), byTitle("DOC", "No Such Page"))
	failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
}

func TestGetPageServesEachFormatAndEachVersion(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, format := range []brokerv1.BodyFormat{
		brokerv1.BodyFormat_BODY_FORMAT_STORAGE, brokerv1.BodyFormat_BODY_FORMAT_ADF,
		brokerv1.BodyFormat_BODY_FORMAT_VIEW, brokerv1.BodyFormat_BODY_FORMAT_EXPORT_VIEW,
	} {
		req := byID("1001")
		req.BodyFormat = format
		got, err := b.GetPage(t.Context(), req)
		if err != nil || got.GetPage().GetBody().GetFormat() != format || got.GetPage().GetBody().GetValue() == "" {
			t.Errorf("%s: %v, %v", format, got.GetPage().GetBody(), err)
		}
	}
	none := byID("1001")
	none.BodyFormat = brokerv1.BodyFormat_BODY_FORMAT_NONE
	if got, err := b.GetPage(t.Context(), none); err != nil || got.GetPage().GetBody() != nil {
		t.Errorf("NONE: %v, %v, want no body", got.GetPage().GetBody(), err)
	}
	bodies := map[string]bool{}
	for version := int32(1); version <= 3; version++ {
		req := byID("1001")
		req.Version = version
		got, err := b.GetPage(t.Context(), req)
		if err != nil || got.GetPage().GetVersion().GetNumber() != version {
			t.Errorf("version %d: %v, %v", version, got.GetPage().GetVersion(), err)
		}
		bodies[got.GetPage().GetBody().GetValue()] = true
	}
	if len(bodies) != 3 {
		t.Errorf("three versions have %d bodies", len(bodies))
	}
}

func TestGetPageKeepsIdsBeyondFiftyThreeBits(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, id := range []string{"4643979279", "9007199254740993"} {
		if got, err := b.GetPage(t.Context(), byID(id)); err != nil || got.GetPage().GetId() != id {
			t.Errorf("%s: %v, %v", id, got.GetPage().GetId(), err)
		}
	}
}

func TestGetPageBelowAFolderNamesItsParentsType(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	got, err := b.GetPage(t.Context(), byID("1003"))
	if err != nil || got.GetPage().GetParentId() != "5005" || got.GetPage().GetParentType() != brokerv1.ContentType_CONTENT_TYPE_FOLDER {
		t.Errorf("GetPage = %v, %v, want the parent to be folder 5005", got, err)
	}
}

func TestGetPageNamesTheSpaceKeyThatItCannotTell(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withToken("without-space"))
	b.sim.AddFault(confluencetest.Fault{
		Route: "/wiki/api/v2/pages/{id}", Status: http.StatusOK,
		Body: `{"id":"1001","status":"current","title":"Run Book","spaceId":"7","version":{"number":3},"body":{"storage":{"value":""}}}`,
	})
	got, err := b.GetPage(t.Context(), byID("1001"))
	if text := got.GetWarnings()[0].GetMessage(); !strings.Contains(text, "could not be looked up") || !strings.Contains(text, "read:space:confluence") {
		t.Errorf("%q says more than is known, or less", text)
	}
	if err != nil || got.GetPage().GetSpaceKey() != "" || len(got.GetWarnings()) != 1 ||
		got.GetWarnings()[0].GetCode() != brokerv1.WarningCode_WARNING_CODE_FIELD_UNAVAILABLE || got.GetWarnings()[0].GetSubject() != "space_key" {
		t.Errorf("GetPage = %v, %v, want the warning that space_key is unavailable", got, err)
	}
}

func TestGetPageRefusesBadRequestsNamingEveryField(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	tests := []struct {
		name string
		req  *brokerv1.GetPageRequest
		want []string
	}{
		{"nothing named", &brokerv1.GetPageRequest{}, []string{"page"}},
		{"an id with a query", byID("1001?status=archived"), []string{"page_id"}},
		{"an id with a path", byID("../spaces/7"), []string{"page_id"}},
		{"a path that climbs", byID("1001/../../x"), []string{"page_id"}},
		{"an empty id", byID(""), []string{"page_id"}},
		{"full-width digits", byID("１００１"), []string{"page_id"}},
		{"over 20 digits", byID("100000000000000000001"), []string{"page_id"}},
		{"an attachment's id", byID("att9"), []string{"page_id"}},
		{"an address of another site", byURL("https://other.example/wiki/spaces/DOC/pages/1001"), []string{"url"}},
		{"an address of a look-alike", byURL("https://acme.example.evil.example/wiki/spaces/DOC/pages/1001"), []string{"url"}},
		{"an address with a user", byURL("https://acme.example@evil.example/wiki/spaces/DOC/pages/1001"), []string{"url"}},
		{"an address of no page", byURL("https://acme.example/wiki/home"), []string{"url"}},
		{"an address with a made-up space key", byURL("https://acme.example/wiki/display/..%2f..%2f/Run+Book"), []string{"url"}},
		{"an address with a line break in the title", byURL("https://acme.example/wiki/display/DOC/Run%0ABook"), []string{"url"}},
		{"no address", byURL(""), []string{"url"}},
		{"a blog post's address", byURL("https://acme.example/wiki/spaces/DOC/blog/2026/03/01/6006/News"), []string{"url"}},
		{"a folder's address", byURL("https://acme.example/wiki/spaces/DOC/folder/5005"), []string{"url"}},
		{"an endless address", byURL("https://acme.example/wiki/spaces/DOC/pages/1001/" + strings.Repeat("a", 1<<16)), []string{"url"}},
		{"a space key with a path", byTitle("..%2f..%2f", "Run Book"), []string{"title.space_key"}},
		{"blank title and key", byTitle("", " "), []string{"title.space_key", "title.title"}},
		{"a title with a line break", byTitle("DOC", "a\nb"), []string{"title.title"}},
		{
			"all at once",
			&brokerv1.GetPageRequest{
				Page: &brokerv1.GetPageRequest_PageId{PageId: "x"}, BodyFormat: 99, Version: -1, MaxAge: durationpb.New(-time.Second),
			},
			[]string{"page_id", "version", "max_age", "body_format"},
		},
		{"an age beyond all durations", &brokerv1.GetPageRequest{
			Page: &brokerv1.GetPageRequest_PageId{PageId: "1001"}, MaxAge: &durationpb.Duration{Seconds: 1, Nanos: -1},
		}, []string{"max_age"}},
	}
	for _, test := range tests {
		_, err := b.GetPage(t.Context(), test.req)
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if diff := cmp.Diff(test.want, fields(err)); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", test.name, diff)
		}
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
	_, err := b.GetPage(t.Context(), byURL("https://acme.example/wiki/spaces/DOC/folder/5005"))
	if text := status.Convert(err).Message(); !strings.Contains(text, "ListChildren") {
		t.Errorf("%q does not say which call reads a folder", text)
	}
}

func TestGetPageHidesWhatIsNotCurrentAndWhatIsAbsentAlike(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for name, id := range map[string]string{"absent": "404404", "restricted": "3003", "a folder": "5005", "purged": purgedPage, "below a restricted page": "3004"} {
		_, err := b.GetPage(t.Context(), byID(id))
		failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
		if text := status.Convert(err).Message(); !strings.Contains(text, "absent") || !strings.Contains(text, "visible") {
			t.Errorf("%s: %q does not name both possibilities", name, text)
		}
	}
	for _, id := range []string{trashedPage, draftPage} {
		_, err := b.GetPage(t.Context(), byID(id))
		failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
	}
	if got, err := b.GetPage(t.Context(), byID(archivedPage)); err != nil || got.GetPage().GetStatus() != "archived" {
		t.Errorf("archived page: %v, %v", got.GetPage().GetStatus(), err)
	}
}

func TestGetPageOutOfTheCacheUntilItIsTooOld(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for range 3 {
		if _, err := b.GetPage(t.Context(), byID("1001")); err != nil {
			t.Fatal(err)
		}
	}
	if asked := b.api(); len(asked) != 1 {
		t.Errorf("upstream was asked %d times, want once", len(asked))
	}
	never := newBroker(t, func(s *setup) { s.service.MaxAge = -1 })
	for range 3 {
		if _, err := never.GetPage(t.Context(), byID("1001")); err != nil {
			t.Fatal(err)
		}
	}
	if asked := never.api(); len(asked) != 3 {
		t.Errorf("with a negative MaxAge upstream was asked %d times, want three times", len(asked))
	}
}

func TestCallerMetadataNeverReachesTheUpstream(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	ctx := withMetadata(t.Context(),
		"x-atlassian-confluence-url", "http://169.254.169.254/", "x-forwarded-host", "other.example",
		"proxy-authorization", "JUSTATOKEN", "cookie", "a=b")
	if _, err := b.GetPage(ctx, byID("1001")); err != nil {
		t.Fatal(err)
	}
	for _, req := range b.sim.Requests() {
		for name, values := range req.Header {
			if strings.HasPrefix(name, "X-Atlassian") || strings.HasPrefix(name, "X-Forwarded") || name == "Cookie" || slices.Contains(values, "JUSTATOKEN") {
				t.Errorf("upstream was sent %s: %v", name, values)
			}
		}
	}
	if strings.Contains(b.logs.String(), "JUSTATOKEN") {
		t.Error("the log holds the caller's header")
	}
}
