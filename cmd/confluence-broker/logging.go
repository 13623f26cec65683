package main

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// newLogger writes JSON lines to w. Records made with a context of a traced
// call carry its trace_id and span_id.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(tracedLogs{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: readableTimes})})
}

// readableTimes writes time spans as 1.5ms instead of a number of nanoseconds.
func readableTimes(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	}
	return attr
}

// tracedLogs adds the ids of the current span to each record.
type tracedLogs struct{ slog.Handler }

func (t tracedLogs) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return t.Handler.Handle(ctx, record)
}

func (t tracedLogs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracedLogs{t.Handler.WithAttrs(attrs)}
}

func (t tracedLogs) WithGroup(name string) slog.Handler {
	return tracedLogs{t.Handler.WithGroup(name)}
}
