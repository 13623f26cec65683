package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// logCalls writes one line a call: what was called and how it ended, never what
// was asked or answered, nor who sent it from where. Failures have their cause,
// which callers are not shown. The trace id is the handler's to add, to these
// lines as to all others, from the context that they are logged with.
//
// It is written by hand because go-grpc-middleware's costs more than tracing.
func logCalls(logger *slog.Logger) func(context.Context, string, func() error) error {
	return func(ctx context.Context, fullMethod string, next func() error) error {
		start := time.Now()
		err := next()
		code := status.Code(err)
		level := levelOf(code)
		switch {
		case !isOurs(fullMethod):
			level = slog.LevelDebug // health checks come every few seconds
		case errors.Is(err, errStopping):
			level = slog.LevelWarn // the operator's own doing
		}
		if !logger.Enabled(ctx, level) {
			return err
		}
		attrs := []slog.Attr{
			slog.String("method", fullMethod),
			slog.String("code", code.String()),
			slog.Duration("duration", time.Since(start)),
		}
		logger.LogAttrs(ctx, level, "call", append(attrs, failureAttrs(err)...)...)
		return err
	}
}

func failureAttrs(err error) []slog.Attr {
	var f *failure
	if !errors.As(err, &f) {
		return nil
	}
	attrs := []slog.Attr{slog.String("reason", f.reasonName())}
	if f.err == nil || f.cause == confluenceclient.CauseInvalid {
		return attrs // the text of an invalid request repeats what was asked
	}
	cause := f.err.Error()
	var upstream *confluenceclient.Error
	if errors.As(f.err, &upstream) {
		attrs = append(attrs, slog.Int("attempts", upstream.Attempts), slog.String("request_id", upstream.RequestID))
		if upstream.Err != nil {
			cause += ": " + upstream.Err.Error()
		}
	}
	return append(attrs, slog.String("cause", cause))
}

// levelOf is error for what the operator must see to, warn for what may become
// so, and info for the caller's own business.
func levelOf(code codes.Code) slog.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.FailedPrecondition, codes.Unavailable:
		return slog.LevelError
	case codes.ResourceExhausted, codes.DeadlineExceeded, codes.Unauthenticated, codes.PermissionDenied:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
