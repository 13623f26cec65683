package service

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

// maxAnswerTime is the most of a caller's time that is kept for the answer.
const maxAnswerTime = 20 * time.Millisecond

// keepTimeToAnswer ends the work of a call a little before its caller's
// deadline. At the deadline itself the caller hangs up, and would never learn
// what its time went into.
func keepTimeToAnswer() layer {
	return layer{
		unary: func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			ctx, cancel := withTimeToAnswer(ctx)
			defer cancel()
			return handle(ctx, req)
		},
		stream: func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, cancel := withTimeToAnswer(stream.Context())
			defer cancel()
			return handle(srv, &streamWith{ServerStream: stream, ctx: ctx})
		},
	}
}

func withTimeToAnswer(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	kept := min(maxAnswerTime, time.Until(deadline)/10) // most of a short time is still for the work
	return context.WithDeadline(ctx, deadline.Add(-kept))
}
