package confluenceclient

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// A page of results can be too much for Confluence, which then answers 500 or
// 504 however often it is asked, or for us. So a listing is tried again with half
// the page size, and goes on from there by the same cursors. That takes the
// place of attempts that any read has: it never makes more requests than
// maxAttempts, and waits, budgets and breakers hold for them as for all.

// smallestPage is a page size that is not halved any more.
const smallestPage = 10

// halve makes the page of results that query asks for smaller, and tells whether
// that could be.
func halve(query url.Values) bool {
	size := pageSize(query)
	if size <= smallestPage {
		return false
	}
	query.Set("limit", strconv.Itoa(max(size/2, smallestPage)))
	return true
}

// pageSize is 0 where query is for no listing.
func pageSize(query url.Values) int {
	size, _ := strconv.Atoi(query.Get("limit"))
	return size
}

// reduced is the page size that came of query, or 0 where it is the one asked for.
func reduced(query url.Values, asked int) int {
	if size := pageSize(query); size < asked {
		return size
	}
	return 0
}

// smaller returns the request to repeat after resp or, where none came in time,
// after err: the same, or one for a smaller page of results.
func (c *call) smaller(req *http.Request, resp *http.Response, err error) *http.Request {
	if !c.isTooMuch(resp, err) || !halve(c.query) {
		return req
	}
	req = req.Clone(req.Context())
	req.URL.RawQuery = c.query.Encode()
	return req
}

func (c *call) isTooMuch(resp *http.Response, err error) bool {
	if err != nil { // the caller's own deadline ends all attempts
		var limit net.Error
		return errors.As(err, &limit) && limit.Timeout()
	}
	_, told := resp.Header["Retry-After"]
	switch {
	case resp.StatusCode < 500 || told: // who says when to come again has too much to do at the moment
		return false
	case resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable:
		return c.attempt > 1 // mostly a matter of the moment
	}
	return true
}
