package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// detail returns the first detail of its type, or nil.
func detail[T any](st *status.Status) (found T) {
	for _, d := range st.Details() {
		if d, ok := d.(T); ok {
			return d
		}
	}
	return found
}

func operation(t *testing.T, rpc, purpose string) *confluenceclient.Operation {
	t.Helper()
	for _, need := range confluenceclient.Needs() {
		if need.RPC == rpc && need.Purpose == purpose {
			return need.AnyOf[0]
		}
	}
	t.Fatalf("the catalog has nothing for %s %s", rpc, purpose)
	return nil
}

func TestEachCauseHasItsCodeAndReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cause  confluenceclient.Cause
		code   codes.Code
		reason string
	}{
		{confluenceclient.CauseInvalid, codes.InvalidArgument, "INVALID_REQUEST"},
		{confluenceclient.CauseNotFound, codes.NotFound, "PAGE_NOT_FOUND"},
		{confluenceclient.CauseTokenRejected, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED"},
		{confluenceclient.CauseScopeMissing, codes.FailedPrecondition, "UPSTREAM_SCOPE_MISSING"},
		{confluenceclient.CauseMisrouted, codes.FailedPrecondition, "UPSTREAM_MISROUTED"},
		{confluenceclient.CauseForbidden, codes.FailedPrecondition, "UPSTREAM_FORBIDDEN"},
		{confluenceclient.CauseGone, codes.FailedPrecondition, "UPSTREAM_ENDPOINT_GONE"},
		{confluenceclient.CauseRateLimited, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED"},
		{confluenceclient.CauseUnavailable, codes.Unavailable, "UPSTREAM_UNAVAILABLE"},
		{confluenceclient.CauseBadResponse, codes.Internal, "UPSTREAM_BAD_RESPONSE"},
		{confluenceclient.CauseTooLarge, codes.ResourceExhausted, "LIMIT_EXCEEDED"},
		{confluenceclient.CauseOutOfRange, codes.OutOfRange, "LIMIT_EXCEEDED"},
		{confluenceclient.CauseTruncated, codes.DataLoss, "ATTACHMENT_TRUNCATED"},
		{confluenceclient.CauseCancelled, codes.Canceled, "CALLER_CANCELLED"},
		{confluenceclient.CauseDeadline, codes.DeadlineExceeded, "DEADLINE_EXCEEDED"},
		{causeCallerUnknown, codes.Unauthenticated, "CALLER_UNKNOWN"},
		{causeCallerUnchecked, codes.Unavailable, "CALLER_UNKNOWN"},
		{causeCallerNotAllowed, codes.PermissionDenied, "CALLER_NOT_ALLOWED"},
		{causeOverBudget, codes.ResourceExhausted, "CALLER_BUDGET_EXHAUSTED"},
		{causeNotImplemented, codes.Unimplemented, "NOT_IMPLEMENTED"},
		{causeStopping, codes.Unavailable, "BROKER_STOPPING"},
		{causeFault, codes.Internal, "INTERNAL_FAULT"},
		{"a cause of tomorrow", codes.Internal, "INTERNAL_FAULT"},
	}
	op := operation(t, "GetPage", "")
	for _, test := range tests {
		t.Run(string(test.cause), func(t *testing.T) {
			t.Parallel()
			st := failureOf(t.Context(), &confluenceclient.Error{Op: op, Cause: test.cause, Message: "why"}).status("GetPage")
			info := detail[*errdetails.ErrorInfo](st)
			if st.Code() != test.code || info.GetReason() != test.reason || info.GetDomain() != "confluence.broker" {
				t.Errorf("status = %v, %v, want %v %s", st.Code(), info, test.code, test.reason)
			}
			if _, ok := brokerv1.ErrorReason_value["ERROR_REASON_"+info.GetReason()]; !ok {
				t.Errorf("reason %s is not in the API", info.GetReason())
			}
		})
	}
	if len(outcomes) != len(tests)-1 {
		t.Errorf("the table has %d causes and this test %d", len(outcomes), len(tests)-1)
	}
}

func TestAbsenceIsNamedAfterWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, need := range confluenceclient.Needs() {
		want := map[string]string{
			"GetPage": "PAGE_NOT_FOUND", "ListChildren of a page": "PAGE_NOT_FOUND", "Search": "CONTENT_NOT_FOUND",
			"GetAttachment": "ATTACHMENT_NOT_FOUND", "GetPage by title": "PAGE_NOT_FOUND", "GetPage with names of files": "PAGE_NOT_FOUND",
		}[strings.TrimSpace(need.RPC+" "+need.Purpose)]
		if want == "" {
			want = "CONTENT_NOT_FOUND"
		}
		for _, op := range need.AnyOf {
			want := want
			if op.Name == "getSpaces" {
				want = "SPACE_NOT_FOUND"
			}
			f := failureOf(t.Context(), &confluenceclient.Error{Op: op, Cause: confluenceclient.CauseNotFound, Message: "absent, or not visible to the broker's account"})
			if f.reasonName() != want {
				t.Errorf("%s: reason %s, want %s", op.Name, f.reasonName(), want)
			}
			if text := f.status(need.RPC).Message(); !strings.Contains(text, "absent") || !strings.Contains(text, "visible") {
				t.Errorf("%s: %q does not say that both absence and invisibility are possible", op.Name, text)
			}
		}
	}
}

// An answer of 404 to a search or listing says that the endpoint is not there,
// not that any content is.
func TestA404WhereNothingCanBeAbsentIsABadResponse(t *testing.T) {
	t.Parallel()
	for _, need := range confluenceclient.Needs() {
		for _, op := range need.AnyOf {
			f := failureOf(t.Context(), &confluenceclient.Error{Op: op, Cause: confluenceclient.CauseNotFound, StatusCode: 404, Message: "absent"})
			if ofOne := strings.Contains(op.Path, "{"); ofOne == (f.reasonName() == "UPSTREAM_BAD_RESPONSE") {
				t.Errorf("%s: reason %s", op.Endpoint(), f.reasonName())
			}
		}
	}
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{Route: "/wiki/rest/api/search", Status: 404, Body: `{"statusCode":404,"message":"no such resource"}`})
	_, err := b.Search(t.Context(), byText("x"))
	info := failedAs(t, err, codes.Internal, "UPSTREAM_BAD_RESPONSE")
	if info.GetMetadata()["http_status"] != "404" || info.GetMetadata()["operation"] == "" {
		t.Errorf("metadata = %v, want status and operation", info.GetMetadata())
	}
}

func TestStatusDetailsTellWhatToDo(t *testing.T) {
	t.Parallel()
	search, page := operation(t, "Search", ""), operation(t, "GetPage", "")
	tests := []struct {
		name string
		err  *confluenceclient.Error
		want map[string]string
	}{
		{
			"a scope is missing that either family has",
			&confluenceclient.Error{Op: search, Cause: confluenceclient.CauseScopeMissing, StatusCode: 401, Attempts: 1},
			map[string]string{
				"rpc": "Search", "endpoint": "GET /wiki/rest/api/search", "classic_scopes": "search:confluence",
				"granular_scopes": "read:content-details:confluence", "operation": "searchByCQL", "http_status": "401", "attempts": "1",
			},
		},
		{
			"a scope is missing that only one family has",
			&confluenceclient.Error{Op: page, Cause: confluenceclient.CauseScopeMissing},
			map[string]string{"rpc": "Search", "endpoint": "GET /wiki/api/v2/pages/{id}", "granular_scopes": "read:page:confluence", "operation": "getPageById"},
		},
		{
			"a file ended early, even before its first byte",
			&confluenceclient.Error{Op: page, Cause: confluenceclient.CauseTruncated, Size: 0, Limit: 100},
			map[string]string{"operation": "getPageById", "bytes": "0", "expected": "100"},
		},
		{
			"an offset lies behind the end of an empty file",
			&confluenceclient.Error{Op: page, Cause: confluenceclient.CauseOutOfRange, Size: 5, Limit: 0},
			map[string]string{"operation": "getPageById", "size": "5", "limit": "0"},
		},
		{
			"the gateway does not know the path",
			&confluenceclient.Error{Op: page, Cause: confluenceclient.CauseMisrouted, Host: "api.acme.example", Path: "/ex/confluence/1111/wiki/api/v2/pages/1001"},
			map[string]string{"operation": "getPageById", "host": "api.acme.example", "path": "/ex/confluence/1111/wiki/api/v2/pages/1001"},
		},
		{
			"a request id that is no text",
			&confluenceclient.Error{Op: page, Cause: confluenceclient.CauseBadResponse, StatusCode: 500, RequestID: "a\xff"},
			map[string]string{"operation": "getPageById", "http_status": "500", "request_id": "a\uFFFD"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			info := detail[*errdetails.ErrorInfo](failureOf(t.Context(), test.err).status("Search"))
			test.want["method"] = "Search"
			delete(info.GetMetadata(), "remedy")
			if diff := cmp.Diff(test.want, info.GetMetadata()); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetryInfoIsThereExactlyWhereWaitingHelps(t *testing.T) {
	t.Parallel()
	for cause := range outcomes {
		st := failureOf(t.Context(), &confluenceclient.Error{Cause: cause, RetryAfter: 3 * time.Second}).status("GetPage")
		retry := detail[*errdetails.RetryInfo](st)
		helps := cause == confluenceclient.CauseRateLimited || cause == confluenceclient.CauseUnavailable || cause == causeStopping || cause == causeCallerUnchecked || cause == causeOverBudget
		if helps != (retry != nil) || helps && retry.GetRetryDelay().AsDuration() != 3*time.Second {
			t.Errorf("%s: RetryInfo %v, want it: %v", cause, retry, helps)
		}
	}
}

func TestOnlyTheCallersOwnFaultsAreUnauthenticated(t *testing.T) {
	t.Parallel()
	for cause, row := range outcomes {
		if row.code == codes.Unauthenticated && cause != causeCallerUnknown {
			t.Errorf("%s is UNAUTHENTICATED", cause)
		}
	}
}

func TestContextErrorsAreNeverUnknown(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want codes.Code
	}{
		{"bare cancellation", t.Context(), context.Canceled, codes.Canceled},
		{"wrapped deadline", t.Context(), fmt.Errorf("read: %w", context.DeadlineExceeded), codes.DeadlineExceeded},
		{"whatever breaks after cancellation", cancelled, io.ErrClosedPipe, codes.Canceled},
		{"whatever breaks after the deadline", late, io.ErrClosedPipe, codes.DeadlineExceeded},
		{"anything else", t.Context(), errors.New("secret detail"), codes.Internal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := failureOf(test.ctx, test.err).status("GetPage")
			if st.Code() != test.want || strings.Contains(st.Message(), "secret") {
				t.Errorf("status = %v, want %v", st, test.want)
			}
		})
	}
}

func TestStatusKeepsItsDetailsWhateverBytesItsTextHolds(t *testing.T) {
	t.Parallel()
	f := &failure{
		cause: confluenceclient.CauseInvalid, message: "cut \xe2\x82", metadata: map[string]string{"path": "/\xff"},
		violations: []*errdetails.BadRequest_FieldViolation{{Field: "u\xffrl", Description: "is \xff"}},
	}
	st := f.status("GetPage")
	if _, err := proto.Marshal(st.Proto()); err != nil {
		t.Fatal(err)
	}
	bad := detail[*errdetails.BadRequest](st).GetFieldViolations()
	if st.Message() != "cut \uFFFD" || detail[*errdetails.ErrorInfo](st).GetMetadata()["path"] != "/\uFFFD" || len(bad) != 1 || bad[0].GetDescription() != "is \uFFFD" {
		t.Errorf("status = %v", st.Proto())
	}
}
