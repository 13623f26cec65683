package service

import (
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// endStalled ends a stream whose caller has read nothing for so long, and with
// it what is held upstream for it. Keepalive does not see to this: the caller is
// there, and answers pings. What was sent already, at most one message and what
// flow control lets through, waits for the caller as long as its connection lasts.
func endStalled(most time.Duration) layer {
	return layer{stream: func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		return handle(srv, &impatientStream{ServerStream: stream, most: most})
	}}
}

// impatientStream waits only so long for its reader.
type impatientStream struct {
	grpc.ServerStream
	most time.Duration
}

// SendMsg gives up when the reader takes too long. The handler is to end then,
// which ends the write that is under way.
func (s *impatientStream) SendMsg(message any) error {
	sent := make(chan error, 1)
	go func() { sent <- s.ServerStream.SendMsg(message) }()
	timer := time.NewTimer(s.most)
	defer timer.Stop()
	select {
	case err := <-sent:
		return err
	case <-timer.C:
		return &failure{
			cause:    confluenceclient.CauseTooLarge,
			message:  fmt.Sprintf("the caller has read nothing for %s, and the broker ended the stream", s.most),
			metadata: map[string]string{"limit": s.most.String()},
		}
	}
}
