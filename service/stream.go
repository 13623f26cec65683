package service

import (
	"context"

	"google.golang.org/grpc"
)

// streamWith is a stream with a context of its own. The context's end ends a
// read that waits, and lets no further write begin; a write that waits for the
// caller to read goes on until the caller does or the stream itself ends.
type streamWith struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the context of its own.
func (s *streamWith) Context() context.Context { return s.ctx }

// SendMsg sends nothing after the context's end.
func (s *streamWith) SendMsg(message any) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return s.ServerStream.SendMsg(message)
}

// RecvMsg waits no longer than the context allows. The handler ends then, and
// with it the stream and the read that was under way.
func (s *streamWith) RecvMsg(message any) error {
	received := make(chan error, 1)
	go func() { received <- s.ServerStream.RecvMsg(message) }()
	select {
	case err := <-received:
		return err
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}
