package confluencetest

import (
	"slices"
	"time"
)

// Option changes how a simulator behaves.
type Option func(*Simulator)

type settings struct {
	latency, jitter time.Duration
	perSecond       int
	indexLag        time.Duration
	quirks          []Quirk
	allowed         []string
}

// WithLatency makes every request wait, by latency and up to jitter more.
// Default: no wait.
func WithLatency(latency, jitter time.Duration) Option {
	return func(s *Simulator) { s.settings.latency, s.settings.jitter = latency, jitter }
}

// WithRateLimit answers 429 to more than so many requests for one endpoint in
// one second, with the headers that Atlassian documents. Default: no limit.
func WithRateLimit(perSecond int) Option {
	return func(s *Simulator) { s.settings.perSecond = perSecond }
}

// WithIndexLag hides from searches what was changed less than lag ago, as
// Confluence's index does for about a minute. Default: none.
func WithIndexLag(lag time.Duration) Option {
	return func(s *Simulator) { s.settings.indexLag = lag }
}

// Quirk is a behaviour that sources disagree about, or that only some sites
// show. Test a client with each of them and without.
type Quirk string

// The quirks. Without one, the simulator does the opposite.
const (
	UserTokensAsBearer Quirk = "user-tokens-as-bearer" // people's tokens may be sent as Bearer too
	RangeIgnored       Quirk = "range-ignored"         // the media face answers 200 to a Range request
	EmptyPages         Quirk = "empty-pages"           // now and then a page of results is empty and still has a next link
	UnstableSearch     Quirk = "unstable-search"       // equal hits swap places while a search is walked
	GatewayBase        Quirk = "gateway-base"          // _links.base names the gateway, not the site
	ServletLinks       Quirk = "servlet-links"         // downloadLink leads to the address for browsers, which refuses tokens
	AnonymousSite      Quirk = "anonymous-site"        // the site lets anybody read: dead tokens get 200, as an anonymous visitor
	NoLinkHeader       Quirk = "no-link-header"        // listings have _links.next only
	OldContentRoutes   Quirk = "old-content-routes"    // /rest/api/content/{id} and its kin still answer, instead of 410
)

// Quirks lists all quirks.
func Quirks() []Quirk {
	return []Quirk{
		UserTokensAsBearer, RangeIgnored, EmptyPages, UnstableSearch, GatewayBase, ServletLinks, AnonymousSite, NoLinkHeader, OldContentRoutes,
	}
}

// With switches quirks on.
func With(quirks ...Quirk) Option {
	return func(s *Simulator) { s.settings.quirks = append(s.settings.quirks, quirks...) }
}

func (s *Simulator) quirk(q Quirk) bool { return slices.Contains(s.settings.quirks, q) }

// Allow lets requests pass that a [Server] would fail the test for, whose
// complaint contains one of these words.
func Allow(complaints ...string) Option {
	return func(s *Simulator) { s.settings.allowed = append(s.settings.allowed, complaints...) }
}
