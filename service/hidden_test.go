package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// hidingSite has a space SEC that some may not read, and in DOC pages that are
// hidden by a label, by what they lie below, and by a restriction.
const hidingSite = `
-- site --
cloud-id: 11111111-2222-3333-4444-555555555555
-- account broker --
id: 712020:0b0b0b0b-0000-4000-8000-000000000001
email: broker@serviceaccount.acme.example
name: Broker
service: yes
-- token reader --
account: broker
secret: ATSTT3xFfSIMULATED-not-a-real-token-hiding=D0C50001
scopes: read:page:confluence read:space:confluence read:hierarchical-content:confluence read:attachment:confluence read:content-details:confluence read:content.metadata:confluence read:folder:confluence read:whiteboard:confluence read:database:confluence read:embed:confluence
-- space DOC --
id: 10
name: Documents
homepage: 100
author: broker
-- space SEC --
id: 20
name: canaryspace
homepage: 200
author: broker
-- space TEAM-A --
id: 30
name: Team A
homepage: 300
author: broker
-- page 100 --
space: DOC
title: Home
version: 1 2026-02-01T09:00:00Z broker
-- page 100 storage --
<p>Welcome all, see <a href="https://acme.example/wiki/spaces/SEC/pages/201">this</a> and <a href="https://acme.example/wiki/pages/viewpage.action?pageId=999">that</a></p>
-- page 101 --
space: DOC
parent: 100
position: 1
title: Open
version: 1 2026-02-01T09:00:00Z broker
version: 2 2026-02-02T09:00:00Z broker
-- page 101 storage v1 --
<p>all of the open words, older</p>
-- page 101 storage --
<p>all of the open words</p>
-- page 102 --
space: DOC
parent: 100
position: 2
title: canarylabelled
labels: secret
version: 1 2026-02-01T09:00:00Z broker canarymessage
version: 2 2026-02-02T09:00:00Z broker canarymessage
-- page 102 storage v1 --
<p>all of the canarybody, older</p>
-- page 102 storage --
<p>all of the canarybody</p>
-- page 103 --
space: DOC
parent: 100
position: 3
title: canarytree
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 103 storage --
<p>all of the canarybody</p>
-- page 104 --
space: DOC
parent: 103
title: canarybelow
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 104 storage --
<p>all of the canarybody</p>
-- page 105 --
space: DOC
parent: 100
position: 5
title: canaryrestricted
restricted-to: broker
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 105 storage --
<p>all of the canarybody</p>
-- page 106 --
space: DOC
parent: 102
title: Below the label
version: 1 2026-02-01T09:00:00Z broker
-- page 106 storage --
<p>all of what lies below</p>
-- folder 110 --
space: DOC
parent: 100
position: 6
title: Folder
version: 1 2026-02-01T09:00:00Z broker
-- page 111 --
space: DOC
parent: 110
title: In the folder
version: 1 2026-02-01T09:00:00Z broker
-- page 111 storage --
<p>all of the folder</p>
-- page 120 --
space: DOC
status: trashed
title: canarytrash
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 120 storage --
<p>all of the canarybody</p>
-- page 200 --
space: SEC
title: canaryhome
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 200 storage --
<p>all of the canarybody</p>
-- page 201 --
space: SEC
parent: 200
title: canarypage
labels: canarylabel
version: 1 2026-02-01T09:00:00Z broker canarymessage
version: 2 2026-02-02T09:00:00Z broker canarymessage
-- page 201 storage v1 --
<p>all of the canarybody, older</p>
-- page 201 storage --
<p>all of the canarybody</p>
-- folder 210 --
space: SEC
parent: 200
title: canaryfolder
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 211 --
space: SEC
parent: 210
title: canaryinfolder
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- page 211 storage --
<p>all of the canarybody</p>
-- blogpost 220 --
space: SEC
title: canaryblog
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- blogpost 220 storage --
<p>all of the canarybody</p>
-- comment 230 --
on: 201
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- comment 230 storage --
<p>all of the canarycomment</p>
-- page 300 --
space: TEAM-A
title: Team home
version: 1 2026-02-01T09:00:00Z broker
-- page 300 storage --
<p>all of the team</p>
-- attachment att901 --
on: 101
title: open.txt
media-type: text/plain
file-id: 00000000-0000-4000-8000-000000000901
version: 1 2026-02-01T09:00:00Z broker
-- attachment att901 data --
open words
-- attachment att902 --
on: 102
title: canaryfile.txt
media-type: text/plain
file-id: 00000000-0000-4000-8000-000000000902
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- attachment att902 data --
canarybytes
-- attachment att903 --
on: 201
title: canaryfile.txt
media-type: text/plain
file-id: 00000000-0000-4000-8000-000000000903
version: 1 2026-02-01T09:00:00Z broker canarymessage
version: 2 2026-02-02T09:00:00Z broker canarymessage
-- attachment att903 data v1 --
canarybytes of old
-- attachment att903 data --
canarybytes
-- attachment att904 --
on: 104
title: canaryfile.txt
media-type: text/plain
file-id: 00000000-0000-4000-8000-000000000904
version: 1 2026-02-01T09:00:00Z broker canarymessage
-- attachment att904 data --
canarybytes
`

// Callers of hidingSite.
var (
	allKnowing = entry("all-knowing", `spaces: ["*"], raw_cql: true`)
	docReader  = entry("doc-reader", `spaces: [DOC], raw_cql: true`)
	patterned  = entry("patterned", `spaces: [DOC, "TEAM-*"], raw_cql: true`)
	labelShy   = entry("label-shy", `spaces: ["*"], except: {spaces: [SEC], labels: [secret]}, raw_cql: true`)
	treeShy    = entry("tree-shy", `spaces: ["*"], except: {spaces: ["S*"], subtrees: [103]}, raw_cql: true`)
	careful    = entry("careful", `spaces: [DOC], except: {labels: ["sec*"], subtrees: [103], restricted: true}, raw_cql: true`)
)

var hidingCallers = []string{allKnowing, docReader, patterned, labelShy, treeShy, careful}

// hiddenFrom is what each caller of hidingSite may not know of, by kind.
var hiddenFrom = map[string]struct{ pages, files []string }{
	"doc-reader": {[]string{"201", "211", "300"}, []string{"att903"}},
	"patterned":  {[]string{"200"}, []string{"att903"}},
	"label-shy":  {[]string{"102", "201"}, []string{"att902", "att903"}},
	"tree-shy":   {[]string{"104", "201"}, []string{"att904"}},
	"careful":    {[]string{"102", "103", "104", "105", "201"}, []string{"att902", "att903", "att904"}},
}

// Ids that nothing has.
const absentPage, absentFile = "998877", "att998877"

// answerTo is all that a caller sees of a refusal.
func answerTo(err error) string {
	st := status.Convert(err)
	text := st.Code().String() + " " + st.Message()
	for _, d := range st.Details() {
		text += "\n" + strings.Join(strings.Fields(protocmpString(d)), " ")
	}
	return text
}

func protocmpString(d any) string {
	return cmp.Diff(nil, d, protocmp.Transform())
}

// ways are the ways to ask for content by its id.
func ways(page, file string) map[string]func(context.Context, *broker) error {
	at := func(change func(*brokerv1.GetPageRequest)) func(context.Context, *broker) error {
		return func(ctx context.Context, b *broker) error {
			req := byID(page)
			change(req)
			_, err := b.GetPage(ctx, req)
			return err
		}
	}
	return map[string]func(context.Context, *broker) error{
		"page":             at(func(*brokerv1.GetPageRequest) {}),
		"page, age 0":      at(func(r *brokerv1.GetPageRequest) { r.MaxAge = durationpb.New(0) }),
		"page as Markdown": at(func(r *brokerv1.GetPageRequest) { r.BodyFormat = brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN }),
		"old version":      at(func(r *brokerv1.GetPageRequest) { r.Version = 1 }),
		"address": at(func(r *brokerv1.GetPageRequest) {
			r.Page = &brokerv1.GetPageRequest_Url{Url: "https://acme.example/wiki/spaces/DOC/pages/" + page}
		}),
		"children": func(ctx context.Context, b *broker) error {
			return listBelow(ctx, b, brokerv1.ContentType_CONTENT_TYPE_PAGE, page)
		},
		"file": func(ctx context.Context, b *broker) error { return readFile(ctx, b, file) },
		"old version of a file": func(ctx context.Context, b *broker) error {
			_, _, _, err := b.download(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: file, Version: 1})
			return err
		},
	}
}

// TestHiddenContentIsAsAbsent holds everything that a caller can see of hidden
// content against what it sees of an id that nothing has: the whole status, and
// how many requests each call took, over calls that follow one another, with what
// others have read before in the cache or not.
func TestHiddenContentIsAsAbsent(t *testing.T) {
	t.Parallel()
	for name, hidden := range hiddenFrom {
		for _, warm := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, warm %t", name, warm), func(t *testing.T) {
				t.Parallel()
				for way, absent := range ways(absentPage, absentFile) {
					want := sequence(t, name, warm, absent)
					ids := hidden.pages
					if strings.Contains(way, "file") {
						ids = hidden.files
					}
					for _, id := range ids {
						got := sequence(t, name, warm, ways(id, id)[way])
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%s %s is hidden and can be told from what is absent (-absent +hidden):\n%s", way, id, diff)
						}
					}
				}
			})
		}
	}
}

// seen is what one call shows its caller.
type seen struct {
	Answer   string
	Requests int
}

// sequence calls three times, in a broker of its own. When it is warm, a caller
// who may read everything has read the whole site before.
func sequence(t *testing.T, name string, warm bool, call func(context.Context, *broker) error) (all []seen) {
	t.Helper()
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, hidingCallers...))
	if warm {
		readWholeSite(t, b)
	}
	for range 3 {
		before := len(b.api())
		err := call(as(t.Context(), name), b)
		if status.Code(err) != codes.NotFound {
			t.Fatalf("%v, want NOT_FOUND", err)
		}
		all = append(all, seen{answerTo(err), len(b.api()) - before})
	}
	return all
}

func readWholeSite(t *testing.T, b *broker) {
	t.Helper()
	ctx := as(t.Context(), "all-knowing")
	for _, id := range []string{"102", "103", "104", "105", "200", "201", "211", "300"} {
		for _, call := range []error{readPage(ctx, b, id), listBelow(ctx, b, brokerv1.ContentType_CONTENT_TYPE_PAGE, id)} {
			if call != nil {
				t.Fatal(call)
			}
		}
	}
	for _, id := range []string{"att902", "att903", "att904"} {
		if err := readFile(ctx, b, id); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpaceAllowListsHoldInEveryRPC is what others have got wrong: an allow-list
// that searches alone respect.
func TestSpaceAllowListsHoldInEveryRPC(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, hidingCallers...))
	ctx := as(t.Context(), "doc-reader")
	for what, err := range map[string]error{
		"PAGE":       readPage(ctx, b, "201"),
		"PAGE below": listBelow(ctx, b, brokerv1.ContentType_CONTENT_TYPE_PAGE, "200"),
		"CONTENT":    listBelow(ctx, b, brokerv1.ContentType_CONTENT_TYPE_FOLDER, "210"),
		"ATTACHMENT": readFile(ctx, b, "att903"),
	} {
		reason, _, _ := strings.Cut(what, " ")
		failedAs(t, err, codes.NotFound, reason+"_NOT_FOUND")
	}
	_, err := b.GetPage(ctx, byTitle("SEC", "canarypage"))
	failedAs(t, err, codes.NotFound, "SPACE_NOT_FOUND")
	found, err := b.Search(ctx, byText("all"))
	if err != nil {
		t.Fatal(err)
	}
	got := resultIDs(found.GetResults())
	slices.Sort(got)
	want := []string{"100", "101", "102", "103", "104", "105", "106", "111"}
	if diff := cmp.Diff(want, got); diff != "" || found.GetEstimatedTotal() != int64(len(want)) {
		t.Errorf("found, of %d (-want +got):\n%s", found.GetEstimatedTotal(), diff)
	}
	for _, id := range []string{"101", "111"} {
		if err := readPage(ctx, b, id); err != nil {
			t.Errorf("a page that it may read: %v", err)
		}
	}
}

// TestNobodyIsTakenForAnonymousWhoBringsACredential asks nothing upstream for
// callers who are not known, with an entry for anonymous ones and without.
func TestNobodyIsTakenForAnonymousWhoBringsACredential(t *testing.T) {
	t.Parallel()
	open := func(s *setup) {
		p := parsePolicy(t, "callers:\n"+docReader+"anonymous: {methods: [\"*\"], spaces: [DOC]}\n")
		s.service.AllowAnonymous, s.service.Policy = true, policyOf(p)
	}
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, docReader), open)
	for _, credential := range []string{"Bearer " + keyOf("nobody"), "Bearer short", "Basic YTpi", "Bearer a.b.c"} {
		failedAs(t, readPage(withMetadata(t.Context(), "authorization", credential), b, "101"), codes.Unauthenticated, "CALLER_UNKNOWN")
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
	if err := readPage(t.Context(), b, "101"); err != nil {
		t.Errorf("anonymous: %v", err)
	}
	failedAs(t, readPage(t.Context(), b, "201"), codes.NotFound, "PAGE_NOT_FOUND")
	closed := newBroker(t, withSite(t, hidingSite), withPolicy(t, docReader))
	failedAs(t, readPage(t.Context(), closed, "101"), codes.Unauthenticated, "CALLER_UNKNOWN")
}
