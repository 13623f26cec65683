package service

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/status"
)

// makeStatus turns every failure into a status, and nothing else does. The
// services of grpc-go itself make their own, except for what a layer of ours
// ended.
func makeStatus(ctx context.Context, fullMethod string, next func() error) error {
	err := next()
	var ended *failure
	if err == nil || !isOurs(fullMethod) && !errors.As(err, &ended) {
		return err
	}
	f := failureOf(ctx, err)
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("confluence_broker.reason", f.reasonName()))
	return &statusError{status: f.status(rpcName(fullMethod)), failure: f}
}

// statusError is a status that remembers, for the log, what it was made of.
type statusError struct {
	status  *status.Status
	failure *failure
}

// Error returns the status's text.
func (e *statusError) Error() string { return e.status.Err().Error() }

// GRPCStatus returns what the caller gets.
func (e *statusError) GRPCStatus() *status.Status { return e.status }

// Unwrap returns the failure.
func (e *statusError) Unwrap() error { return e.failure }
