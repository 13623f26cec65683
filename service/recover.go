package service

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"go.opentelemetry.io/otel/trace"
)

// recoverPanics makes a panic a failure like any other: logged with its stack,
// recorded on the span, and without a stack in what the caller gets.
func recoverPanics() layer {
	option := recovery.WithRecoveryHandlerContext(func(ctx context.Context, cause any) error {
		trace.SpanFromContext(ctx).RecordError(fmt.Errorf("panic: %v", cause), trace.WithStackTrace(true))
		return panicError(cause)
	})
	return layer{unary: recovery.UnaryServerInterceptor(option), stream: recovery.StreamServerInterceptor(option)}
}

// panicError is a panic as an error, with its stack, for the log alone.
func panicError(cause any) error { return fmt.Errorf("panic: %v\n%s", cause, debug.Stack()) }
