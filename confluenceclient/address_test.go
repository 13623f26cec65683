package confluenceclient

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddressesThatPeopleCopyNameTheirPage(t *testing.T) {
	t.Parallel()
	page := func(id string) Address { return Address{Type: TypePage, ID: id} }
	inDoc := func(t ContentType, id string) Address { return Address{Type: t, ID: id, SpaceKey: "DOC"} }
	tests := map[string]Address{
		"https://acme.example/wiki/spaces/DOC/pages/1001":                                           inDoc(TypePage, "1001"),
		"https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book":                                  inDoc(TypePage, "1001"),
		"https://acme.example/wiki/spaces/DOC/pages/1001/Run%2FBook?focusedCommentId=7#Heading-one": inDoc(TypePage, "1001"),
		"\thttps://ACME.example:443/wiki/spaces/DOC/pages/1001/\n":                                  inDoc(TypePage, "1001"),
		"http://acme.example/wiki/spaces/DOC/pages/1001":                                            inDoc(TypePage, "1001"),
		"acme.example/wiki/spaces/DOC/pages/1001":                                                   inDoc(TypePage, "1001"),
		"/wiki/spaces/DOC/pages/1001":                                                               inDoc(TypePage, "1001"),
		"https://acme.example/wiki/spaces/DOC/pages/edit-v2/1001?draftShareId=x":                    inDoc(TypePage, "1001"),
		"https://acme.example/wiki/spaces/~712020abc/pages/9007199254740993/x":                      {Type: TypePage, ID: "9007199254740993", SpaceKey: "~712020abc"},
		"https://acme.example/wiki/pages/viewpage.action?pageId=1001":                               page("1001"),
		"https://acme.example/wiki/pages/viewpage.action?foo=1&pageId=1001&src=x#top":               page("1001"),
		"https://acme.example/wiki/spaces/viewpage.action?pageId=1001":                              page("1001"),
		"https://acme.example/wiki/pages/viewpreviousversions.action?pageId=1001":                   page("1001"),
		"https://acme.example/wiki/pages/viewpage.action?spaceKey=DOC&title=Run+Book":               {Type: TypePage, SpaceKey: "DOC", Title: "Run Book"},
		"https://acme.example/wiki/x/LIQHD":                                                         page("201819180"),
		"https://acme.example/wiki/x/LIQHD?atlOrigin=eyJp#x":                                        page("201819180"),
		"https://acme.example/wiki/x/_AozKw":                                                        page("724765432"),
		"https://acme.example/wiki/x/D4BkcAE":                                                       page("6180601871"),
		"https://acme.example/wiki/x/-----------":                                                   {},
		"https://acme.example/wiki/display/DOC/Run+Book":                                            {Type: TypePage, SpaceKey: "DOC", Title: "Run Book"},
		"https://acme.example/wiki/display/DOC/R%26D+%22x%22%2Fy":                                   {Type: TypePage, SpaceKey: "DOC", Title: `R&D "x"/y`},
		"https://acme.example/wiki/display/DOC/C%2B%2B+Guide":                                       {Type: TypePage, SpaceKey: "DOC", Title: "C++ Guide"},
		"https://acme.example/wiki/spaces/DOC/pages/1001/x.action":                                  inDoc(TypePage, "1001"),
		"https://acme.example/wiki/spaces/DOC/overview?homepageId=5":                                {Type: TypePage, SpaceKey: "DOC"},
		"https://acme.example/wiki/spaces/DOC":                                                      {Type: TypePage, SpaceKey: "DOC"},
		"https://acme.example/wiki/spaces/DOC/blog/2026/03/01/4004/News":                            inDoc(TypeBlogPost, "4004"),
		"https://acme.example/wiki/spaces/DOC/folder/5005":                                          inDoc(TypeFolder, "5005"),
		"https://acme.example/wiki/spaces/DOC/whiteboard/6/x":                                       inDoc(TypeWhiteboard, "6"),
		testGateway + "/wiki/spaces/DOC/pages/1001":                                                 inDoc(TypePage, "1001"),
		testGateway + "/wiki/api/v2/pages/1001?body-format=storage":                                 page("1001"),
		"https://acme.example/wiki/rest/api/content/1001":                                           page("1001"),
	}
	client, u := newTestClient(t, func(*http.Request) *http.Response { return reply(500, "") })
	for raw, want := range tests {
		got, err := client.ParseAddress(raw)
		if want == (Address{}) {
			if err == nil {
				t.Errorf("ParseAddress(%q) = %+v, want an error", raw, got)
			}
			continue
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseAddress(%q): %v, (-want +got):\n%s", raw, err, diff)
		}
	}
	if len(u.requests) != 0 {
		t.Errorf("requests = %v, want none", u.urls())
	}
}

func TestAddressesOfOthersAndOfNothingAreRefused(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(*http.Request) *http.Response { return reply(500, "") })
	for _, raw := range []string{
		"", " ", "1001", "https://", "not an address", "javascript:alert(1)", "ftp://acme.example/wiki/spaces/DOC/pages/1001",
		"https://other.example/wiki/spaces/DOC/pages/1001", "//other.example/wiki/spaces/DOC/pages/1001",
		"https://acme.example@other.example/wiki/spaces/DOC/pages/1001", "https://u:p@acme.example/wiki/spaces/DOC/pages/1001",
		"https://acme.example.other.example/wiki/spaces/DOC/pages/1001", "https://acme.example:8443/wiki/spaces/DOC/pages/1001",
		"https://gw.example/ex/confluence/other-tenant/wiki/spaces/DOC/pages/1001",
		"https://acme.example/wiki/spaces/DOC/pages/1001%3Fstatus=archived", "https://acme.example/wiki/spaces/DOC/pages/..%2f7",
		"https://acme.example/wiki/spaces/DOC/pages/１００１", "https://acme.example/wiki/spaces/DOC/pages/", "https://acme.example/wiki/spaces/DOC/pages/0",
		"https://acme.example/wiki/spaces/DOC/pages/9223372036854775808", "https://acme.example/wiki/pages/viewpage.action?pageId=1&pageId=2",
		"https://acme.example/wiki/pages/viewpage.action", "https://acme.example/wiki/pages/resumedraft.action?draftId=5",
		"https://acme.example/browse/AB-12", "https://acme.example/wiki/home", "https://acme.example/wiki/x/", "https://acme.example/wiki/x/AAAA",
		"https://acme.example/wiki/x/LIQHDLIQHDLIQHD", "https://acme.example/wiki/x/LI+HD", "https://acme.example/wiki/%zz",
		"https://acme.example/wiki/spaces/DOC/pages/1001/" + strings.Repeat("x", maxAddressLength),
	} {
		if got, err := client.ParseAddress(raw); err == nil {
			t.Errorf("ParseAddress(%q) = %+v, want an error", raw, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"https://acme.example/wiki/spaces/DOC/pages/1001/T", "/wiki/x/LIQHD", "https://acme.example/wiki/pages/viewpage.action?pageId=1001"} {
		f.Add(seed)
	}
	client, _ := newTestClient(f, func(*http.Request) *http.Response { return reply(500, "") })
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := client.ParseAddress(raw)
		if err == nil && !isContentID(a.ID) && a.SpaceKey == "" {
			t.Errorf("ParseAddress(%q) = %+v names nothing", raw, a)
		}
	})
}
