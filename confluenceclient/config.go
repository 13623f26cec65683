package confluenceclient

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Scheme is how the secret is presented to the gateway. It is always said,
// never guessed from a host or from the token's shape.
type Scheme string

// The schemes.
const (
	SchemeBasic  Scheme = "basic"  // e-mail address and API token
	SchemeBearer Scheme = "bearer" // API token of a service account
	SchemeOAuth  Scheme = "oauth"  // OAuth 2.0 client credentials of a service account
)

// Credentials is the one identity that a client uses.
type Credentials struct {
	Scheme   Scheme
	Email    string        // SchemeBasic only
	Secret   func() string // the API token or, for SchemeOAuth, the client secret; called for each use, from many goroutines, so that it may change
	ClientID string        // SchemeOAuth only
	TokenURL string        // SchemeOAuth only; empty: DefaultTokenURL

	Since   func() time.Time // when Secret last changed; nil: when the client first saw it
	Expires time.Time        // when the secret that Secret returns first will end, for warnings; zero: not known
}

// Defaults of Config and Credentials.
const (
	DefaultGatewayURL = "https://api.atlassian.com"
	DefaultTokenURL   = "https://auth.atlassian.com/oauth/token"
	DefaultMediaHost  = "api.media.atlassian.com"

	defaultMaxResponseBytes = 32 << 20
	defaultCacheBytes       = 64 << 20
	defaultConnectTimeout   = 10 * time.Second
	defaultTLSTimeout       = 10 * time.Second
	defaultHeaderTimeout    = 30 * time.Second
	defaultStallTimeout     = 30 * time.Second
)

// Config is what New needs. The zero value of every field but SiteURL, CloudID
// and Credentials is a working default.
type Config struct {
	SiteURL          string // such as https://acme.example: for people's links only, never asked for content
	CloudID          string // the site's id at the gateway; Discover finds it
	GatewayURL       string // empty: DefaultGatewayURL
	Credentials      Credentials
	MediaHosts       []string      // host or host:port that a download may lead to; empty: DefaultMediaHost
	MaxResponseBytes int64         // largest JSON answer read; 0: 32 MiB
	MaxFileBytes     int64         // largest attachment handed out; 0: no limit
	CacheBytes       int64         // memory for what Confluence told, of all kinds; 0: 64 MiB; negative: no cache
	ConnectTimeout   time.Duration // longest wait for a connection; 0: 10 s
	TLSTimeout       time.Duration // longest wait for its TLS handshake; 0: 10 s
	HeaderTimeout    time.Duration // longest wait for an answer to begin; 0: 30 s
	StallTimeout     time.Duration // longest silence within an answer or a download; 0: 30 s

	Transport      http.RoundTripper    // below all layers; nil: an http.Transport made for one busy host
	OnToken        func(TokenEvent)     // told what becomes of the token, from many goroutines; must not block; nil: nobody
	TracerProvider trace.TracerProvider // nil: no spans
	MeterProvider  metric.MeterProvider // nil: no metrics
}

func (cfg Config) withDefaults() Config {
	cfg.GatewayURL = strings.TrimRight(cmp.Or(cfg.GatewayURL, DefaultGatewayURL), "/")
	cfg.SiteURL = strings.TrimRight(cfg.SiteURL, "/")
	cfg.Credentials.TokenURL = cmp.Or(cfg.Credentials.TokenURL, DefaultTokenURL)
	cfg.MaxResponseBytes = cmp.Or(cfg.MaxResponseBytes, defaultMaxResponseBytes)
	cfg.CacheBytes = cmp.Or(cfg.CacheBytes, defaultCacheBytes)
	cfg.ConnectTimeout = cmp.Or(cfg.ConnectTimeout, defaultConnectTimeout)
	cfg.TLSTimeout = cmp.Or(cfg.TLSTimeout, defaultTLSTimeout)
	cfg.HeaderTimeout = cmp.Or(cfg.HeaderTimeout, defaultHeaderTimeout)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, defaultStallTimeout)
	if len(cfg.MediaHosts) == 0 {
		cfg.MediaHosts = []string{DefaultMediaHost}
	}
	return cfg
}

var cloudIDPattern = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// Check returns everything that is wrong with cfg, joined, each with what would
// be right. It asks nothing upstream. An empty CloudID passes: New insists on it.
func (cfg Config) Check() error {
	cfg = cfg.withDefaults()
	problems := []error{
		checkBase("site URL", cfg.SiteURL, "https://YOUR-SITE.atlassian.net"),
		checkSitePath(cfg.SiteURL),
		checkBase("gateway URL", cfg.GatewayURL, DefaultGatewayURL),
		cfg.checkGatewayIsNoSite(),
		cfg.Credentials.check(),
	}
	if cfg.CloudID != "" && !cloudIDPattern.MatchString(cfg.CloudID) {
		problems = append(problems, fmt.Errorf("cloud ID %q is not valid; it looks like 11111111-2222-3333-4444-555555555555", cfg.CloudID))
	}
	for _, host := range cfg.MediaHosts {
		if !hostPattern.MatchString(host) {
			problems = append(problems, fmt.Errorf("media host %q is not a host name; it looks like %s, without scheme, path and wildcards", host, DefaultMediaHost))
		}
	}
	return errors.Join(problems...)
}

// checkBase refuses what cannot be the base of addresses. The text never shows
// user information, which may be a password.
func checkBase(what, raw, example string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return fmt.Errorf("%s is not set; it looks like %s", what, example)
	case err != nil || u.Host == "":
		return fmt.Errorf("%s is not an address; it looks like %s", what, example)
	case u.User != nil:
		return fmt.Errorf("%s must not hold a user name or password; it looks like %s", what, example)
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s must not have a query or fragment; it looks like %s", what, example)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("%s uses http, which is accepted for loopback addresses only; use https://%s", what, u.Host)
	case tooLarge(u.Port()):
		return fmt.Errorf("%s has port %s, and ports end at 65535", what, u.Port())
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s has scheme %q; it looks like %s", what, u.Scheme, example)
	}
	return nil
}

// checkSitePath refuses a site URL with a page's path behind it, which would
// stand in every link for people.
func checkSitePath(siteURL string) error {
	site, err := url.Parse(siteURL)
	if err != nil || site.Path == "" || site.Path == "/wiki" {
		return nil // checkBase reports what is no address
	}
	return fmt.Errorf("site URL has the path %s; leave it out: %s://%s", site.Path, site.Scheme, site.Host)
}

var hostPattern = regexp.MustCompile(`^[0-9A-Za-z.-]+(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?$`)

// siteHost matches the hosts of sites, in the commercial and government clouds.
var siteHost = regexp.MustCompile(`\.(atlassian\.net|jira\.com|atlassian-us-gov-mod\.net|atlassian-isolated\.net)$`)

// checkGatewayIsNoSite catches the mistake that the broker was born from: a
// scoped token sent to the site's own address is refused with a bare 401.
func (cfg Config) checkGatewayIsNoSite() error {
	gateway, err := url.Parse(cfg.GatewayURL)
	if err != nil {
		return nil // checkBase reports it
	}
	right := "scoped tokens work only through the gateway: set the gateway URL to " + DefaultGatewayURL +
		" (requests then go to " + DefaultGatewayURL + "/ex/confluence/{cloudId}/wiki/…) and the site URL to the site's address"
	site, err := url.Parse(cfg.SiteURL)
	host := strings.ToLower(strings.TrimSuffix(gateway.Hostname(), "."))
	if siteHost.MatchString(host) ||
		(err == nil && site.Host != "" && sameHost(site, gateway) && !isLoopback(host)) {
		return fmt.Errorf("gateway URL %s is the address of a site; %s", gateway.Host, right)
	}
	if path := strings.Trim(gateway.Path, "/"); path != "" {
		return fmt.Errorf("gateway URL has the path /%s; leave it out, the client adds /ex/confluence/{cloudId} itself: %s://%s", path, gateway.Scheme, gateway.Host)
	}
	return nil
}

func (cred Credentials) check() error {
	if !slices.Contains([]Scheme{SchemeBasic, SchemeBearer, SchemeOAuth}, cred.Scheme) {
		return fmt.Errorf("auth scheme %q is not known; use %q (e-mail and API token), %q (API token of a service account) or %q (client credentials)", cred.Scheme, SchemeBasic, SchemeBearer, SchemeOAuth)
	}
	var problems []error
	problems = append(problems, cred.checkSecret(cred.secret()))
	if cred.Scheme == SchemeBasic && cred.Email == "" {
		problems = append(problems, errors.New("auth scheme basic needs the e-mail address of the token's account, and none is set"))
	}
	if cred.Scheme == SchemeBasic && strings.ContainsAny(cred.Email, ": \t\r\n") {
		problems = append(problems, errors.New("the e-mail address has a blank, colon or line break inside"))
	}
	if cred.Scheme == SchemeOAuth && cred.ClientID == "" {
		problems = append(problems, errors.New("auth scheme oauth needs a client ID, and none is set"))
	}
	if cred.Scheme == SchemeOAuth {
		problems = append(problems, checkBase("OAuth token URL", cred.TokenURL, DefaultTokenURL))
	}
	return errors.Join(problems...)
}

func (cred Credentials) checkSecret(secret string) error {
	if secret == "" {
		return fmt.Errorf("auth scheme %s needs a %s, and none is set", cred.Scheme, cred.secretName())
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return fmt.Errorf("the %s has a blank, a line break or an unprintable character inside; paste it again, alone and on one line", cred.secretName())
	}
	return nil
}

func (cred Credentials) secretName() string {
	if cred.Scheme == SchemeOAuth {
		return "client secret"
	}
	return "token"
}

func tooLarge(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return port != "" && err != nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
