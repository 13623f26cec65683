package confluenceclient

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Scheme is how the token is presented to the gateway.
type Scheme string

// The schemes.
const (
	SchemeBasic  Scheme = "basic"  // e-mail and API token
	SchemeBearer Scheme = "bearer" // API token of a service account
	SchemeOAuth  Scheme = "oauth"  // OAuth 2.0 client credentials
)

// Credentials is the one identity that the client uses.
type Credentials struct {
	Scheme   Scheme
	Email    string        // SchemeBasic
	Secret   func() string // the current API token or, for SchemeOAuth, client secret; called for each use, so that it may change
	ClientID string        // SchemeOAuth
	TokenURL string        // SchemeOAuth; empty: https://auth.atlassian.com/oauth/token
}

// Config is what New needs.
type Config struct {
	SiteURL          string        // https://acme.example: for people's links only; required
	CloudID          string        // required by New; Discover finds it
	GatewayURL       string        // empty: https://api.atlassian.com
	Credentials      Credentials   // required
	MediaHosts       []string      // hosts that a download may be redirected to; empty: api.media.atlassian.com
	MaxResponseBytes int64         // largest JSON answer that is read; 0: 32 MiB
	MaxFileBytes     int64         // largest attachment handed out; 0: no limit
	CacheBytes       int64         // memory for cached pages; 0: 64 MiB
	StallTimeout     time.Duration // longest silence within a download; 0: 30 s

	Transport      http.RoundTripper    // below all layers; nil: a tuned http.Transport
	TracerProvider trace.TracerProvider // nil: no spans
	MeterProvider  metric.MeterProvider // nil: no metrics
	Logger         *slog.Logger         // nil: no logs
}

type Client struct{}

// New checks cfg and returns a client. It makes no requests.
func New(cfg Config) (*Client, error) { panic("todo") }

// Discover asks the site for its cloud ID, without credentials.
func Discover(ctx context.Context, siteURL string, transport http.RoundTripper) (string, error) {
	panic("todo")
}

// PageOptions says how to read a page.
type PageOptions struct {
	Format  BodyFormat
	Version int32         // 0: current
	MaxAge  time.Duration // how old a cached answer may be; 0: ask Confluence
}

// Page returns a page that is current or archived, or an old version of one.
// Trashed pages, drafts and absence are CauseNotFound.
func (c *Client) Page(ctx context.Context, id string, opts PageOptions) (*Page, error) { panic("todo") }

// PageIDByTitle finds the current page with the title, upper and lower case
// being the same. CauseNotFound with Op getSpaces: no such space.
func (c *Client) PageIDByTitle(ctx context.Context, spaceKey, title string) (string, error) {
	panic("todo")
}

// HomepageID returns the id of the space's home page.
func (c *Client) HomepageID(ctx context.Context, spaceKey string) (string, error) { panic("todo") }

// Address is what an address of the site names: content by Type and ID, a page
// by SpaceKey and Title, or a space's home page by SpaceKey alone.
type Address struct {
	Type            ContentType
	ID              string
	SpaceKey, Title string
}

// ParseAddress reads an address that a person copied from a browser. It asks
// nothing upstream. Its errors are plain sentences, fit for the caller.
func (c *Client) ParseAddress(raw string) (Address, error) { panic("todo") }

// Cursor is a place in a listing. The zero Cursor is the beginning. It is
// JSON-encodable; what is in it concerns only this package.
type Cursor struct {
	Op    string `json:"o,omitempty"`
	Value string `json:"v,omitempty"`
	// + loop guard
}

// ChildrenRequest names the parent and the place in the listing.
type ChildrenRequest struct {
	ParentType ContentType
	ParentID   string
	Limit      int
	Cursor     Cursor
}

// Omitted is an item that a listing left out.
type Omitted struct{ ID, Why string }

// ChildrenPage is one page of results.
type ChildrenPage struct {
	Children  []Child
	Next      Cursor // zero: no more
	PagesOnly bool   // the deprecated endpoint was used, which shows pages only
	Omitted   []Omitted
}

// Children lists direct children.
func (c *Client) Children(ctx context.Context, req ChildrenRequest) (*ChildrenPage, error) {
	panic("todo")
}

// SearchRequest is a query and the place in its results.
type SearchRequest struct {
	CQL    string
	Limit  int
	Cursor Cursor
}

// SearchPage is one page of results.
type SearchPage struct {
	Results        []SearchResult
	Next           Cursor // zero: no more
	EstimatedTotal int64
	Omitted        []Omitted
}

// Search runs a CQL query.
func (c *Client) Search(ctx context.Context, req SearchRequest) (*SearchPage, error) { panic("todo") }

// Attachment describes a version of an attachment; version 0 is the current one.
func (c *Client) Attachment(ctx context.Context, id string, version int32) (*Attachment, error) {
	panic("todo")
}

// Download opens the bytes of an attachment from offset on. The reader returns
// io.EOF only after every byte that was due; otherwise an *Error with
// CauseTruncated. Close it.
func (c *Client) Download(ctx context.Context, a *Attachment, offset int64) (io.ReadCloser, error) {
	panic("todo")
}

// Severity is how much a finding matters.
type Severity string

// The severities.
const (
	OK      Severity = "ok"
	Warning Severity = "warning"
	Problem Severity = "problem"
	Skipped Severity = "skipped"
)

// Finding is the outcome of one check.
type Finding struct {
	Check    string   `json:"check"` // lower-kebab-case
	Severity Severity `json:"severity"`
	Seen     string   `json:"seen"`
	Remedy   string   `json:"remedy,omitempty"`
}

// Diagnose runs every check on cfg, upstream reads included. It never fails:
// what fails is a finding. CloudID may be empty.
func Diagnose(ctx context.Context, cfg Config) []Finding { panic("todo") }
