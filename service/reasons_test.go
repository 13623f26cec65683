package service

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// calls is one good call of each RPC.
func calls() map[string]func(context.Context, *broker) error {
	return map[string]func(context.Context, *broker) error{
		"GetPage": func(ctx context.Context, b *broker) error {
			_, err := b.GetPage(ctx, byID("1001"))
			return err
		},
		"ListChildren": func(ctx context.Context, b *broker) error {
			_, err := b.ListChildren(ctx, &brokerv1.ListChildrenRequest{ParentId: "1000"})
			return err
		},
		"Search": func(ctx context.Context, b *broker) error {
			_, err := b.Search(ctx, byText("run"))
			return err
		},
		"GetAttachment": func(ctx context.Context, b *broker) error {
			_, _, _, err := b.download(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
			return err
		},
	}
}

// faults is what can go wrong upstream with any RPC, and what callers see of it.
func faults() []struct {
	name   string
	fault  confluencetest.Fault
	code   codes.Code
	reason string
} {
	html := http.Header{"Content-Type": {"text/html"}}
	return []struct {
		name   string
		fault  confluencetest.Fault
		code   codes.Code
		reason string
	}{
		{"rate limit", confluencetest.Fault{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED"},
		{"huge Retry-After", confluencetest.Fault{Status: 429, Header: http.Header{"Retry-After": {"99999999999999"}}}, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED"},
		{"server fault", confluencetest.Fault{Status: 503, Body: "<html>", Header: html}, codes.Unavailable, "UPSTREAM_UNAVAILABLE"},
		{"cut connection", confluencetest.Fault{Reset: true}, codes.Unavailable, "UPSTREAM_UNAVAILABLE"},
		{"removed endpoint", confluencetest.Fault{Status: 410, Body: `{"message":"This deprecated endpoint has been removed"}`}, codes.FailedPrecondition, "UPSTREAM_ENDPOINT_GONE"},
		{"HTML in place of JSON", confluencetest.Fault{Status: 200, Body: "<html>log in</html>", Header: html}, codes.Internal, "UPSTREAM_BAD_RESPONSE"},
		{"broken JSON", confluencetest.Fault{Status: 200, Body: `{"id":`}, codes.Internal, "UPSTREAM_BAD_RESPONSE"},
		{"a status of no API", confluencetest.Fault{Status: 418}, codes.Internal, "UPSTREAM_BAD_RESPONSE"},
		{"a refusal of the request", confluencetest.Fault{Status: 400, Body: `{"errors":[{"status":400,"code":"INVALID_REQUEST_PARAMETER","title":"no"}]}`}, codes.InvalidArgument, "INVALID_REQUEST"},
		{
			"a missing scope",
			confluencetest.Fault{Status: 401, Body: `{"code":401,"message":"Unauthorized; scope does not match"}`},
			codes.FailedPrecondition, "UPSTREAM_SCOPE_MISSING",
		},
		{"an empty 401", confluencetest.Fault{Status: 401}, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED"},
		{
			"an anonymous answer",
			confluencetest.Fault{Status: 200, Body: `{}`, Header: http.Header{"X-Seraph-Loginreason": {"AUTHENTICATED_FAILED"}}},
			codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED",
		},
		{
			"a wrong path at the gateway",
			confluencetest.Fault{Status: 404, Body: `{"timestamp":"2026-03-01T00:00:00Z","status":404,"error":"Not Found","message":"No message available","path":"/ex/confluence/x"}`},
			codes.FailedPrecondition, "UPSTREAM_MISROUTED",
		},
	}
}

func TestEachUpstreamFaultHasOneReasonInEveryRPC(t *testing.T) {
	t.Parallel()
	for _, test := range faults() {
		for rpc, call := range calls() {
			t.Run(test.name+" in "+rpc, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					b := newBroker(t)
					b.sim.AddFault(test.fault)
					start := time.Now()
					err := call(t.Context(), b)
					info := failedAs(t, err, test.code, test.reason)
					if info.GetMetadata()["method"] != rpc || info.GetMetadata()["operation"] == "" {
						t.Errorf("metadata = %v, want method and operation", info.GetMetadata())
					}
					if retry := detail[*errdetails.RetryInfo](status.Convert(err)); outcomeHelps(test.reason) != (retry != nil) || retry.GetRetryDelay().AsDuration() > 15*time.Minute {
						t.Errorf("RetryInfo = %v", retry)
					}
					if test.code == codes.InvalidArgument && len(fields(err)) != 1 {
						t.Errorf("fields = %v, want the one at fault", fields(err))
					}
					if took := time.Since(start); took > 2*time.Minute {
						t.Errorf("the call took %v", took)
					}
				})
			})
		}
	}
}

func outcomeHelps(reason string) bool {
	return reason == "UPSTREAM_RATE_LIMITED" || reason == "UPSTREAM_UNAVAILABLE"
}

func TestDeadlineAndCancellationReachTheCallerInEveryRPC(t *testing.T) {
	t.Parallel()
	for rpc, call := range calls() {
		t.Run(rpc, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBroker(t)
				b.sim.AddFault(confluencetest.Fault{Delay: 5 * time.Second})
				for range 200 {
					ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
					info := failedAs(t, call(ctx, b), codes.DeadlineExceeded, "DEADLINE_EXCEEDED")
					cancel()
					if info.GetMetadata()["attempts"] != "1" {
						t.Fatalf("metadata = %v, want one attempt", info.GetMetadata())
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				asked := len(b.api())
				if err := call(ctx, b); status.Code(err) != codes.Canceled {
					t.Errorf("after cancellation: %v, want CANCELLED", err)
				}
				time.Sleep(time.Minute)
				if again := len(b.api()) - asked; again != 1 {
					t.Errorf("upstream was asked %d times for a caller that left, want once", again)
				}
				if line := lastLine(t, b); line["reason"] != "CALLER_CANCELLED" {
					t.Errorf("log line = %v, want CALLER_CANCELLED", line)
				}
				provoked.Store("CALLER_CANCELLED", true) // who left gets no status
			})
		})
	}
}

func TestRateLimitBeyondTheDeadlineIsToldAtOnce(t *testing.T) {
	t.Parallel()
	limit := confluencetest.Fault{Status: 429, Header: http.Header{"Retry-After": {"1"}}, Count: 1}
	t.Run("short deadline", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBroker(t)
			b.sim.AddFault(limit)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := b.GetPage(ctx, byID("1001"))
			failedAs(t, err, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED")
			if delay := detail[*errdetails.RetryInfo](status.Convert(err)).GetRetryDelay().AsDuration(); delay != time.Second || time.Since(start) > 0 {
				t.Errorf("RetryInfo %v after %v, want one second at once", delay, time.Since(start))
			}
		})
	})
	t.Run("long deadline", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBroker(t)
			b.sim.AddFault(limit)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			start := time.Now()
			if _, err := b.GetPage(ctx, byID("1001")); err != nil || time.Since(start) < time.Second || len(b.api()) != 2 {
				t.Errorf("%v after %v and %d requests, want success at the second, after one second", err, time.Since(start), len(b.api()))
			}
		})
	})
}

func TestAnswersWithoutWhatIsDueDoNotFellTheBroker(t *testing.T) {
	t.Parallel()
	nullRow := `{"results":[null],"_links":null}`
	for _, body := range []string{nullRow, `null`, `[]`, `{}`, `{"results":{}}`, `{"version":null,"body":null,"id":{}}`} {
		for rpc, call := range calls() {
			t.Run(body+" in "+rpc, func(t *testing.T) {
				t.Parallel()
				b := newBroker(t)
				b.sim.AddFault(confluencetest.Fault{Status: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {"application/json"}}, Count: 1})
				err := call(t.Context(), b)
				if rpc == "Search" && body == nullRow { // left out, with a warning
					if err != nil {
						t.Errorf("one row that is nothing costs the others: %v", err)
					}
				} else {
					failedAs(t, err, codes.Internal, "UPSTREAM_BAD_RESPONSE")
				}
				if err := call(t.Context(), b); err != nil {
					t.Errorf("the next call: %v", err)
				}
			})
		}
	}
}

// provoked is the reasons that the tests of this run have seen, and the RPCs
// that gave them.
var provoked sync.Map

// TestMain fails a run that leaves a goroutine behind, and a whole run in which
// a reason of the API, or the failing of an RPC, was seen by no test.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if code == 0 && isWholeRun() {
			code = checkProvoked()
		}
		os.Exit(code)
	}))
}

func isWholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

func checkProvoked() (code int) {
	var due []string
	for _, name := range brokerv1.ErrorReason_name {
		due = append(due, strings.TrimPrefix(name, "ERROR_REASON_"))
	}
	for _, desc := range services() {
		due = append(due, methodNames(desc)...)
	}
	for _, name := range due {
		if _, ok := provoked.Load(name); !ok && name != "UNSPECIFIED" {
			fmt.Println("FAIL: no test provokes", name)
			code = 1
		}
	}
	return code
}

func TestEachRPCHasScopesAndFacesEachFault(t *testing.T) {
	t.Parallel()
	for _, rpc := range methodNames(brokerv1.BrokerService_ServiceDesc) {
		if !slices.ContainsFunc(confluenceclient.Needs(), func(n confluenceclient.Need) bool { return n.RPC == rpc }) {
			t.Errorf("%s has no scopes in the catalog", rpc)
		}
		if calls()[rpc] == nil {
			t.Errorf("%s is not among the calls that the faults are tried on", rpc)
		}
	}
}
