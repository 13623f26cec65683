package confluenceclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Client reads one Confluence site. Make it with New. It needs no closing: what it
// does when no call is under way is the trial of a newer token, which ends by
// itself within half a minute, and connections that nobody uses are closed after
// a while.
type Client struct {
	cfg       Config
	gateway   *url.URL // base of every API request, with /ex/confluence/{cloudId}
	site      *url.URL // base of links for people
	transport *retry
	*stores
	spaceKeys *cache[uint64, []string]     // of all spaces, by identity
	places    *cache[placeKey, any]        // facts about where content lies
	lacking   *cache[lackingKey, struct{}] // operations that the token was refused for lack of a scope
	rotation  *rotation
	controls  flights[*credential, standing] // control reads under way
}

// New checks cfg and returns a client. It makes no requests.
func New(cfg Config) (*Client, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return c, c.observeToken()
}

func newClient(cfg Config) (*Client, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.CloudID == "" {
		return nil, errors.New("cloud ID is not set; Discover finds it")
	}
	cfg = cfg.withDefaults()
	gateway, err := url.Parse(cfg.GatewayURL + "/ex/confluence/" + cfg.CloudID)
	if err != nil {
		return nil, err
	}
	site, err := url.Parse(cfg.SiteURL)
	if err != nil {
		return nil, err
	}
	site.Path = strings.TrimSuffix(site.Path, "/wiki")
	transport, err := newTransport(cfg, gateway)
	if err != nil {
		return nil, err
	}
	rotation, err := newRotation(cfg)
	if err != nil {
		return nil, err
	}
	kept, err := newMemory(cfg.CacheBytes, meterProvider(cfg))
	if err != nil {
		return nil, err
	}
	return &Client{
		cfg: cfg, gateway: gateway, site: site, transport: transport, rotation: rotation,
		stores:    newStores(kept),
		places:    newCache[placeKey, any](),
		spaceKeys: newCache[uint64, []string](),
		lacking:   newCache[lackingKey, struct{}](),
	}, nil
}

// SiteURL is the address that links for people begin with, without /wiki.
func (c *Client) SiteURL() string { return c.site.String() }

// pathIDs fills the names in an operation's path.
type pathIDs map[string]string

// Only these may stand in a path: nothing that is passed in can leave its place.
var pathIDPattern = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// newRequest is the one place that makes an API address: always below the
// gateway, always from the catalog, with every parameter encoded once.
func (c *Client) newRequest(ctx context.Context, op *Operation, ids pathIDs, query url.Values) (*http.Request, error) {
	path := op.Path
	for name, id := range ids {
		if !pathIDPattern.MatchString(id) {
			return nil, &Error{Op: op, Cause: CauseInvalid, Message: fmt.Sprintf("%q is not an id", id)}
		}
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	u := *c.gateway
	u.Path += path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &Error{Op: op, Cause: CauseInvalid, Message: "the request has no valid address", Err: err}
	}
	if op == opDownload {
		req.Header.Set("Accept-Encoding", "identity") // compression would hide how many bytes are due
	} else {
		req.Header.Set("Accept", "application/json") // or errors may come as HTML
	}
	req.Header.Set("User-Agent", "confluence-broker")
	return req, nil
}

// exchange is the only door to the upstream: it sends one operation and
// classifies what comes. An answer beside a failure is the caller's to close, as
// one without is. A call without a credential gets the one in use.
func (c *Client) exchange(ctx context.Context, call *call, ids pathIDs, query url.Values) (*http.Response, *failure) {
	if call.cred == nil {
		call.cred = c.credential()
	}
	ctx = call.in(ctx)
	call.query = query
	req, err := c.newRequest(ctx, call.op, ids, query)
	if err != nil {
		return nil, &failure{Error: classifyFailure(ctx, call.op, err)}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, &failure{Error: call.finish(classifyFailure(ctx, call.op, err))}
	}
	resp.Request = req // a RoundTripper need not set it
	if call.op == opDownload && isRedirect(resp) {
		return resp, nil
	}
	failure := classify(call.op, resp)
	c.hear(call, resp, failure)
	return resp, failure
}

// send returns an answer with status 200 (or a redirect, for the one operation
// that answers so), or an *Error with a verdict. What a token was refused is asked
// for once more when there is another one.
func (c *Client) send(ctx context.Context, call *call, ids pathIDs, query url.Values) (*http.Response, error) {
	resp, failure := c.ask(ctx, call, ids, query)
	if failure != nil && failure.Cause == CauseTokenRejected {
		if other := c.replacement(ctx, call.cred); other != nil {
			call.cred = other
			resp, failure = c.ask(ctx, call, ids, query)
		} else {
			failure = c.rejected(failure)
		}
	}
	if failure == nil {
		return resp, nil
	}
	return nil, call.finish(failure.Error)
}

// ask is exchange with a verdict, and without answers beside a failure.
func (c *Client) ask(ctx context.Context, call *call, ids pathIDs, query url.Values) (*http.Response, *failure) {
	resp, failure := c.exchange(ctx, call, ids, query)
	if failure == nil {
		return resp, nil
	}
	if resp != nil {
		closeBody(resp)
	}
	if failure.ambiguous {
		if c.wasThere(call, ids) {
			call.cred.doubt()
		}
		failure = c.verdict(ctx, call, failure)
	}
	if failure.Cause == CauseMisrouted {
		failure.Host, failure.Path = resp.Request.URL.Host, resp.Request.URL.Path
	}
	return nil, failure
}

// get sends and decodes the JSON answer into out. The header is returned for
// the Link that some listings carry. The limit in query is smaller afterwards
// where a page of results of that size could not be had.
func (c *Client) get(ctx context.Context, op *Operation, ids pathIDs, query url.Values, out any) (http.Header, error) {
	call := &call{op: op}
	resp, body, err := c.fetchWhole(ctx, call, ids, query)
	if err != nil {
		return nil, err
	}
	fail := func(message string, err error) error {
		return call.finish(&Error{
			Op: op, Cause: CauseBadResponse, StatusCode: resp.StatusCode, RequestID: requestID(resp.Header), Message: message, Err: err,
		})
	}
	if !mayBeJSON(resp.Header) {
		return nil, fail("Confluence answered something other than JSON", nil)
	}
	if err := json.Unmarshal(body, out); err != nil {
		// The decoder's text may quote the body, so it goes no further than its type.
		return nil, fail("Confluence's answer is not the JSON that its API describes", fmt.Errorf("decoding failed: %T", err))
	}
	return resp.Header, nil
}

// fetchWhole repeats fetch where the answer began and then proved to be too
// much: with a smaller page of results, or once as it is if it broke off.
func (c *Client) fetchWhole(ctx context.Context, call *call, ids pathIDs, query url.Values) (*http.Response, []byte, error) {
	for repeated := false; ; repeated = true {
		resp, body, err := c.fetch(ctx, call, ids, query)
		broke := resp != nil && CauseOf(err) == CauseUnavailable
		if !broke && CauseOf(err) != CauseTooLarge {
			return resp, body, err
		}
		if (!halve(query) && (repeated || !broke)) || !c.transport.mayReadAgain(ctx, call) {
			return nil, nil, err
		}
	}
}

// fetch sends and reads the answer whole. An answer beside an error means that
// it began and broke off, or was too large.
func (c *Client) fetch(ctx context.Context, call *call, ids pathIDs, query url.Values) (*http.Response, []byte, error) {
	resp, err := c.send(ctx, call, ids, query)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ContentLength > c.cfg.MaxResponseBytes {
		return resp, nil, c.tooLarge(call, resp, resp.ContentLength)
	}
	// Bytes are counted after decompression, so a small answer cannot grow large.
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxResponseBytes+1))
	if size := int64(len(body)); size > c.cfg.MaxResponseBytes {
		return resp, nil, c.tooLarge(call, resp, size)
	}
	if err != nil {
		return resp, nil, call.finish(classifyFailure(ctx, call.op, err))
	}
	return resp, body, nil
}

func (c *Client) tooLarge(call *call, resp *http.Response, size int64) *Error {
	return call.finish(&Error{
		Op: call.op, Cause: CauseTooLarge, StatusCode: resp.StatusCode, RequestID: requestID(resp.Header),
		Size: size, Limit: c.cfg.MaxResponseBytes, Message: "Confluence's answer is larger than the broker reads",
	})
}

// mayBeJSON keeps HTML away from the decoder: login pages, maintenance pages and
// pages of proxies come with status 200 too.
func mayBeJSON(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "" || kind == "text/plain" || kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// closeBody reads a little of what is left, so that the connection can be used
// again, and closes.
func closeBody(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
}
