package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// tokenInterval is how soon a changed secret is tried when nobody reads. To look
// costs the comparison of two texts.
const tokenInterval = time.Second

// tendToken has new secrets tried, and warns before the token's end, until ctx is
// done.
func tendToken(ctx context.Context, client *confluenceclient.Client, log *slog.Logger) {
	tick := time.NewTicker(tokenInterval)
	defer tick.Stop()
	var expiry expiryWarnings
	for {
		client.TryNewToken()
		expiry.look(ctx, client.TokenStatus().Expires, log)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tokenLog writes what becomes of the token.
func tokenLog(log *slog.Logger) func(confluenceclient.TokenEvent) {
	levels := map[confluenceclient.TokenEventKind]slog.Level{
		confluenceclient.TokenReplaced: slog.LevelInfo,
		confluenceclient.TokenRestored: slog.LevelInfo,
		confluenceclient.TokenUntried:  slog.LevelWarn,
		confluenceclient.TokenRefused:  slog.LevelError,
		confluenceclient.TokenRejected: slog.LevelError,
	}
	return func(event confluenceclient.TokenEvent) {
		log.Log(context.Background(), levels[event.Kind], event.Message, "token_event", string(event.Kind))
	}
}

// expiryStages are how long before the token's end an operator is warned: once
// in time to ask whoever makes tokens, once in time to press, and when it is over.
var expiryStages = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 0}

// expiryWarnings remembers what was warned of.
type expiryWarnings struct {
	expires time.Time
	stages  int // that have been reached
}

// look warns when the next stage before expires has been reached. The zero time
// means that the end is not known, as after a change of the token.
func (w *expiryWarnings) look(ctx context.Context, expires time.Time, log *slog.Logger) {
	if expires.IsZero() {
		if !w.expires.IsZero() {
			log.WarnContext(ctx, "it is not known when the new token ends, so nobody will be warned; set CONFLUENCE_TOKEN_EXPIRES (--token-expires) to its date at the next start", "before", w.expires)
		}
		w.expires = expires
		return
	}
	w.expires = expires
	left, reached := time.Until(expires), 0
	for _, stage := range expiryStages {
		if left <= stage {
			reached++
		}
	}
	if reached <= w.stages {
		return
	}
	if w.stages = reached; left <= 0 {
		log.ErrorContext(ctx, "the token has ended, if CONFLUENCE_TOKEN_EXPIRES (--token-expires) is right; put a new one in its place", "expires", expires)
		return
	}
	log.WarnContext(ctx, "the token ends soon; make a new one, with the scopes that `confluence-broker scopes` lists, and put it in its place", "expires", expires, "days_left", int(left/(24*time.Hour)))
}
