package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// file downloads a whole file and checks that it is complete.
func file(t *testing.T, b *broker, req *brokerv1.GetAttachmentRequest) (*brokerv1.Attachment, []byte) {
	t.Helper()
	about, data, sum, err := b.download(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(data); sum.GetBytesSent() != int64(len(data)) || !bytes.Equal(sum.GetSha256(), want[:]) {
		t.Errorf("checksum %v does not fit the %d bytes that came", sum, len(data))
	}
	return about, data
}

func TestGetAttachmentStreamsTheFileByTheRESTDownload(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	about, data := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
	if about.GetId() != "att9" || about.GetTitle() != "a.png" || about.GetPageId() != "1001" || about.GetSpaceKey() != "DOC" ||
		about.GetFileSize() != int64(len(data)) || !strings.HasPrefix(about.GetWebUrl(), "https://acme.example/wiki/") {
		t.Errorf("attachment = %v with %d bytes", about, len(data))
	}
	for _, req := range b.sim.Requests() {
		switch {
		case strings.Contains(req.Path, "/wiki/download/"):
			t.Errorf("the browser's path %s was asked", req.Path)
		case req.Face == confluencetest.FaceMedia:
			if req.Header.Get("Authorization") != "" || req.Header.Get("Cookie") != "" {
				t.Error("credentials went to the media host")
			}
		case req.Face != confluencetest.FaceGateway:
			t.Errorf("%s was asked at %v", req.Path, req.Face)
		}
	}
}

func TestGetAttachmentOfAnOldVersion(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, current := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
	about, old := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: "att9", Version: 1})
	if about.GetVersion().GetNumber() != 1 || bytes.Equal(current, old) {
		t.Errorf("version %d has %d bytes, the current one %d", about.GetVersion().GetNumber(), len(old), len(current))
	}
}

func TestGetAttachmentInParts(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, whole := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
	size := int64(len(whole))
	if size <= 2*maxChunk {
		t.Fatalf("the file has %d bytes, too few for this test", size)
	}
	for _, part := range []struct{ offset, most, want int64 }{
		{0, 1, 1}, {1, 0, size - 1}, {maxChunk - 1, 2, 2}, {size - 1, 100, 1}, {size, 0, 0}, {size, 5, 0}, {0, size, size}, {0, size + 1, size},
		{5, maxChunk, maxChunk}, {5, maxChunk + 1, maxChunk + 1},
	} {
		_, got := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment, Offset: part.offset, MaxBytes: part.most})
		if want := whole[part.offset : part.offset+part.want]; !bytes.Equal(got, want) {
			t.Errorf("offset %d, max_bytes %d: %d bytes that are not the %d due", part.offset, part.most, len(got), len(want))
		}
	}
	_, data, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment, Offset: size + 1})
	info := failedAs(t, err, codes.OutOfRange, "LIMIT_EXCEEDED")
	if len(data) > 0 || info.GetMetadata()["limit"] != strconv.FormatInt(size, 10) {
		t.Errorf("behind the end: %d bytes, metadata %v", len(data), info.GetMetadata())
	}
}

func TestGetAttachmentWithoutASizeIsUnsetNotZero(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	about, data := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: unsizedAttachment})
	if about.FileSize != nil || len(data) == 0 {
		t.Errorf("file_size = %v with %d bytes, want it unset", about.FileSize, len(data))
	}
	for _, options := range [][]confluencetest.Option{nil, {confluencetest.With(confluencetest.RangeIgnored)}} {
		b := newBroker(t, func(s *setup) { s.simulator = options })
		_, part := file(t, b, &brokerv1.GetAttachmentRequest{AttachmentId: unsizedAttachment, Offset: 6, MaxBytes: 7})
		if want := string(data[6:13]); string(part) != want {
			t.Errorf("part = %q, want %q", part, want)
		}
		_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: unsizedAttachment, Offset: int64(len(data)) + 1})
		failedAs(t, err, codes.OutOfRange, "LIMIT_EXCEEDED")
	}
}

func TestGetAttachmentStreamIsAttachmentThenDataThenChecksum(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	stream, err := b.GetAttachment(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := part.ProtoReflect().WhichOneof(part.ProtoReflect().Descriptor().Oneofs().ByName("part")).Name()
		if len(part.GetData()) > maxChunk {
			t.Errorf("a message has %d bytes of data", len(part.GetData()))
		}
		if len(order) == 0 || order[len(order)-1] != string(name) {
			order = append(order, string(name))
		}
	}
	if diff := cmp.Diff([]string{"attachment", "data", "checksum"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestGetAttachmentRefusesBadRequestsNamingEveryField(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	tests := []struct {
		req  *brokerv1.GetAttachmentRequest
		want []string
	}{
		{&brokerv1.GetAttachmentRequest{}, []string{"attachment_id"}},
		{&brokerv1.GetAttachmentRequest{AttachmentId: "1001"}, []string{"attachment_id"}},
		{&brokerv1.GetAttachmentRequest{AttachmentId: "att9/../../x"}, []string{"attachment_id"}},
		{
			&brokerv1.GetAttachmentRequest{AttachmentId: "x", Version: -1, Offset: -1, MaxBytes: -1},
			[]string{"attachment_id", "version", "offset", "max_bytes"},
		},
	}
	for _, test := range tests {
		_, _, _, err := b.download(t.Context(), test.req)
		failedAs(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		if diff := cmp.Diff(test.want, fields(err)); diff != "" {
			t.Errorf("%v: fields (-want +got):\n%s", test.req, diff)
		}
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
}

func TestGetAttachmentLargerThanTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"told before": bigAttachment, "found out on the way": unsizedAttachment} {
		b := newBroker(t, func(s *setup) { s.client.MaxFileBytes = 3 })
		_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: id})
		info := failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
		if info.GetMetadata()["limit"] != "3" {
			t.Errorf("%s: metadata %v, want the limit", name, info.GetMetadata())
		}
	}
}

func TestASlowReaderSlowsTheUpstreamDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var read atomic.Int64
		b := newBroker(t, countBodies(&read))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := b.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment}, grpc.MaxCallRecvMsgSize(1<<20))
		if err != nil {
			t.Fatal(err)
		}
		first, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // everything has come to rest: nobody reads on
		// One chunk, what the flow-control windows hold, and what bufconn does.
		if got, most := read.Load(), int64(2<<20); got > most || first.GetAttachment().GetFileSize() < 2*most {
			t.Errorf("%d of %d bytes were read for a caller that reads none, at most %d are due", got, first.GetAttachment().GetFileSize(), most)
		}
		cancel()
		synctest.Wait()
	})
}

// countBodies counts what is read of the upstream's bodies.
func countBodies(read *atomic.Int64) func(*setup) {
	return func(s *setup) {
		s.upstream = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil {
					resp.Body = &countingBody{ReadCloser: resp.Body, read: read}
				}
				return resp, err
			})
		}
	}
}

type countingBody struct {
	io.ReadCloser
	read *atomic.Int64
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}

func TestGetAttachmentThatIsAbsent(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: "att404404"})
	failedAs(t, err, codes.NotFound, "ATTACHMENT_NOT_FOUND")
}

func TestGetAttachmentThatEndsEarlyIsDataLoss(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{Face: confluencetest.FaceMedia, ShortBody: 300_000})
	about, data, sum, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
	info := failedAs(t, err, codes.DataLoss, "ATTACHMENT_TRUNCATED")
	if len(data) != 300_000 || sum != nil {
		t.Errorf("%d bytes and checksum %v came, want the 300000 bytes and no checksum", len(data), sum)
	}
	if got := info.GetMetadata(); got["bytes"] != "300000" || got["expected"] != strconv.FormatInt(about.GetFileSize(), 10) {
		t.Errorf("metadata = %v, want what came and what was due", got)
	}
}

const downloadRoute = "/wiki/rest/api/content/{id}/child/attachment/{attachmentId}/download"

func TestGetAttachmentFollowsRedirectsToTheMediaHostOnly(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"https://evil.example/file/f1/binary?token=JWT", "http://media.acme.example/file/f1/binary?token=JWT",
		"https://media.acme.example.evil.example/?token=JWT", "https://media.acme.example@evil.example/?token=JWT",
		"http://127.0.0.1/?token=JWT", "http://169.254.169.254/?token=JWT", "/wiki/download?token=JWT", "",
	} {
		b := newBroker(t)
		b.sim.AddFault(confluencetest.Fault{Route: downloadRoute, Status: http.StatusFound, Header: http.Header{"Location": {target}}})
		_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
		failedAs(t, err, codes.Internal, "UPSTREAM_BAD_RESPONSE")
		if asked := b.api(); len(asked) != 2 {
			t.Errorf("%s: upstream was asked %v, want the description and the download", target, asked)
		}
	}
}

func TestGetAttachmentFollowsOneRedirectOnly(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{
		Face: confluencetest.FaceMedia, Status: http.StatusFound, Header: http.Header{"Location": {"https://media.acme.example/file/again?token=JWT"}},
	})
	_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
	failedAs(t, err, codes.Internal, "UPSTREAM_BAD_RESPONSE")
	if asked := b.api(); len(asked) != 3 {
		t.Errorf("upstream was asked %v, want no second redirect followed", asked)
	}
}

func TestGetAttachmentRefusedIsNotAbsent(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{Route: downloadRoute, Status: http.StatusUnauthorized})
	_, _, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: "att9"})
	failedAs(t, err, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED")
}
