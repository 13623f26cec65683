package confluenceclient

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wiki is an upstream of pages, whose ids are numbers, that takes its time.
type wiki struct {
	mu      sync.Mutex
	version map[string]int // 0: absent; a page not named here has version 1
	broken  *http.Response // when set, the answer to everything
	latency time.Duration
	reads   []string // ids of pages that were read one by one
	lists   int      // requests for many pages
}

func (w *wiki) answer(req *http.Request) *http.Response {
	select {
	case <-time.After(w.latency):
	case <-req.Context().Done():
		return reply(503, "") // nobody listens any more
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	if !strings.Contains(req.URL.Path, "/pages") {
		return reply(200, `{"results":[]}`)
	}
	if strings.HasSuffix(req.URL.Path, "/pages") {
		w.lists++
		var rows []string
		for id := range strings.SplitSeq(req.URL.Query().Get("id"), ",") {
			if v := w.versionOf(id); v > 0 {
				rows = append(rows, w.page(id, v, ""))
			}
		}
		return reply(200, `{"results":[`+strings.Join(rows, ",")+`]}`)
	}
	id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
	w.reads = append(w.reads, id)
	v := w.versionOf(id)
	if v == 0 {
		return reply(404, `{"errors":[{"title":"Cannot find a page with id [`+id+`]"}]}`)
	}
	status := "current"
	if old, err := strconv.Atoi(req.URL.Query().Get("version")); err == nil && old != v {
		v, status = old, "historical"
	}
	return reply(200, strings.Replace(w.page(id, v, fmt.Sprintf("body of version %d", v)), "current", status, 1))
}

func (w *wiki) versionOf(id string) int {
	if v, ok := w.version[id]; ok {
		return v
	}
	return 1
}

func (w *wiki) page(id string, version int, body string) string {
	return fmt.Sprintf(`{"id":%q,"status":"current","title":"T%s","spaceId":"7","version":{"number":%d},"body":{"storage":{"value":%q}},"_links":{"webui":"/spaces/DOC/pages/%s"}}`,
		id, id, version, body, id)
}

func (w *wiki) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// asked returns how many pages were read and lists asked for since the last time.
func (w *wiki) asked() (reads, lists int) {
	w.set(func() { reads, lists, w.reads, w.lists = len(w.reads), w.lists, nil, 0 })
	return reads, lists
}

// withWiki runs test in a bubble, with a client of the wiki.
func withWiki(t *testing.T, test func(t *testing.T, client *Client, w *wiki)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wiki{version: map[string]int{}, latency: 50 * time.Millisecond}
		client, _ := newTestClient(t, w.answer)
		test(t, client, w)
	})
}

// all calls read for 0 to n-1 at the same time, and fails the test with the first
// error.
func all(t *testing.T, n int, read func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() { errs[i] = read(i) })
	}
	done.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		t.Fatalf("call %d: %v", i, errs[i])
	}
}

func storage(age time.Duration) PageOptions { return PageOptions{Format: FormatStorage, MaxAge: age} }

func TestAThousandIdenticalReadsAreOne(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		for _, age := range []time.Duration{time.Minute, 0} {
			time.Sleep(time.Hour)
			sources := make([]Source, 1000)
			all(t, 1000, func(i int) error {
				page, err := client.Page(t.Context(), "1", storage(age))
				if err == nil {
					sources[i] = page.Freshness.Source
				}
				return err
			})
			reads, lists := w.asked()
			if reads+lists != 1 {
				t.Errorf("max age %v: %d reads and %d lists, want one request", age, reads, lists)
			}
			own := 0
			for _, source := range sources {
				if source == (Tolerance{MaxAge: age}).upstream() {
					own++
				}
			}
			if age == 0 && own != 1 {
				t.Errorf("%d callers say that they asked, want one", own)
			}
		}
	})
}

func TestPagesThatManyReadAgainAndAgainAreReadOnceEach(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		all(t, 50, func(caller int) error {
			for i := range 200 {
				if _, err := client.Page(t.Context(), strconv.Itoa(1+(i*7+caller*13)%200), storage(time.Minute)); err != nil {
					return err
				}
				time.Sleep(time.Second) // so that states become too old on the way
			}
			return nil
		})
		reads, lists := w.asked()
		if reads > 200 || lists > 200*200/60 {
			t.Errorf("%d reads of bodies and %d look-ups for 10,000 reads of 200 pages", reads, lists)
		}
	})
}

func TestOldPagesCostALookUpForAllAndTheBodyOfThoseThatChanged(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		read := func(i int) error {
			page, err := client.Page(t.Context(), strconv.Itoa(i+1), storage(time.Minute))
			if err == nil && page.Body != fmt.Sprintf("body of version %d", w.versionOf(page.ID)) {
				err = fmt.Errorf("body %q of version %d", page.Body, page.Version.Number)
			}
			return err
		}
		all(t, 300, read)
		if reads, lists := w.asked(); reads != 300 || lists != 0 {
			t.Fatalf("%d reads, %d lists", reads, lists)
		}
		time.Sleep(time.Hour)
		all(t, 300, read)
		// Two lists, or three when the first to come was off before the others.
		if reads, lists := w.asked(); reads != 0 || lists < 2 || lists > 3 {
			t.Errorf("unchanged: %d reads, %d lists; want 0 and 2 or 3", reads, lists)
		}
		all(t, 300, read)
		if reads, lists := w.asked(); reads != 0 || lists != 0 {
			t.Errorf("young again: %d reads, %d lists; want none", reads, lists)
		}
		time.Sleep(time.Hour)
		w.version["5"], w.version["6"] = 2, 9
		all(t, 300, read)
		if reads, lists := w.asked(); reads != 2 || lists < 2 || lists > 3 {
			t.Errorf("two changed: %d reads, %d lists; want 2, and 2 or 3", reads, lists)
		}
	})
}

func TestRevalidatingAThousandPagesTakesFourRequests(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		ids := []string{"junk,1"}
		for i := range 1000 {
			ids = append(ids, strconv.Itoa(i+1))
		}
		w.version["17"] = 0
		pages, err := client.Revalidate(t.Context(), ids, time.Minute)
		if err != nil || len(pages) != 999 || pages["17"] != nil || pages["18"].SpaceKey != "DOC" {
			t.Fatalf("%d pages, %v; want all but the absent one", len(pages), err)
		}
		if reads, lists := w.asked(); reads != 0 || lists != 4 {
			t.Errorf("%d reads, %d lists; want 0 and 4", reads, lists)
		}
		if _, err := client.Revalidate(t.Context(), ids[2:10], time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, lists := w.asked(); lists != 0 {
			t.Errorf("young pages cost %d lists", lists)
		}
	})
}

func TestAbsenceIsBelievedForSeconds(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		w.version["1"] = 0
		absent := func(age time.Duration) (reads int) {
			t.Helper()
			_, err := client.Page(t.Context(), "1", storage(age))
			if CauseOf(err) != CauseNotFound {
				t.Fatalf("%v, want not found", err)
			}
			reads, _ = w.asked()
			return reads
		}
		if absent(time.Hour) != 1 || absent(time.Hour) != 0 || absent(0) != 1 {
			t.Error("absence was not remembered, or remembered for who asks Confluence")
		}
		time.Sleep(5 * time.Second)
		if absent(4*time.Second) != 1 || absent(time.Hour) != 0 {
			t.Error("absence was believed for longer than the caller said")
		}
		time.Sleep(maxAbsence + 1)
		if absent(time.Hour) != 1 {
			t.Error("absence was believed for more than ten seconds")
		}
		w.version["1"] = 1
		if _, err := client.Page(t.Context(), "1", storage(0)); err != nil {
			t.Error(err)
		}
		if _, err := client.Page(t.Context(), "1", storage(time.Hour)); err != nil {
			t.Errorf("a page that is there now: %v", err)
		}
	})
}

func TestAnOldCopyIsServedWhereConfluenceCannotBeAskedAndTheCallerAllowsIt(t *testing.T) {
	tests := []struct {
		name   string
		answer *http.Response
		cause  Cause
		serves bool
	}{
		{"down", reply(503, ""), CauseUnavailable, true},
		{"rate limited", reply(429, "", "Retry-After", "3600"), CauseRateLimited, true},
		{"token rejected", reply(401, ""), CauseTokenRejected, true},
		{"maintenance page", reply(200, "<html>", "Content-Type", "text/html"), CauseBadResponse, true},
		{"absent", reply(404, `{"errors":[{"title":"Cannot find a page with id [1]"}]}`), CauseNotFound, false},
		{"scope missing", reply(401, scopeRefusal), CauseScopeMissing, false},
	}
	for _, tt := range tests {
		for _, maxAge := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("%s, max age %v", tt.name, maxAge), func(t *testing.T) {
				withWiki(t, func(t *testing.T, client *Client, w *wiki) {
					first, err := client.Page(t.Context(), "1", storage(maxAge))
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Hour)
					w.set(func() { w.broken = tt.answer })
					read := func(stale time.Duration) (*Page, error) {
						return client.Page(t.Context(), "1", PageOptions{Format: FormatStorage, MaxAge: maxAge, MaxStale: stale})
					}
					if _, err := read(0); CauseOf(err) != tt.cause && CauseOf(err) != CauseUnavailable {
						t.Errorf("without leave: %v, want %s", err, tt.cause)
					}
					page, err := read(24 * time.Hour)
					if !tt.serves {
						if err == nil {
							t.Errorf("served %+v", page)
						}
						return
					}
					if err != nil || page.Body != first.Body || page.Freshness.Source != SourceStale || !page.Freshness.AsOf.Equal(first.Freshness.AsOf) || page.Freshness.Failure == nil {
						t.Errorf("with leave: %+v, %v", page, err)
					}
					if _, err := read(time.Minute); err == nil {
						t.Error("older than the caller allows")
					}
				})
			})
		}
	}
}

func TestAnOldCopyIsBetterThanALateOne(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		if _, err := client.Page(t.Context(), "1", storage(time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.latency = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		page, err := client.Page(ctx, "1", PageOptions{Format: FormatStorage, MaxStale: time.Hour})
		if err != nil || page.Freshness.Source != SourceStale || time.Since(began) != time.Second {
			t.Errorf("%+v, %v after %v", page, err, time.Since(began))
		}
	})
}

func TestARejectedTokenShowsNothingToWhoWantsNewAnswers(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		all(t, 2, func(i int) error {
			_, err := client.Page(t.Context(), strconv.Itoa(i+1), storage(time.Hour))
			return err
		})
		w.set(func() { w.broken = reply(401, "") })
		_, _ = client.Page(t.Context(), "1", storage(0))
		if _, err := client.Page(t.Context(), "2", storage(time.Hour)); CauseOf(err) != CauseTokenRejected {
			t.Errorf("another page: %v", err)
		}
		w.set(func() { w.broken = nil })
		w.asked()
		if page, err := client.Page(t.Context(), "2", storage(time.Hour)); err != nil || page.Freshness.Source != SourceRevalidated {
			t.Errorf("once the token works: %+v, %v; want the body kept and the state looked up", page, err)
		}
	})
}

func TestAFailureIsSharedAndNotKept(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		w.broken = reply(400, `{"errors":[{"title":"no"}]}`)
		var failed sync.WaitGroup
		for range 100 {
			failed.Go(func() {
				if _, err := client.Page(t.Context(), "1", storage(time.Minute)); CauseOf(err) != CauseInvalid {
					t.Errorf("%v, want the failure", err)
				}
			})
		}
		failed.Wait()
		w.set(func() { w.broken = nil })
		if _, err := client.Page(t.Context(), "1", storage(time.Minute)); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}

func TestOneWhoLeavesDoesNotFailTheOthersAndTheLastEndsTheRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 10)
		w := &wiki{}
		client, _ := newTestClient(t, func(req *http.Request) *http.Response {
			select {
			case <-req.Context().Done():
				ended <- time.Now()
			case <-time.After(time.Minute):
			}
			return w.answer(req)
		})
		leave := func(after time.Duration) (Cause, time.Duration) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			began := time.Now()
			_, err := client.Page(ctx, "1", storage(0)) // a read of its own, and no place in a bulk look-up
			return CauseOf(err), time.Since(began)
		}
		var stayed error
		var done sync.WaitGroup
		done.Go(func() { _, stayed = client.Page(t.Context(), "1", storage(0)) })
		done.Go(func() {
			if cause, took := leave(time.Second); cause != CauseCancelled || took != time.Second {
				t.Errorf("who left got %q after %v", cause, took)
			}
		})
		done.Wait()
		if stayed != nil || len(ended) != 0 {
			t.Errorf("who stayed got %v, %d requests were cancelled", stayed, len(ended))
		}
		time.Sleep(time.Hour)
		began := time.Now()
		for i := range 3 {
			done.Go(func() { leave(time.Duration(i+1) * time.Second) })
		}
		done.Wait()
		if at := <-ended; at.Sub(began) != 3*time.Second {
			t.Errorf("the request was cancelled after %v, want it when the last left", at.Sub(began))
		}
	})
}

func TestOfTwoReadsTheOneThatWasSentLastCounts(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		w.latency = 10 * time.Second
		var slow sync.WaitGroup
		slow.Go(func() { _, _ = client.Page(t.Context(), "1", PageOptions{Format: FormatNone}) }) // answers after 10 s
		synctest.Wait()
		time.Sleep(time.Second)
		w.latency = time.Second
		key := stateKey{client.identity(), "1"}
		client.states.put(key, &Page{ID: "1", Version: Version{Number: 2}}, client.memory.now())
		slow.Wait()
		if got, _ := client.states.known(key); got.value.Version.Number != 2 {
			t.Errorf("version %d is kept, which was asked for earlier", got.value.Version.Number)
		}
	})
}

func TestOldVersionsAreKeptAndServedWhileThePageIs(t *testing.T) {
	withWiki(t, func(t *testing.T, client *Client, w *wiki) {
		w.version["1"] = 3
		read := func() (*Page, error) {
			return client.Page(t.Context(), "1", PageOptions{Format: FormatStorage, Version: 2, MaxAge: time.Minute})
		}
		first, err := read()
		if err != nil || first.Status != "historical" || first.Version.Number != 2 {
			t.Fatalf("%+v, %v", first, err)
		}
		if reads, lists := w.asked(); reads != 2 || lists != 0 {
			t.Errorf("%d reads, %d lists; want the version and the page as it is", reads, lists)
		}
		time.Sleep(time.Hour)
		again, err := read()
		if err != nil || again.Body != first.Body || again.Freshness.Source != SourceRevalidated {
			t.Errorf("%+v, %v", again, err)
		}
		if reads, lists := w.asked(); reads != 0 || lists != 1 {
			t.Errorf("%d reads, %d lists; want one look-up of the page", reads, lists)
		}
		time.Sleep(time.Hour)
		w.version["1"] = 0
		if _, err := read(); CauseOf(err) != CauseNotFound {
			t.Errorf("a version of an absent page: %v", err)
		}
	})
}

func TestTheCacheTakesNoMoreMemoryThanItSays(t *testing.T) {
	const limit = 4 << 20
	w := &wiki{}
	client, _ := newTestClient(t, w.answer, func(cfg *Config) { cfg.CacheBytes = limit })
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	for _, body := range []int{0, 300, 40_000} {
		client.memory.entries.InvalidateAll()
		client.memory.entries.CleanUp()
		before := heap()
		for i := range 2 * limit / (body + entryBytes) {
			id := strconv.Itoa(i)
			page := &Page{ID: id, Title: strings.Repeat("t", 20), Body: strings.Repeat("x", body), WebURL: strings.Repeat("u", 60), Version: Version{Number: 1}}
			now := client.memory.now()
			client.states.put(stateKey{1, id}, page, now)
			client.people.put(personKey{1, id}, strings.Repeat("n", 20), now)
		}
		client.memory.entries.CleanUp()
		weight, grown := int64(client.memory.entries.WeightedSize()), heap()-before
		if weight > limit || weight < limit/2 {
			t.Errorf("bodies of %d: the cache says %d bytes of %d", body, weight, limit)
		}
		if grown > weight*11/10 || grown < weight/2 {
			t.Errorf("bodies of %d: the heap grew by %d bytes, the cache says %d", body, grown, weight)
		}
	}
	runtime.KeepAlive(client)
}
