package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const errorDomain = "confluence.broker"

// What goes wrong in the service itself, beside the client's causes.
const (
	causeCallerUnknown    confluenceclient.Cause = "caller_unknown"
	causeCallerUnchecked  confluenceclient.Cause = "caller_unchecked"
	causeCallerNotAllowed confluenceclient.Cause = "caller_not_allowed"
	causeOverBudget       confluenceclient.Cause = "caller_over_budget"
	causeNotImplemented   confluenceclient.Cause = "not_implemented"
	causeStopping         confluenceclient.Cause = "stopping"
	causeFault            confluenceclient.Cause = "internal_fault"
)

// outcome is what callers are told about a cause.
type outcome struct {
	code     codes.Code
	reason   brokerv1.ErrorReason
	waitHelp bool   // the same call may succeed later: the status says when
	remedy   string // what the operator can do; empty: nothing, or nothing but the message says
}

// outcomes is the one table from causes to codes and reasons. A fault of the
// broker's own token is FAILED_PRECONDITION: UNAUTHENTICATED would tell callers
// to mend their own identity.
var outcomes = map[confluenceclient.Cause]outcome{
	confluenceclient.CauseInvalid:       {code: codes.InvalidArgument, reason: brokerv1.ErrorReason_ERROR_REASON_INVALID_REQUEST},
	causeCallerUnknown:                  {code: codes.Unauthenticated, reason: brokerv1.ErrorReason_ERROR_REASON_CALLER_UNKNOWN},
	causeCallerUnchecked:                {code: codes.Unavailable, reason: brokerv1.ErrorReason_ERROR_REASON_CALLER_UNKNOWN, waitHelp: true}, // not UNAUTHENTICATED, which has callers throw a good token away
	causeCallerNotAllowed:               {code: codes.PermissionDenied, reason: brokerv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
	causeOverBudget:                     {code: codes.ResourceExhausted, reason: brokerv1.ErrorReason_ERROR_REASON_CALLER_BUDGET_EXHAUSTED, waitHelp: true},
	confluenceclient.CauseRateLimited:   {code: codes.ResourceExhausted, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_RATE_LIMITED, waitHelp: true},
	confluenceclient.CauseNotFound:      {code: codes.NotFound}, // the reason depends on what was asked for: notFoundReasons
	confluenceclient.CauseTokenRejected: {code: codes.FailedPrecondition, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_TOKEN_REJECTED, remedy: "the broker's operator should run `confluence-broker doctor`, and replace the token if it says so"},
	confluenceclient.CauseScopeMissing:  {code: codes.FailedPrecondition, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_SCOPE_MISSING, remedy: "the broker's operator needs a new token that has it too; `confluence-broker scopes` prints the smallest set"},
	confluenceclient.CauseMisrouted:     {code: codes.FailedPrecondition, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_MISROUTED, remedy: "the broker's operator should check the cloud ID with `confluence-broker doctor`"},
	confluenceclient.CauseForbidden:     {code: codes.FailedPrecondition, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_FORBIDDEN, remedy: "the broker's operator should give the token's account access to Confluence"},
	confluenceclient.CauseGone:          {code: codes.FailedPrecondition, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_ENDPOINT_GONE, remedy: "a newer version of the broker is needed"},
	confluenceclient.CauseUnavailable:   {code: codes.Unavailable, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_UNAVAILABLE, waitHelp: true},
	confluenceclient.CauseBadResponse:   {code: codes.Internal, reason: brokerv1.ErrorReason_ERROR_REASON_UPSTREAM_BAD_RESPONSE},
	confluenceclient.CauseTooLarge:      {code: codes.ResourceExhausted, reason: brokerv1.ErrorReason_ERROR_REASON_LIMIT_EXCEEDED},
	confluenceclient.CauseOutOfRange:    {code: codes.OutOfRange, reason: brokerv1.ErrorReason_ERROR_REASON_LIMIT_EXCEEDED},
	confluenceclient.CauseTruncated:     {code: codes.DataLoss, reason: brokerv1.ErrorReason_ERROR_REASON_ATTACHMENT_TRUNCATED},
	confluenceclient.CauseCancelled:     {code: codes.Canceled, reason: brokerv1.ErrorReason_ERROR_REASON_CALLER_CANCELLED},
	confluenceclient.CauseDeadline:      {code: codes.DeadlineExceeded, reason: brokerv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED},
	causeNotImplemented:                 {code: codes.Unimplemented, reason: brokerv1.ErrorReason_ERROR_REASON_NOT_IMPLEMENTED},
	causeStopping:                       {code: codes.Unavailable, reason: brokerv1.ErrorReason_ERROR_REASON_BROKER_STOPPING, waitHelp: true},
	causeFault:                          {code: codes.Internal, reason: brokerv1.ErrorReason_ERROR_REASON_INTERNAL_FAULT},
}

// failure is a call's failure before it becomes a status. message and metadata
// are for the caller; err is for the log alone.
type failure struct {
	cause      confluenceclient.Cause
	message    string
	metadata   map[string]string
	violations []*errdetails.BadRequest_FieldViolation
	quota      *errdetails.QuotaFailure
	op         *confluenceclient.Operation // what was asked upstream, if anything
	subject    string                      // what is not found; empty: what op is about
	retryAfter time.Duration
	err        error
}

func (f *failure) Error() string { return f.message }
func (f *failure) Unwrap() error { return f.err }

// failureOf reads any error of a method or layer.
func failureOf(ctx context.Context, err error) *failure {
	var ours *failure
	var upstream *confluenceclient.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &upstream):
		return upstreamFailure(upstream)
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &failure{cause: confluenceclient.CauseDeadline, message: "the caller's time ran out", err: err}
	case ctx.Err() != nil, errors.Is(err, context.Canceled):
		return &failure{cause: confluenceclient.CauseCancelled, message: "the caller went away", err: err}
	}
	return &failure{cause: causeFault, message: "the broker has a fault; its log has the details", err: err}
}

func upstreamFailure(e *confluenceclient.Error) *failure {
	f := &failure{cause: e.Cause, message: e.Message, metadata: map[string]string{}, op: e.Op, retryAfter: e.RetryAfter, err: e}
	if f.message == "" {
		f.message = string(e.Cause)
	}
	if e.Cause == confluenceclient.CauseNotFound && e.StatusCode == http.StatusNotFound && asksForNothing(e.Op) {
		f.cause, f.message = confluenceclient.CauseBadResponse, "Confluence answered 404 where nothing can be absent, as its API does not promise"
	}
	if e.StatusCode != 0 {
		f.metadata["http_status"] = number(int64(e.StatusCode))
	}
	if e.Attempts != 0 {
		f.metadata["attempts"] = number(int64(e.Attempts))
	}
	if e.RequestID != "" {
		f.metadata["request_id"] = e.RequestID
	}
	switch e.Cause {
	case confluenceclient.CauseMisrouted:
		f.metadata["host"], f.metadata["path"] = e.Host, e.Path
	case confluenceclient.CauseTooLarge, confluenceclient.CauseOutOfRange:
		f.metadata["size"], f.metadata["limit"] = number(e.Size), number(e.Limit)
	case confluenceclient.CauseTruncated:
		f.metadata["bytes"] = number(e.Size)
		if e.Limit >= 0 { // otherwise nobody told how many were due
			f.metadata["expected"] = number(e.Limit)
		}
	}
	if e.Op == nil {
		return f
	}
	f.metadata["operation"] = e.Op.Name
	switch f.cause {
	case confluenceclient.CauseNotFound:
		f.message = notFoundSubject(e.Op) + " not found: " + f.message
	case confluenceclient.CauseScopeMissing:
		f.metadata["endpoint"] = e.Op.Endpoint()
		f.metadata["granular_scopes"] = strings.Join(e.Op.Granular, " ")
		if len(e.Op.Classic) > 0 {
			f.metadata["classic_scopes"] = strings.Join(e.Op.Classic, " ")
		}
	}
	return f
}

// asksForNothing tells whether op searches or lists: what it does not find
// is missing from a list, so that a 404 is no word about any content.
func asksForNothing(op *confluenceclient.Operation) bool {
	return op != nil && !strings.Contains(op.Path, "{")
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// status makes the status of a failed call of method, which is the RPC's short
// name.
func (f *failure) status(method string) *status.Status {
	row, ok := outcomes[f.cause]
	if !ok {
		row = outcomes[causeFault]
	}
	why := &errdetails.ErrorInfo{
		Reason: f.reasonName(), Domain: errorDomain,
		Metadata: map[string]string{"method": method},
	}
	for key, value := range f.metadata {
		why.Metadata[key] = validText(value)
	}
	message := f.message
	if row.remedy != "" {
		why.Metadata["remedy"] = row.remedy
		message += "; " + row.remedy
	}
	if f.cause == confluenceclient.CauseScopeMissing {
		why.Metadata["rpc"] = method
	}
	details := []protoadapt.MessageV1{why}
	if row.code == codes.InvalidArgument {
		bad := &errdetails.BadRequest{}
		for _, v := range f.violations {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: validText(v.GetField()), Description: validText(v.GetDescription())})
		}
		details = append(details, bad)
	}
	if row.waitHelp {
		wait := f.retryAfter
		if f.cause != causeOverBudget { // the broker's own count is exact
			wait = max(wait, time.Second)
		}
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	if f.quota != nil {
		details = append(details, f.quota)
	}
	st := status.New(row.code, validText(message))
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return st
}

func (f *failure) reason() brokerv1.ErrorReason {
	if f.cause == confluenceclient.CauseNotFound {
		return notFoundReasons[f.subjectName()]
	}
	if row, ok := outcomes[f.cause]; ok {
		return row.reason
	}
	return brokerv1.ErrorReason_ERROR_REASON_INTERNAL_FAULT
}

// reasonName is the reason as google.rpc.ErrorInfo has it.
func (f *failure) reasonName() string {
	return strings.TrimPrefix(f.reason().String(), "ERROR_REASON_")
}

// notFoundReasons tells what is absent from what was asked for.
var notFoundReasons = map[string]brokerv1.ErrorReason{
	"page":       brokerv1.ErrorReason_ERROR_REASON_PAGE_NOT_FOUND,
	"space":      brokerv1.ErrorReason_ERROR_REASON_SPACE_NOT_FOUND,
	"attachment": brokerv1.ErrorReason_ERROR_REASON_ATTACHMENT_NOT_FOUND,
	"content":    brokerv1.ErrorReason_ERROR_REASON_CONTENT_NOT_FOUND,
}

// subjectName is what a failure says was not found.
func (f *failure) subjectName() string {
	if f.subject != "" {
		return f.subject
	}
	return notFoundSubject(f.op)
}

func notFoundSubject(op *confluenceclient.Operation) string {
	switch {
	case op == nil:
		return "content"
	case strings.HasPrefix(op.Path, "/wiki/api/v2/pages"):
		return "page"
	case strings.Contains(op.Path, "/attachment"):
		return "attachment"
	case strings.HasPrefix(op.Path, "/wiki/api/v2/spaces"):
		return "space"
	}
	return "content"
}

// tooLarge is the failure for an answer of size bytes where limit are allowed.
func tooLarge(size, limit int, what string) *failure {
	return &failure{
		cause:    confluenceclient.CauseTooLarge,
		message:  fmt.Sprintf("the answer has %d bytes and the broker sends at most %d: %s", size, limit, what),
		metadata: map[string]string{"size": strconv.Itoa(size), "limit": strconv.Itoa(limit)},
	}
}
