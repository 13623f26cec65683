package confluenceclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// file reads the body of a download, counts, and insists on the bytes due.
type file struct {
	client *Client
	body   io.ReadCloser
	ctx    context.Context
	at     int64 // position of the next byte in the whole file
	size   int64 // of the whole file; -1: not told
}

// newFile places the reader at offset, whether or not the host honoured the
// Range request: 206 begins there, 200 at the beginning of the file.
func (c *Client) newFile(ctx context.Context, resp *http.Response, offset, size int64) (io.ReadCloser, error) {
	f := &file{client: c, body: resp.Body, ctx: ctx, size: size}
	total := resp.ContentLength
	if resp.StatusCode == http.StatusPartialContent {
		start, ok := rangeStart(resp.Header)
		if !ok || start > offset {
			return nil, badResponse(opMedia, "the media host answered with another part of the file than asked for")
		}
		f.at, total = start, rangeTotal(resp.Header)
	}
	if f.size < 0 {
		f.size = total
	}
	if total >= 0 && total > f.size {
		return nil, badResponse(opMedia, fmt.Sprintf("the media host announces %d bytes, Confluence %d", total, f.size))
	}
	if f.size >= 0 && offset > f.size {
		return nil, outOfRange(offset, f.size)
	}
	if err := c.checkFileSize(f.size); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, f, offset-f.at); err != nil {
		if errors.Is(err, io.EOF) { // only a file of unknown size can end here without an error
			err = outOfRange(offset, f.at)
		}
		return nil, err
	}
	return f, nil
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	f.at += int64(n)
	if f.size >= 0 && f.at > f.size {
		return 0, badResponse(opMedia, fmt.Sprintf("the file is longer than the %d bytes that were announced", f.size))
	}
	if limitErr := f.client.checkFileSize(f.at); limitErr != nil {
		return 0, limitErr
	}
	switch {
	case err == nil:
		return n, nil
	case f.ctx.Err() != nil:
		return n, classifyFailure(f.ctx, opMedia, f.ctx.Err())
	case errors.Is(err, io.EOF) && (f.size < 0 || f.at == f.size):
		return n, io.EOF
	}
	return n, f.truncated(err)
}

func (f *file) truncated(err error) *Error {
	e := &Error{Op: opMedia, Cause: CauseTruncated, Size: f.at, Limit: f.size, Err: err}
	if f.size < 0 {
		e.Message = fmt.Sprintf("the file broke off after %d bytes", f.at)
	} else {
		e.Message = fmt.Sprintf("the file ended after %d of %d bytes", f.at, f.size)
	}
	if errors.Is(err, errStalled) {
		e.Message += ": nothing came any more"
	}
	return e
}

func (f *file) Close() error { return f.body.Close() }

// rangeStart and rangeTotal read "Content-Range: bytes 5-9/10" (RFC 9110
// §14.4). A total of -1 means that it is not told.
func rangeStart(header http.Header) (int64, bool) {
	value := strings.TrimPrefix(header.Get("Content-Range"), "bytes ")
	start, _, _ := strings.Cut(value, "-")
	n, err := strconv.ParseInt(start, 10, 64)
	return n, err == nil && n >= 0
}

func rangeTotal(header http.Header) int64 {
	_, total, _ := strings.Cut(header.Get("Content-Range"), "/")
	if n, err := strconv.ParseInt(total, 10, 64); err == nil {
		return n
	}
	return -1
}
