package service

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// everything is what the four RPCs read of one site.
type everything struct {
	Pages          []*brokerv1.Page
	Children, Hits []string
	File, Tail     []byte
}

func readEverything(t *testing.T, b *broker) (all everything) {
	t.Helper()
	var warnings []*brokerv1.Warning
	all.Children, warnings = walkChildren(t.Context(), t, b, &brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: 2})
	if len(warnings) > 0 {
		t.Errorf("the children come with warnings %v", warnings)
	}
	for _, id := range []string{"1001", "1005"} {
		got, err := b.GetPage(t.Context(), byID(id))
		if err != nil {
			t.Fatal(err)
		}
		all.Pages = append(all.Pages, got.GetPage())
	}
	search := byCQL("type = page")
	search.PageSize = 2
	all.Hits = slices.Sorted(slices.Values(resultIDs(walkSearch(t.Context(), t, b, search))))
	_, all.File = file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
	_, all.Tail = file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: "att9", Offset: 3})
	if len(all.Children) < 3 || len(all.Hits) < 3 || len(all.File) < 4 || !bytes.Equal(all.Tail, all.File[3:]) {
		t.Errorf("%d children, %d hits, a file of %d bytes and its tail of %d show nothing", len(all.Children), len(all.Hits), len(all.File), len(all.Tail))
	}
	return all
}

// answer is one of the simulator's.
type answer struct {
	*http.Response
	body []byte
}

// recorder keeps the answers that the broker got.
type recorder struct {
	next    http.RoundTripper
	mu      sync.Mutex
	answers []answer
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.Request = req
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, answer{resp, body})
	return resp, nil
}

func (r *recorder) some(is func(answer) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.answers, is)
}

func (a answer) holds(text string) bool { return bytes.Contains(a.body, []byte(text)) }

// traces tells from the answers whether a quirk acted. A good client never gets
// to the quirks that are missing here, or sees only orders that may come
// without them too.
func traces() map[confluencetest.Quirk]func(*recorder) bool {
	return map[confluencetest.Quirk]func(*recorder) bool{
		confluencetest.RangeIgnored: func(r *recorder) bool {
			return r.some(func(a answer) bool { return a.Request.Header.Get("Range") != "" && a.StatusCode == http.StatusOK })
		},
		confluencetest.EmptyPages: func(r *recorder) bool {
			return r.some(func(a answer) bool { return a.holds(`"results":[]`) && a.holds(`"next":`) })
		},
		confluencetest.GatewayBase: func(r *recorder) bool {
			return r.some(func(a answer) bool { return a.holds(`"base":"` + confluencetest.GatewayURL) })
		},
		confluencetest.ServletLinks: func(r *recorder) bool {
			return r.some(func(a answer) bool { return a.holds(`/download/attachments/`) })
		},
		confluencetest.NoLinkHeader: func(r *recorder) bool {
			return !r.some(func(a answer) bool { return a.Header.Get("Link") != "" })
		},
	}
}

func TestNoQuirkOfConfluenceChangesWhatIsRead(t *testing.T) {
	t.Parallel()
	read := func(t *testing.T, options ...confluencetest.Option) (everything, *recorder) {
		seen := &recorder{}
		b := newBroker(t, func(s *setup) {
			s.simulator = append(s.simulator, options...)
			s.upstream = func(next http.RoundTripper) http.RoundTripper { seen.next = next; return seen }
		})
		return readEverything(t, b), seen
	}
	want, plain := read(t)
	for _, page := range want.Pages {
		if page.GetBody().GetValue() == "" {
			t.Errorf("page %s has no body to compare", page.GetId())
		}
	}
	for _, quirk := range confluencetest.Quirks() {
		t.Run(string(quirk), func(t *testing.T) {
			t.Parallel()
			got, seen := read(t, confluencetest.With(quirk))
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("-plain +%s:\n%s", quirk, diff)
			}
			if acted := traces()[quirk]; acted != nil && (!acted(seen) || acted(plain)) {
				t.Errorf("the quirk acted: %v with it, %v without", acted(seen), acted(plain))
			}
		})
	}
}
