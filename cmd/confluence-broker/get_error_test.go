package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestAFailedCallIsOneReadableLine(t *testing.T) {
	t.Parallel()
	failed := func(code codes.Code, message string, details ...protoadapt.MessageV1) error {
		st, err := status.New(code, message).WithDetails(details...)
		if err != nil {
			t.Fatal(err)
		}
		return st.Err()
	}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{
			"reason and metadata",
			failed(codes.FailedPrecondition, "the token lacks a scope for Search", &errdetails.ErrorInfo{
				Reason: "UPSTREAM_SCOPE_MISSING", Metadata: map[string]string{"method": "Search", "rpc": "Search", "granular_scopes": "read:content-details:confluence"},
			}),
			"UPSTREAM_SCOPE_MISSING: the token lacks a scope for Search; granular scopes: read:content-details:confluence",
		},
		{
			"every violation that the sentence does not have",
			failed(codes.InvalidArgument, "two fields are wrong", &errdetails.ErrorInfo{Reason: "INVALID_REQUEST"}, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "page_id", Description: "no digits"}, {Field: "version", Description: "negative"},
			}}),
			"INVALID_REQUEST: two fields are wrong; page_id: no digits; version: negative",
		},
		{
			"when to try again",
			failed(codes.ResourceExhausted, "slow down", &errdetails.ErrorInfo{Reason: "UPSTREAM_RATE_LIMITED"}, &errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)}),
			"UPSTREAM_RATE_LIMITED: slow down; try again in 3s",
		},
		{"no broker", failed(codes.Unavailable, "connection refused"), "no broker answers at 127.0.0.1:1, or it went away: connection refused; is it running, and is --address (BROKER_ADDRESS) right?"},
		{"gRPC's own errors", failed(codes.Unimplemented, "unknown method"), "Unimplemented: unknown method"},
		{"text that would steer the terminal", failed(codes.NotFound, "no\x1b[2J\npage"), "NotFound: no\ufffd[2J page"},
		{"what is around the call's error", fmt.Errorf("%w; a.png.part keeps 3 bytes", failed(codes.DataLoss, "the file broke off")), "DataLoss: the file broke off; a.png.part keeps 3 bytes"},
		{"other errors", errors.New("disk full"), "disk full"},
	} {
		if got := readable(test.err, "127.0.0.1:1").Error(); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}
