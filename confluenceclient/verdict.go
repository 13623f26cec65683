package confluenceclient

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// controlTimeout bounds each read that is for the broker itself.
const controlTimeout = 10 * time.Second

// verdict settles a failure that a dead token would cause just as well. A bare
// 404 is absence only after a control read has shown that the token works, and
// a 403 is the account's only after one has shown that the token does.
func (c *Client) verdict(ctx context.Context, call *call, f *failure) *failure {
	e := f.Error
	s, err := c.control(ctx, call.cred, call.sent)
	switch s {
	case alive:
		if e.Cause == CauseForbidden { // of this one thing, then, or of this kind of call
			e.Message = "Confluence refuses this to the token's account, though the token works"
			if strings.Contains(e.Op.Path, "{id}") {
				e.Cause, e.Message = CauseNotFound, messageAbsent
			}
		}
	case rejected:
		e.Cause = CauseTokenRejected
		e.Message = "Confluence does not accept the token: it is revoked, expired or not this site's"
	case shutOut:
		e.Cause, e.shutOut = CauseForbidden, true
		e.Message = "the token works, but its account may not use Confluence on this site"
	default:
		if ctx.Err() != nil {
			e = classifyFailure(ctx, e.Op, ctx.Err())
			break
		}
		e.Cause, e.RetryAfter, e.Err = CauseUnavailable, time.Second, err
		e.Message = "Confluence refused without saying why, and the read that tells a dead token from an absent page failed too"
	}
	return &failure{Error: e}
}

// wasThere tells whether a page that a request does not find was there before.
// Pages are rarely deleted, so it takes a control read of its own to believe that:
// what an earlier one has shown would let a token that was revoked since turn all
// known pages into absent ones.
func (c *Client) wasThere(call *call, ids pathIDs) bool {
	if call.op != opGetPage {
		return false
	}
	state, ok := c.states.known(stateKey{call.cred.identity, ids["id"]})
	return ok && state.value != nil
}

// control tells how the credential fares, for a request that was sent with it at
// asked: by what is known, or else by reading the current user. Failures at the
// same time share one read, and it outlives a caller that gives up. An error is a
// fault of ours, or the end of ctx; nothing is known then.
func (c *Client) control(ctx context.Context, cred *credential, asked time.Time) (standing, error) {
	if s, ok := cred.known(asked); ok {
		return s, nil
	}
	s, err := c.controls.do(ctx, cred, func(ctx context.Context) (standing, error) {
		if s, ok := cred.known(asked); ok { // it came between the look above and this read
			return s, nil
		}
		begun := time.Now()
		s := c.readStanding(ctx, cred)
		if s != unknown || ctx.Err() == nil { // else nobody waited for it
			cred.judge(s, begun)
		}
		return s, nil
	})
	if err != nil {
		return unknown, err
	}
	return s, nil
}

func (c *Client) readStanding(ctx context.Context, cred *credential) standing {
	_, f := c.probe(ctx, opCurrentUser, cred)
	if f != nil && (f.Cause == CauseNotFound || f.Cause == CauseGone) {
		// Should Atlassian take that endpoint away, a listing tells as well.
		if _, f = c.probe(ctx, opListSpaces, cred); f != nil && f.Cause != CauseScopeMissing {
			return unknown
		}
	}
	switch {
	case f == nil, f.Cause == CauseScopeMissing:
		return alive // a refusal for the scope is proof of life
	case f.Cause == CauseTokenRejected:
		return rejected
	case f.Cause != CauseForbidden:
		return unknown
	}
	// A dead token is turned away without a look at its scopes; a living one
	// without access to Confluence is still asked for them.
	switch _, f := c.probe(ctx, opAudit, cred); {
	case f != nil && f.Cause == CauseScopeMissing:
		return shutOut
	case f == nil, f.Cause == CauseForbidden, f.Cause == CauseNotFound, f.Cause == CauseTokenRejected:
		return rejected
	}
	return unknown
}

// probe sends one request without a verdict of its own, and returns the
// answer's header, nil if none came, and what failed.
func (c *Client) probe(ctx context.Context, op *Operation, cred *credential) (http.Header, *failure) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	resp, f := c.exchange(ctx, &call{op: op, cred: cred}, probeIDs(op), probeQuery(op))
	if resp == nil {
		return nil, f
	}
	defer closeBody(resp)
	if isRedirect(resp) { // of a download: there is no JSON to look at
		return resp.Header, f
	}
	if f == nil && !mayBeJSON(resp.Header) {
		f = failed(op, resp, CauseBadResponse, "something other than JSON came: this is not Atlassian's gateway, or something stands in the way to it")
	}
	if f == nil && op == opCurrentUser {
		f = whoIs(cred, resp)
	}
	return resp.Header, f
}

// probeIDs fills a path with an id that no content has: the scope check runs
// before anything is looked up, so the answer tells of scopes all the same.
func probeIDs(op *Operation) pathIDs {
	ids := pathIDs{}
	for _, name := range []string{"id", "attachmentId"} {
		if strings.Contains(op.Path, "{"+name+"}") {
			ids[name] = "1"
		}
	}
	return ids
}

func probeQuery(op *Operation) url.Values {
	switch op {
	case opSearch:
		return url.Values{"cql": {"id = 1"}, "limit": {"1"}}
	case opListPages:
		return url.Values{"id": {"1"}, "limit": {"1"}}
	case opListSpaces, opAudit:
		return url.Values{"limit": {"1"}}
	}
	return nil
}

// whoIs learns whose the credential is, which may be nobody's.
func whoIs(cred *credential, resp *http.Response) *failure {
	var user struct {
		Type      string `json:"type"`
		AccountID string `json:"accountId"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&user) != nil {
		return nil // what else it is, it is an answer
	}
	if user.Type == "anonymous" {
		return failed(opCurrentUser, resp, CauseTokenRejected, "Confluence takes the token for an anonymous visitor")
	}
	cred.learnAccount(user.AccountID)
	return nil
}
