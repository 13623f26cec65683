package confluenceclient

import (
	"net/http"
	"time"
)

// standing is how a token fares with Confluence.
type standing string

// The standings.
const (
	unknown  standing = "unknown"   // nothing has shown it yet, or the control read itself failed
	alive    standing = "accepted"  // the token works
	rejected standing = "rejected"  // the gateway or Confluence does not know the token
	shutOut  standing = "no access" // the token lives, its account may not use Confluence
)

const (
	// verdictAge is how long a control read speaks for the refusals after it. It
	// is the longest that pages can pass for absent when a token is revoked just
	// after it was seen to work, and costs at most one control read in as long.
	verdictAge = 5 * time.Second
	// unknownAge is the same for a control read that failed.
	unknownAge = time.Second
	// lifeAge is how long after a control read other successes can stand in for
	// the next one. They prove a little less: a site with anonymous access shows
	// its public pages to dead tokens too.
	lifeAge = 5 * time.Minute
)

// known is the standing that a refused request gets without a control read.
// asked is when it was sent: a success that was sent after it shows that the
// token outlived it.
func (cred *credential) known(asked time.Time) (standing, bool) {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	now := time.Now()
	switch {
	case now.Before(cred.verdictEnds):
		return cred.verdict, true
	case cred.verdict == alive && now.Sub(cred.judged) < lifeAge && cred.lived.After(asked):
		return alive, true
	}
	return unknown, false
}

// doubt makes the next refusal wait for a control read of its own.
func (cred *credential) doubt() {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	if cred.verdict == alive {
		cred.verdict, cred.verdictEnds = unknown, time.Time{}
	}
}

// standing is the newest sign of life or death.
func (cred *credential) standing() standing {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	return cred.seen
}

// judge keeps what a control read that began at asked has found.
func (cred *credential) judge(verdict standing, asked time.Time) {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	cred.verdict, cred.judged = verdict, asked
	switch verdict {
	case unknown:
		cred.verdictEnds = time.Now().Add(unknownAge)
		return // and what was seen before still holds
	case alive:
		cred.verdictEnds = asked.Add(verdictAge)
	default:
		cred.verdictEnds = time.Now().Add(verdictAge)
	}
	cred.seen, cred.seenAt = verdict, asked
}

// hear learns from the outcome of a call that is no control read: it confirms
// the latest verdict, or ends it.
func (c *Client) hear(call *call, resp *http.Response, f *failure) {
	switch {
	case call.op == opCurrentUser && f == nil: // anybody gets an answer
	case f == nil && !mayBeJSON(resp.Header): // nor from Confluence
	case f == nil, f.Cause == CauseScopeMissing: // a refusal for the scope is proof of life
		call.cred.noteLife(call.sent)
		c.rotation.tell(c.rotation.accept(call.cred))
	case f.Cause == CauseTokenRejected:
		call.cred.noteRefusal(call.sent)
	}
}

func (cred *credential) noteLife(asked time.Time) {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	if asked.After(cred.lived) {
		cred.lived = asked
	}
	if asked.Before(cred.seenAt) {
		return
	}
	if cred.seen, cred.seenAt = alive, asked; cred.verdict != alive {
		cred.verdictEnds = time.Time{}
	}
}

func (cred *credential) noteRefusal(asked time.Time) {
	cred.mu.Lock()
	defer cred.mu.Unlock()
	if asked.Before(cred.seenAt) {
		return
	}
	if cred.seen, cred.seenAt = rejected, asked; cred.verdict == alive {
		cred.verdict, cred.verdictEnds = unknown, time.Time{}
	}
}
