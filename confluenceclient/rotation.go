package confluenceclient

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// rotation knows which secret is in use. A newer one from Credentials.Secret is
// a candidate until a control read has shown that it works: a wrong paste into
// the token's file must not stop the broker.
type rotation struct {
	creds  Credentials
	onTold func(TokenEvent) // may be nil
	events metric.Int64Counter
	active atomic.Pointer[credential]

	mu        sync.Mutex
	made      uint64      // credentials so far
	candidate *credential // nil: the newest secret is in use
	outcome   standing    // of the candidate's latest trial
	trying    bool        // in the background
	tryAt     time.Time   // when to try the candidate again
	delay     time.Duration
	reported  time.Time // when that was last told
	alarm     bool      // no token works
	alarmed   time.Time // when that was last told
}

const (
	firstRetrial   = time.Second      // of a trial that had no outcome
	firstRehearing = time.Minute      // of a refused candidate: a new account's access takes that long to hold
	longestDelay   = 15 * time.Minute // between two trials
	reportInterval = 15 * time.Minute // between two reports of the same trouble
	trialTimeout   = 30 * time.Second
)

func newRotation(cfg Config) (*rotation, error) {
	events, err := meterProvider(cfg).Meter(scopeName).Int64Counter("confluence_broker.token.events",
		metric.WithUnit("{event}"), metric.WithDescription("What became of tokens: replaced, refused, untried, rejected, restored."))
	r := &rotation{creds: cfg.Credentials, onTold: cfg.OnToken, events: events}
	first := r.newCredential()
	first.expires = cfg.Credentials.Expires
	r.active.Store(first)
	return r, err
}

func (r *rotation) newCredential() *credential {
	r.made++
	return newCredential(r.creds, r.made)
}

// look takes notice of a newer secret, and returns the candidate when it is time
// for a trial in the background, which is the caller's to make.
func (r *rotation) look() *credential {
	secret := r.creds.secret()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case secret == r.active.Load().secret:
		r.candidate = nil // or it was taken back
	case r.candidate == nil || r.candidate.secret != secret:
		r.candidate, r.outcome, r.trying, r.delay = r.newCredential(), unknown, false, 0
		r.tryAt, r.reported, r.alarmed = time.Time{}, time.Time{}, time.Time{}
	}
	if r.candidate == nil || r.trying || time.Now().Before(r.tryAt) {
		return nil
	}
	r.trying = true
	return r.candidate
}

// waiting is the newer secret that has not replaced the one in use, and the
// outcome of its latest trial; nil: there is none.
func (r *rotation) waiting() (*credential, standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.candidate, r.outcome
}

// settle draws the consequence of a candidate's trial.
func (r *rotation) settle(candidate *credential, outcome standing) *TokenEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.candidate != candidate {
		return nil // replaced by a newer one, taken back, or settled by another trial
	}
	told := outcome == r.outcome && time.Since(r.reported) < reportInterval
	r.trying, r.outcome = false, outcome
	if outcome == alive {
		old := r.active.Load()
		same := candidate.accountID() != "" && candidate.accountID() == old.accountID()
		if same { // nobody has read it before this one is in use
			candidate.identity = old.identity
		}
		r.active.Store(candidate)
		r.candidate, r.alarm = nil, false
		return tokenReplaced(same)
	}
	first := firstRehearing
	if outcome == unknown {
		first = firstRetrial
	}
	r.delay = min(max(2*r.delay, first), longestDelay)
	r.tryAt = time.Now().Add(r.delay)
	if told {
		return nil
	}
	r.reported = time.Now()
	return tokenNotReplaced(outcome)
}

// reject takes notice that the credential in use does not work, and nothing is
// there to replace it.
func (r *rotation) reject(cred *credential) *TokenEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active.Load() != cred {
		return nil
	}
	told := r.alarm && time.Since(r.alarmed) < reportInterval
	if r.alarm = true; told {
		return nil
	}
	r.alarmed = time.Now()
	return &TokenEvent{Kind: TokenRejected, Message: rejectedText(r.candidate != nil, r.outcome)}
}

// accept takes notice that the credential in use works.
func (r *rotation) accept(cred *credential) *TokenEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.alarm || r.active.Load() != cred {
		return nil
	}
	r.alarm = false
	return &TokenEvent{Kind: TokenRestored, Message: "Confluence accepts the token again"}
}

func (r *rotation) tell(event *TokenEvent) {
	if event == nil {
		return
	}
	r.events.Add(context.Background(), 1, metric.WithAttributes(attribute.String("confluence_broker.token.event", string(event.Kind))))
	if r.onTold != nil {
		r.onTold(*event)
	}
}

// credential returns the one in use, and has a newer secret tried in the
// background.
func (c *Client) credential() *credential {
	if candidate := c.rotation.look(); candidate != nil {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), trialTimeout)
			defer cancel()
			c.rotation.tell(c.rotation.settle(candidate, c.try(ctx, candidate)))
		}()
	}
	return c.rotation.active.Load()
}

// identity names the account in use, as keys of caches do: what one account may
// see is not for another.
func (c *Client) identity() uint64 { return c.credential().identity }

// TryNewToken has a secret that is newer than the one in use tried in the
// background, as the next read would. It is for the time when a secret has
// changed and nobody reads: what is wrong with it should be told at once.
func (c *Client) TryNewToken() { c.credential() }

// replacement is the credential in use after another one was refused; nil: there
// is no other. A newer secret gets its trial at once.
func (c *Client) replacement(ctx context.Context, refused *credential) *credential {
	if c.credential() == refused {
		if candidate, _ := c.rotation.waiting(); candidate != nil {
			if outcome := c.try(ctx, candidate); ctx.Err() == nil {
				c.rotation.tell(c.rotation.settle(candidate, outcome))
			}
		}
	}
	if active := c.rotation.active.Load(); active != refused {
		return active
	}
	c.rotation.tell(c.rotation.reject(refused))
	return nil
}

// try tells how Confluence takes the candidate. Where it works, the account of
// the one in use is found out too, if that one still lives.
func (c *Client) try(ctx context.Context, candidate *credential) standing {
	if c.cfg.Credentials.checkSecret(candidate.secret) != nil {
		return rejected
	}
	outcome, _ := c.control(ctx, candidate, time.Now())
	if active := c.rotation.active.Load(); outcome == alive && active.accountID() == "" && active.standing() != rejected {
		_, _ = c.control(ctx, active, time.Now())
	}
	return outcome
}

// rejected describes a refusal of the credential in use when no other works.
func (c *Client) rejected(f *failure) *failure {
	if candidate, outcome := c.rotation.waiting(); candidate != nil {
		f.Message = rejectedText(true, outcome)
	}
	return f
}
