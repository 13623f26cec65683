package confluenceclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// opMedia is the fetch behind the redirect of opDownload. It is no endpoint of
// Confluence's: the address is signed, needs no scope and takes no token.
var opMedia = &Operation{Name: "fetchMedia", API: "media", Path: "/file/{fileId}/binary"}

// Download opens the bytes of an attachment from offset on. The reader returns
// io.EOF only after every byte that was due, and otherwise an *Error, with
// CauseTruncated for a file that ended early. Close it. It is not safe for
// concurrent use.
//
// The path is made from ids: the link that listings carry is a browser's, and
// refuses tokens (CHANGE-2735).
func (c *Client) Download(ctx context.Context, a *Attachment, offset int64) (io.ReadCloser, error) {
	size := int64(-1)
	if a.FileSize != nil {
		size = *a.FileSize
	}
	if err := c.checkFileSize(size); err != nil {
		return nil, err
	}
	switch {
	case size >= 0 && offset > size:
		return nil, outOfRange(offset, size)
	case size == offset:
		return http.NoBody, nil
	}
	return c.open(ctx, a, offset, size)
}

func (c *Client) open(ctx context.Context, a *Attachment, offset, size int64) (io.ReadCloser, error) {
	// The version is named even when it is the current one, so that what comes
	// is what a describes, whatever is uploaded in between.
	query := url.Values{}
	if a.Version.Number > 0 {
		query.Set("version", strconv.Itoa(int(a.Version.Number)))
	}
	resp, err := c.send(ctx, &call{op: opDownload}, pathIDs{"id": a.ContainerID, "attachmentId": a.ID}, query)
	if err != nil {
		return nil, err
	}
	if isRedirect(resp) {
		closeBody(resp)
		if resp, err = c.fetchMedia(ctx, &call{op: opMedia}, resp, offset); err != nil {
			return nil, err
		}
	} else if isHTML(resp.Header) && !strings.HasPrefix(a.MediaType, "text/html") {
		closeBody(resp)
		return nil, badResponse(opDownload, "a page of HTML came in place of the file")
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		closeBody(resp)
		return nil, badResponse(opDownload, "the file came compressed, which was not asked for")
	}
	body, err := c.newFile(ctx, resp, offset, size)
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return body, nil
}

func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusFound, http.StatusMovedPermanently, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// fetchMedia follows the redirect, once, to an allowed host only. The address
// is a secret while it lives, so no error shows more of it than the host.
func (c *Client) fetchMedia(ctx context.Context, call *call, redirect *http.Response, offset int64) (*http.Response, error) {
	from := redirect.Request.URL
	target, err := from.Parse(redirect.Header.Get("Location"))
	if err != nil || !isMediaURL(target, c.cfg.MediaHosts) || (from.Scheme == "https" && target.Scheme != "https") {
		host := "an address that cannot be read"
		if err == nil {
			host = fmt.Sprintf("%q", target.Scheme+"://"+target.Host)
		}
		return nil, badResponse(opDownload, "the download leads to "+host+", which is not an allowed media host ("+strings.Join(c.cfg.MediaHosts, ", ")+")")
	}
	req, err := http.NewRequestWithContext(call.in(ctx), http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, badResponse(opDownload, "the download's address cannot be read")
	}
	// Compression would hide how many bytes are due.
	req.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, call.finish(classifyFailure(ctx, opMedia, err))
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		return resp, nil
	}
	closeBody(resp)
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && offset > 0 {
		return c.fetchMedia(ctx, call, redirect, 0) // the whole file tells where its end is
	}
	return nil, call.finish(mediaFailure(resp))
}

func mediaFailure(resp *http.Response) *Error {
	e := failed(opMedia, resp, CauseUnavailable, "the media host does not hand out the file").Error
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests:
		e.Cause = CauseRateLimited
	case status >= 300 && status < 400:
		e.Cause, e.Message = CauseBadResponse, "the media host redirects again, which is not followed"
	}
	e.RetryAfter = max(e.RetryAfter, time.Second) // a new attempt gets a new signed address
	return e
}

func outOfRange(offset, size int64) *Error {
	return &Error{
		Op: opDownload, Cause: CauseOutOfRange, Size: offset, Limit: size,
		Message: fmt.Sprintf("the offset %d lies behind the end of the file, which has %d bytes", offset, size),
	}
}

func (c *Client) checkFileSize(size int64) error {
	if limit := c.cfg.MaxFileBytes; limit > 0 && size > limit {
		return &Error{
			Op: opDownload, Cause: CauseTooLarge, Size: size, Limit: limit,
			Message: fmt.Sprintf("the file has %d bytes, and the broker hands out at most %d", size, limit),
		}
	}
	return nil
}
