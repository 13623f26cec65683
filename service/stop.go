package service

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// errStopping is the cause with which calls end that outlast the broker.
var errStopping = errors.New("the broker is stopping")

// stopping ends calls from the inside, while there is still a connection to say
// why: a caller whose connection is cut learns nothing, and the log would blame
// it for going away.
type stopping struct {
	begun, over   context.Context // the server's own, not a call's
	begin, finish context.CancelFunc
}

func newStopping() stopping {
	var s stopping
	s.begun, s.begin = context.WithCancel(context.Background())
	s.over, s.finish = context.WithCancel(context.Background())
	return s
}

// end is when a call has to end. Watches of health and open reflection are no
// work that is worth waiting for, and would last as long as the broker lets them.
func (s stopping) end(fullMethod string) context.Context {
	if isOurs(fullMethod) {
		return s.over
	}
	return s.begun
}

func (s stopping) layer() layer {
	return layer{
		unary: func(ctx context.Context, req any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			ctx, cancel := endingWith(ctx, s.end(call.FullMethod))
			defer cancel()
			resp, err := handle(ctx, req)
			return resp, stopped(ctx, err)
		},
		stream: func(srv any, stream grpc.ServerStream, call *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, cancel := endingWith(stream.Context(), s.end(call.FullMethod))
			defer cancel()
			err := handle(srv, &streamWith{ServerStream: stream, ctx: ctx})
			if call.FullMethod == healthv1.Health_Watch_FullMethodName && s.begun.Err() != nil {
				// The watch may have ended before it could tell, and to say so twice does
				// no harm.
				_ = stream.SendMsg(&healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING})
			}
			return stopped(ctx, err)
		},
	}
}

// endingWith is ctx, which is also cancelled, with errStopping, when end is done.
func endingWith(ctx, end context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(end, func() { cancel(errStopping) })
	return ctx, func() { release(); cancel(nil) }
}

// stopped is the error of a call that was ended, unless it had failed already
// for a reason of its own.
func stopped(ctx context.Context, err error) error {
	var ours *failure
	if err == nil || !errors.Is(context.Cause(ctx), errStopping) || errors.As(err, &ours) {
		return err
	}
	if cause := confluenceclient.CauseOf(err); cause != "" && cause != confluenceclient.CauseCancelled {
		return err
	}
	return &failure{
		cause: causeStopping, err: errStopping, // not err, which takes it for the caller's doing
		message: "the broker is stopping and could not finish the call in time; another replica, or the next process, can answer it",
	}
}
