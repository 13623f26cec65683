package service

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// moving answers, once all has moved, as if everything in DOC were in SEC.
type moving struct {
	next  http.RoundTripper
	moved bool
	down  bool
}

func (m *moving) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.down {
		return nil, io.ErrUnexpectedEOF
	}
	resp, err := m.next.RoundTrip(req)
	if err != nil || !m.moved {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	body = bytes.ReplaceAll(body, []byte("/spaces/DOC/"), []byte("/spaces/SEC/"))
	body = bytes.ReplaceAll(body, []byte(`"spaceId":"7"`), []byte(`"spaceId":"8"`))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func TestCallersCannotChooseHowLongTheyGoOnReadingWhatMovedOutOfReach(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		upstream := &moving{}
		b := newBroker(t, withPolicy(t, entry("reader", "spaces: [DOC]"), entry("all", `spaces: ["*"]`)), func(s *setup) {
			s.upstream = func(next http.RoundTripper) http.RoundTripper {
				upstream.next = next
				return upstream
			}
		})
		const ever = 1000 * time.Hour
		read := func(caller string) error {
			req := byID("1001")
			req.MaxAge, req.MaxStale = durationpb.New(ever), durationpb.New(ever)
			_, err := b.GetPage(as(t.Context(), caller), req)
			return err
		}
		list := func() error {
			_, err := b.ListChildren(as(t.Context(), "reader"), &brokerv1.ListChildrenRequest{ParentId: "1000", MaxAge: durationpb.New(ever), MaxStale: durationpb.New(ever)})
			return err
		}
		for _, err := range []error{read("reader"), read("all"), list()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		upstream.moved = true
		time.Sleep(DefaultMaxAge + time.Second)
		if err := read("all"); err != nil {
			t.Errorf("who may read all, and wants no newer copy: %v", err)
		}
		failedAs(t, read("reader"), codes.NotFound, "PAGE_NOT_FOUND")
		failedAs(t, list(), codes.NotFound, "PAGE_NOT_FOUND")

		upstream.moved = false
		time.Sleep(time.Minute)
		if err := read("reader"); err != nil {
			t.Fatal(err)
		}
		upstream.down = true
		time.Sleep(time.Minute)
		if err := read("reader"); err != nil {
			t.Errorf("a minute after Confluence went away: %v", err)
		}
		time.Sleep(maxYesAge)
		failedAs(t, read("reader"), codes.Unavailable, "UPSTREAM_UNAVAILABLE")
	})
}
