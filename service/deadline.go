package service

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	// maxAnswerTime is the most of a caller's time that is kept for the answer.
	maxAnswerTime = 20 * time.Millisecond

	// maxUnaryTime is for callers that set no deadline, and would wait as long as
	// Confluence lets one wait after another. It is more than any answer is worth
	// waiting for, all attempts at it included; who wants more can say so.
	maxUnaryTime = 2 * time.Minute
)

// keepTimeToAnswer ends the work of a call a little before its caller's
// deadline. At the deadline itself the caller hangs up, and would never learn
// what its time went into. Unary calls without a deadline get one; streams do
// not, since a file takes as long as its caller reads.
func keepTimeToAnswer() layer {
	return layer{
		unary: func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if _, ok := ctx.Deadline(); !ok {
				return handleInTime(ctx, req, handle)
			}
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

// handleInTime does not blame a caller that set no time.
func handleInTime(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
	limited, cancel := context.WithTimeout(ctx, maxUnaryTime)
	defer cancel()
	resp, err := handle(limited, req)
	if err == nil {
		return resp, nil
	}
	late := *failureOf(ctx, err)
	if late.cause != confluenceclient.CauseDeadline {
		return nil, err
	}
	late.message = "the call set no deadline, and the broker ended it after " + maxUnaryTime.String()
	return nil, &late
}

func withTimeToAnswer(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	kept := min(maxAnswerTime, time.Until(deadline)/10) // most of a short time is still for the work
	return context.WithDeadline(ctx, deadline.Add(-kept))
}
