package service

import (
	"context"
	"io"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// findAttachment describes an attachment that the caller may read. It is as
// readable as what it is on.
func (s *service) findAttachment(ctx context.Context, id string, version int32) (*confluenceclient.Attachment, error) {
	r := readerOf(ctx)
	if r.seesAll() {
		attachment, err := s.client.Attachment(ctx, id, version)
		if err == nil {
			s.audit.note(ctx, confluenceclient.TypeAttachment, id, attachment.SpaceKey, r.everything())
		}
		return attachment, err
	}
	q := r.question(confluenceclient.TypeAttachment, id)
	if last, ok := s.verdicts.saidNo(q, s.maxAge); ok {
		return nil, s.denied(ctx, last, confluenceclient.TypeAttachment, id)
	}
	asked := time.Now()
	attachment, err := s.client.Attachment(ctx, id, 0) // where it is now decides
	if confluenceclient.CauseOf(err) == confluenceclient.CauseNotFound {
		if err := s.askForNothing(ctx); err != nil {
			return nil, err
		}
		s.verdicts.keep(q, policy.Decision{}, "", asked)
		return nil, s.denied(ctx, verdict{}, confluenceclient.TypeAttachment, id)
	}
	if err != nil {
		return nil, err
	}
	on, place, err := s.attachmentPlace(ctx, q, attachment)
	show, err := s.mayShow(ctx, confluenceclient.TypeAttachment, id, on, place, err)
	if err != nil {
		return nil, err
	}
	s.verdicts.keep(q, r.at(on, place), place.SpaceKey, asked)
	if !show {
		return nil, absent(confluenceclient.TypeAttachment)
	}
	if version != 0 && version != attachment.Version.Number {
		return s.client.Attachment(ctx, id, version)
	}
	return attachment, nil
}

// attachmentPlace is what the description tells, and more where rules need it.
func (s *service) attachmentPlace(ctx context.Context, q question, a *confluenceclient.Attachment) (on string, place confluenceclient.Place, err error) {
	needs := readerOf(ctx).needs()
	if a.SpaceKey != "" && needs == (confluenceclient.Facts{}) {
		return a.ContainerID, confluenceclient.Place{SpaceKey: a.SpaceKey}, nil
	}
	place, err = s.findPlace(ctx, q, a.ContainerType, a.ContainerID, s.maxAge)
	return a.ContainerID, place, err
}

// attachmentSizeAllowed decides about a file whose size is known.
func attachmentSizeAllowed(ctx context.Context, a *confluenceclient.Attachment) error {
	if a.FileSize == nil {
		return nil // limitUnknownSize counts
	}
	return fileTooLarge(readerOf(ctx), *a.FileSize)
}

func fileTooLarge(r reader, size int64) error {
	d := r.rules.AttachmentSize(size)
	if d.Allowed {
		return nil
	}
	return &failure{
		cause: confluenceclient.CauseTooLarge, message: "the file is larger than this caller may have",
		metadata: map[string]string{"size": number(size), "limit": number(r.rules.MaxAttachmentBytes), "rule": d.Rule},
	}
}

// countedFile ends where the caller may have no more of it.
type countedFile struct {
	io.Reader
	reader reader
	upTo   int64 // bytes of the file so far, those before the offset too
}

// limitUnknownSize holds a file whose size nobody has told against the caller's
// limit as its bytes come.
func limitUnknownSize(ctx context.Context, a *confluenceclient.Attachment, offset int64, body io.Reader) io.Reader {
	if a.FileSize != nil {
		return body
	}
	return &countedFile{Reader: body, reader: readerOf(ctx), upTo: offset}
}

// Read reads on, up to the limit.
func (f *countedFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	f.upTo += int64(n)
	if refusal := fileTooLarge(f.reader, f.upTo); refusal != nil {
		return 0, refusal
	}
	return n, err
}
