package service

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// agedAnswer is what answers say of their age.
type agedAnswer interface {
	GetStale() bool
	GetAsOfTime() *timestamppb.Timestamp
	GetWarnings() []*brokerv1.Warning
}

// agedReads are the reads that the cache may answer, by name.
func agedReads(b *broker) map[string]func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
	return map[string]func(context.Context, *durationpb.Duration, *durationpb.Duration) (agedAnswer, error){
		"GetPage": func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
			return b.GetPage(ctx, &brokerv1.GetPageRequest{Page: byID("1001").GetPage(), MaxAge: maxAge, MaxStale: maxStale})
		},
		"GetPage by title": func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
			return b.GetPage(ctx, &brokerv1.GetPageRequest{Page: byTitle("DOC", "Run Book").GetPage(), MaxAge: maxAge, MaxStale: maxStale})
		},
		"GetPage in Markdown": func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
			return b.GetPage(ctx, &brokerv1.GetPageRequest{Page: byID("1001").GetPage(), BodyFormat: brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN, MaxAge: maxAge, MaxStale: maxStale})
		},
		"ListChildren": func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
			return b.ListChildren(ctx, &brokerv1.ListChildrenRequest{ParentId: "1000", MaxAge: maxAge, MaxStale: maxStale})
		},
		"Search": func(ctx context.Context, maxAge, maxStale *durationpb.Duration) (agedAnswer, error) {
			return b.Search(ctx, &brokerv1.SearchRequest{Query: &brokerv1.SearchRequest_Text{Text: "book"}, MaxAge: maxAge, MaxStale: maxStale})
		},
	}
}

func TestOldAnswersAreServedWhereTheCallerAllowsAndMarked(t *testing.T) {
	faults := map[string]struct {
		fault  confluencetest.Fault
		code   codes.Code
		reason string
	}{
		"outage":         {confluencetest.Fault{Status: http.StatusServiceUnavailable}, codes.Unavailable, "UPSTREAM_UNAVAILABLE"},
		"rate limit":     {confluencetest.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3600"}}}, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED"},
		"rejected token": {confluencetest.Fault{Status: http.StatusUnauthorized}, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED"},
	}
	reads := agedReads(nil)
	for name := range reads {
		for what, tt := range faults {
			t.Run(name+", "+what, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					b := newBroker(t)
					read := agedReads(b)[name]
					began := time.Now()
					first, err := read(t.Context(), nil, nil)
					if err != nil || first.GetStale() || !first.GetAsOfTime().AsTime().Equal(began) {
						t.Fatalf("the first answer is stale %v, of %v; %v", first.GetStale(), first.GetAsOfTime().AsTime(), err)
					}
					time.Sleep(time.Hour)
					b.sim.AddFault(tt.fault)
					_, err = read(t.Context(), nil, nil)
					failedAs(t, err, tt.code, tt.reason)
					_, err = read(t.Context(), nil, durationpb.New(time.Minute))
					failedAs(t, err, tt.code, tt.reason)
					b.spans.Reset()
					got, err := read(t.Context(), nil, durationpb.New(2*time.Hour))
					if err != nil {
						t.Fatal(err)
					}
					marked := slices.ContainsFunc(got.GetWarnings(), func(w *brokerv1.Warning) bool {
						return w.GetCode() == brokerv1.WarningCode_WARNING_CODE_STALE && w.GetSubject() == tt.reason
					})
					if !got.GetStale() || !marked || !got.GetAsOfTime().AsTime().Equal(began) {
						t.Errorf("stale = %v, as of %v, warnings %v", got.GetStale(), got.GetAsOfTime().AsTime(), got.GetWarnings())
					}
					if source := attr(serverSpans(b)[0], "confluence_broker.cache"); source != "stale" {
						t.Errorf("confluence_broker.cache = %q", source)
					}
				})
			})
		}
	}
}

func TestOldAnswersNeverStandInForAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		if _, err := b.GetPage(t.Context(), byID("1001")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		b.sim.AddFault(confluencetest.Fault{Route: "/wiki/api/v2/pages/{id}", Status: http.StatusNotFound, Body: `{"errors":[{"title":"Cannot find a page with id [1001]"}]}`})
		b.sim.AddFault(confluencetest.Fault{Route: "/wiki/api/v2/pages", Status: http.StatusOK, Body: `{"results":[]}`})
		req := byID("1001")
		req.MaxStale = durationpb.New(24 * time.Hour)
		_, err := b.GetPage(t.Context(), req)
		failedAs(t, err, codes.NotFound, "PAGE_NOT_FOUND")
		b.sim.ClearFaults()
		b.sim.AddFault(confluencetest.Fault{Status: http.StatusServiceUnavailable})
		time.Sleep(time.Minute)
		_, err = b.GetPage(t.Context(), req)
		failedAs(t, err, codes.Unavailable, "UPSTREAM_UNAVAILABLE")
	})
}

func TestAnOldAnswerComesBeforeTheCallersTimeIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		for name, read := range agedReads(b) {
			if _, err := read(t.Context(), nil, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		time.Sleep(time.Hour)
		b.sim.AddFault(confluencetest.Fault{Delay: time.Minute})
		for name, read := range agedReads(b) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			got, err := read(ctx, durationpb.New(0), durationpb.New(24*time.Hour))
			cancel()
			if err != nil || !got.GetStale() {
				t.Errorf("%s: stale %v, %v", name, got.GetStale(), err)
			}
		}
	})
}

func TestListingsAreRememberedForSecondsOrAsTheCallerSays(t *testing.T) {
	for _, name := range []string{"ListChildren", "Search"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBroker(t)
				read := agedReads(b)[name]
				for _, step := range []struct {
					after  time.Duration
					maxAge *durationpb.Duration
					asks   bool
				}{
					{0, nil, true},
					{5 * time.Second, nil, false},
					{time.Second, nil, true},
					{time.Hour, durationpb.New(2 * time.Hour), false},
					{0, durationpb.New(0), true},
					{0, nil, false},
				} {
					time.Sleep(step.after)
					before := len(b.api())
					if _, err := read(t.Context(), step.maxAge, nil); err != nil {
						t.Fatal(err)
					}
					if asked := len(b.api()) > before; asked != step.asks {
						t.Errorf("after %v with max_age %v Confluence was asked: %v", step.after, step.maxAge, asked)
					}
				}
			})
		})
	}
}

func TestAgesThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for name, read := range agedReads(b) {
		_, err := read(t.Context(), durationpb.New(-1), &durationpb.Duration{Nanos: 2e9})
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if got := fields(err); !slices.Equal(got, []string{"max_age", "max_stale"}) {
			t.Errorf("%s: violations of %v", name, got)
		}
	}
}

func TestPageTokensHoldWithOtherAges(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	req := &brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: 1}
	first, err := b.ListChildren(t.Context(), req)
	if err != nil || first.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", first, err)
	}
	req.PageToken, req.MaxAge, req.MaxStale = first.GetNextPageToken(), durationpb.New(0), durationpb.New(time.Hour)
	if _, err := b.ListChildren(t.Context(), req); err != nil {
		t.Error(err)
	}
}
