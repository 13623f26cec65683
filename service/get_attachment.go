package service

import (
	"crypto/sha256"
	"hash"
	"io"

	"google.golang.org/grpc"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// maxChunk is the most bytes of a file in one message: the knee, beyond which
// larger messages gain little.
const maxChunk = 256 << 10

// GetAttachment streams a file. One chunk is in memory at a time, and Send waits
// for the caller's window, so a slow reader slows the upstream down.
func (s *service) GetAttachment(req *brokerv1.GetAttachmentRequest, stream grpc.ServerStreamingServer[brokerv1.GetAttachmentResponse]) error {
	ctx := stream.Context()
	if err := checkGetAttachment(req); err != nil {
		return err
	}
	attachment, err := s.findAttachment(ctx, req.GetAttachmentId(), req.GetVersion())
	if err != nil {
		return blame(err, versioned(req.GetVersion(), "attachment_id"))
	}
	if err := attachmentSizeAllowed(ctx, attachment); err != nil {
		return err
	}
	// Opened before anything is sent, so that a call that fails sends nothing.
	body, err := s.client.Download(ctx, attachment, req.GetOffset())
	if err != nil {
		return blame(err, versioned(req.GetVersion(), "attachment_id"))
	}
	defer func() { _ = body.Close() }()
	if err := stream.Send(&brokerv1.GetAttachmentResponse{
		Part: &brokerv1.GetAttachmentResponse_Attachment{Attachment: attachmentMessage(attachment)},
	}); err != nil {
		return err
	}
	source := limitUnknownSize(ctx, attachment, req.GetOffset(), body)
	if req.GetMaxBytes() > 0 {
		source = io.LimitReader(source, req.GetMaxBytes())
	}
	sum := sha256.New()
	sent, err := sendChunks(stream, source, sum)
	if err != nil {
		return err
	}
	return stream.Send(&brokerv1.GetAttachmentResponse{
		Part: &brokerv1.GetAttachmentResponse_Checksum{Checksum: &brokerv1.Checksum{Sha256: sum.Sum(nil), BytesSent: sent}},
	})
}

func checkGetAttachment(req *brokerv1.GetAttachmentRequest) error {
	var v violations
	v.attachmentID("attachment_id", req.GetAttachmentId())
	v.notNegative("version", int64(req.GetVersion()))
	v.notNegative("offset", req.GetOffset())
	v.notNegative("max_bytes", req.GetMaxBytes())
	return v.err()
}

// sendChunks sends what source holds and adds it to sum. What came before an
// error is sent too: a caller may keep it and go on from there.
func sendChunks(stream grpc.ServerStreamingServer[brokerv1.GetAttachmentResponse], source io.Reader, sum hash.Hash) (sent int64, err error) {
	buf := make([]byte, maxChunk) // used again: Send encodes before it returns
	for {
		n, readErr := fill(source, buf)
		if n > 0 {
			_, _ = sum.Write(buf[:n]) // hashes do not fail
			if err := stream.Send(&brokerv1.GetAttachmentResponse{
				Part: &brokerv1.GetAttachmentResponse_Data{Data: buf[:n]},
			}); err != nil {
				return sent, err
			}
			sent += int64(n)
		}
		if readErr == io.EOF { //nolint:errorlint // a wrapped io.EOF is a file cut short
			return sent, nil
		}
		if readErr != nil {
			return sent, readErr
		}
	}
}

// fill reads until buf is full or source ends. It is io.ReadFull but for the
// error, which stays the source's own.
func fill(source io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = source.Read(buf[n:])
		n += more
	}
	return n, err
}
