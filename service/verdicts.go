package service

import (
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/confluence-broker/confluence-broker/policy"
)

const (
	maxVerdicts = 100_000
	// maxNoAge is as long as the client believes that something is absent.
	maxNoAge = 10 * time.Second
	// maxYesAge is how long a caller counts as one who knows of something, which
	// decides no more than in which order Confluence is asked, and how old a copy
	// may be that a caller with rules gets where Confluence cannot be asked.
	maxYesAge = 10 * time.Minute
)

// verdicts remembers what callers were told about whether something is there for
// them. A no is remembered by what was asked, not by what was found: whoever asks
// by title learns nothing about an id from how soon the answer comes.
type verdicts struct {
	entries *otter.Cache[question, verdict]
}

// question is what a caller asked for. A policy that is read again has callers of
// its own, so that nothing is remembered across it.
type question struct {
	caller *policy.Caller
	about  string
}

type verdict struct {
	decision policy.Decision // without a rule: there was nothing to decide about
	space    string
	asked    time.Time
}

func newVerdicts() verdicts {
	return verdicts{otter.Must(&otter.Options[question, verdict]{MaximumSize: maxVerdicts})}
}

// saidNo tells whether the caller was told within maxAge that there is no such
// thing.
func (v verdicts) saidNo(q question, maxAge time.Duration) (verdict, bool) {
	last, ok := v.entries.GetIfPresent(q)
	return last, ok && !last.decision.Allowed && maxAge > 0 && time.Since(last.asked) <= min(maxAge, maxNoAge)
}

// saidYes tells whether the caller has seen it not long ago.
func (v verdicts) saidYes(q question) bool {
	last, ok := v.entries.GetIfPresent(q)
	return ok && last.decision.Allowed && time.Since(last.asked) <= maxYesAge
}

func (v verdicts) keep(q question, d policy.Decision, space string, asked time.Time) {
	v.entries.Set(q, verdict{decision: d, space: space, asked: asked})
}

// sawAllowed notes that the caller was shown something.
func (v verdicts) sawAllowed(q question) {
	v.keep(q, policy.Decision{Allowed: true}, "", time.Now())
}
