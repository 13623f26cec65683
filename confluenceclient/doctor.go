package confluenceclient

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Severity is how much a finding matters.
type Severity string

// The severities.
const (
	OK      Severity = "ok"      // as it should be
	Warning Severity = "warning" // works, but is worth a look
	Problem Severity = "problem" // does not work
	Skipped Severity = "skipped" // could not be checked, because an earlier check failed
)

// Finding is the outcome of one check. It holds no secret.
type Finding struct {
	Check    string   `json:"check"` // lower-kebab-case, stable
	Severity Severity `json:"severity"`
	Seen     string   `json:"seen"`
	Remedy   string   `json:"remedy,omitempty"` // what to do; empty: nothing
}

// doctor carries what one check learns to the checks after it.
type doctor struct {
	cfg        Config
	needs      []Need      // what the token must open
	discovered string      // cloud ID by the site's own word
	client     *Client     // nil until the configuration is good
	answer     http.Header // of the control read; nil: none came
	control    *failure    // of the control read; nil: it succeeded
	alive      bool        // the token works
}

// Diagnose runs every check on cfg, small upstream reads included, and never
// fails: what fails is a finding. The scopes checked are those that Needs lists,
// and further ones. CloudID may be empty. Of all of this package,
// only Diagnose ever shows a token to the site's own address: once, with
// SchemeBasic, when the gateway has let it pass where a scoped one is refused.
func Diagnose(ctx context.Context, cfg Config, further ...Need) []Finding {
	d := &doctor{cfg: cfg.withDefaults(), needs: append(Needs(), further...)}
	var findings []Finding
	for _, check := range []func(context.Context) Finding{
		d.configuration, d.tokenShape, d.site, d.cloudID, d.gateway, d.clock, d.token,
	} {
		findings = append(findings, check(ctx))
	}
	if !d.cfg.Credentials.Expires.IsZero() {
		findings = append(findings, d.tokenExpiry())
	}
	findings = append(findings, d.scopes(ctx)...)
	return append(findings, d.tokenWidth(ctx))
}

func (d *doctor) configuration(context.Context) Finding {
	if err := d.cfg.Check(); err != nil {
		return Finding{
			Check: "configuration", Severity: Problem,
			Seen: strings.ReplaceAll(err.Error(), "\n", "; "), Remedy: "set what the text names, and run doctor again",
		}
	}
	return Finding{Check: "configuration", Severity: OK, Seen: fmt.Sprintf("site %s, gateway %s, auth scheme %s", d.cfg.SiteURL, d.cfg.GatewayURL, d.cfg.Credentials.Scheme)}
}

func (d *doctor) site(ctx context.Context) Finding {
	f := Finding{Check: "site"}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	var err error
	if d.discovered, err = Discover(ctx, d.cfg.SiteURL, d.transport()); err == nil {
		f.Severity, f.Seen = OK, "the site answers, and names its cloud ID "+d.discovered
		return f
	}
	f.Seen, f.Remedy = err.Error(), "check the site URL and this machine's DNS and way out; without the site, set the cloud ID by hand"
	if f.Severity = Problem; d.cfg.CloudID != "" {
		f.Severity = Warning // only links for people need the site then
		f.Remedy = "check the site URL: links for people are made from it"
	}
	return f
}

func (d *doctor) cloudID(context.Context) Finding {
	f := Finding{Check: "cloud-id", Severity: OK}
	switch set := d.cfg.CloudID; {
	case set == "" && d.discovered == "":
		f.Severity, f.Seen = Problem, "the cloud ID is not set, and the site did not tell it"
		f.Remedy = "open " + d.cfg.SiteURL + "/_edge/tenant_info in a browser, and set the cloud ID to what it shows"
	case set == "":
		d.cfg.CloudID = d.discovered
		f.Seen = "not set; taken from the site: " + d.discovered
	case d.discovered == "":
		f.Seen = "set to " + set + "; the site could not confirm it"
	case !strings.EqualFold(set, d.discovered):
		f.Severity, f.Seen = Problem, "set to "+set+", but the site names "+d.discovered
		f.Remedy = "set the cloud ID to " + d.discovered + ", or leave it out"
	default:
		f.Seen = "set to " + set + ", as the site names it"
	}
	return f
}

// gateway makes the control read that the next checks look at too.
func (d *doctor) gateway(ctx context.Context) Finding {
	f := Finding{Check: "gateway", Severity: Skipped, Seen: "not asked: the configuration is not complete"}
	client, err := newClient(d.cfg)
	if err != nil {
		return f
	}
	d.client = client
	d.answer, d.control = client.probe(ctx, opCurrentUser, client.credential())
	where := client.gateway.String()
	switch {
	case d.answer == nil && d.control.Cause == CauseTokenRejected: // the OAuth endpoint said no before the gateway was asked
		f.Seen = "not asked: " + d.control.Message
	case d.answer == nil, d.control != nil && d.control.Cause == CauseUnavailable:
		f.Severity, f.Seen = Problem, where+": "+d.control.Message
		f.Remedy = "check this machine's way to the gateway (DNS, firewall, proxy, TLS inspection), and https://status.atlassian.com"
	case d.control != nil && d.control.Cause == CauseMisrouted:
		f.Severity, f.Seen = Problem, where+": the gateway does not know this cloud ID"
		f.Remedy = "compare the cloud ID with " + d.cfg.SiteURL + "/_edge/tenant_info"
	case d.control != nil && (d.control.Message == messageFromSite || d.control.Cause == CauseBadResponse || d.control.Cause == CauseGone):
		f.Severity, f.Seen = Problem, where+": the answer does not come from the gateway: "+d.control.Message
		f.Remedy = "set the gateway URL to " + DefaultGatewayURL + "; scoped tokens work nowhere else"
	default:
		f.Severity, f.Seen = OK, where+" answers"
	}
	return f
}

// maxClockSkew is more than any clock that is kept right is ever off.
const maxClockSkew = 2 * time.Minute

func (d *doctor) clock(context.Context) Finding {
	f := Finding{Check: "clock", Severity: Skipped, Seen: "not checked: no answer told the time"}
	there, err := http.ParseTime(d.answer.Get("Date"))
	if err != nil {
		return f
	}
	skew := time.Since(there).Round(time.Minute) // the header has whole seconds, and some time has passed
	f.Severity, f.Seen = OK, "agrees with the gateway's"
	if skew.Abs() > maxClockSkew {
		f.Severity, f.Seen = Warning, fmt.Sprintf("this machine's clock is %s %s the gateway's", skew.Abs(), map[bool]string{true: "ahead of", false: "behind"}[skew > 0])
		f.Remedy = "set the clock (NTP): certificates, access tokens and signed download addresses are judged by it"
	}
	return f
}

// transport is for the requests to the site, which the client does not make.
func (d *doctor) transport() http.RoundTripper {
	if d.cfg.Transport == nil {
		d.cfg.Transport = newBaseTransport(d.cfg) // the client, made later, shares it
	}
	return d.cfg.Transport
}

func (d *doctor) skipped(check string) Finding {
	return Finding{Check: check, Severity: Skipped, Seen: "not checked: the token does not work yet"}
}
