package confluenceclient

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Shapes of Atlassian's tokens (api-facts §1). Lengths vary and are no sign.
var (
	atlassianToken = regexp.MustCompile(`^AT[A-Z]TT3xFf`)
	tokenTail      = regexp.MustCompile(`=[0-9A-Fa-f]{8}$`)
	otherProduct   = regexp.MustCompile(`^(ATCTT|ATBB)`)
)

// tokenShape looks at the token without asking anybody. It shows nothing of it.
func (d *doctor) tokenShape(context.Context) Finding {
	f := Finding{Check: "token-shape", Severity: Problem}
	cred := d.cfg.Credentials
	if cred.secret() == "" {
		f.Severity, f.Seen = Skipped, "there is no "+cred.secretName()
		return f
	}
	secret := cred.secret()
	decoded, err := base64.StdEncoding.DecodeString(secret)
	switch {
	case cred.Scheme == SchemeOAuth:
		f.Severity, f.Seen = OK, "a client secret, which has no known shape"
	case otherProduct.MatchString(secret):
		f.Seen, f.Remedy = "this is a token for Bitbucket", "make an API token with scopes for Confluence"
	case strings.Contains(secret, ":") && strings.Contains(secret, "@"):
		f.Seen, f.Remedy = "the token has an e-mail address in front of it", "set the token alone, and the e-mail address in its own setting"
	case err == nil && strings.Contains(string(decoded), "@") && strings.Contains(string(decoded), ":"):
		f.Seen, f.Remedy = "the token is e-mail and token in base64", "set the plain token, and the e-mail address in its own setting"
	case atlassianToken.MatchString(secret) && !tokenTail.MatchString(secret):
		f.Seen = "the token was cut short: its end, \"=\" and eight more characters, is missing"
		f.Remedy = "copy the whole token again; a double click leaves out what follows the \"=\""
	case strings.HasPrefix(secret, "ATATT") && cred.Scheme == SchemeBearer:
		f.Severity, f.Seen = Warning, "a person's API token, with scheme bearer"
		f.Remedy = "bearer is for tokens of service accounts; use scheme basic with the person's e-mail address"
	case !atlassianToken.MatchString(secret):
		f.Severity, f.Seen = Warning, "the token does not look like an Atlassian API token, which begins with ATATT or ATSTT"
		f.Remedy = "check that the right value was pasted"
	default:
		f.Severity, f.Seen = OK, "looks like a whole Atlassian API token"
	}
	return f
}

// token tells how Confluence takes the token, by the control read.
func (d *doctor) token(ctx context.Context) Finding {
	f := Finding{Check: "token", Severity: Problem}
	if d.client == nil || (d.answer == nil && d.control.Cause != CauseTokenRejected) {
		f.Severity, f.Seen = Skipped, "not checked: the gateway was not reached"
		return f
	}
	if d.control != nil && (d.control.Cause == CauseMisrouted || d.control.Cause == CauseUnavailable || d.control.Cause == CauseBadResponse) {
		f.Severity, f.Seen = Skipped, "not checked: the gateway did not get as far as the token"
		return f
	}
	switch s, _ := d.client.control(ctx, d.client.credential(), time.Now()); s {
	case alive:
		d.alive = true
		f.Severity, f.Seen = OK, "the gateway and Confluence accept the token"
	case shutOut:
		f.Seen = "the token works, but its account has no access to Confluence on this site"
		f.Remedy = "give the account access to the product in admin.atlassian.com; after creation of a service account this takes about a minute to hold"
	case rejected:
		f.Seen, f.Remedy = "Confluence does not know the token: it is revoked, expired, or of another site", tokenRemedy(d.control, d.cfg.Credentials)
		if d.control != nil && d.control.Cause == CauseTokenRejected {
			f.Seen = d.control.Message
		}
	default:
		f.Seen, f.Remedy = "the read that shows whether the token works failed", "run doctor again in a minute"
	}
	return f
}

// tokenExpiry goes by the configured date: Confluence does not tell it.
func (d *doctor) tokenExpiry() Finding {
	const day = 24 * time.Hour
	expires := d.cfg.Credentials.Expires
	f := Finding{Check: "token-expiry", Severity: OK}
	switch left := time.Until(expires); {
	case left <= 0:
		f.Severity, f.Seen = Warning, "the configured expiry is past: "+expires.Format(time.DateOnly)
		f.Remedy = "make a new " + d.cfg.Credentials.secretName() + "; if it was changed already, correct the date"
	case left <= 30*day:
		f.Severity, f.Seen = Warning, fmt.Sprintf("%d days are left until the configured expiry, %s", int(left/day), expires.Format(time.DateOnly))
		f.Remedy = "make a new " + d.cfg.Credentials.secretName() + " in time, and put it in the old one's place; the broker takes it over without a restart"
	default:
		f.Seen = fmt.Sprintf("%d days are left until the configured expiry, %s", int(left/day), expires.Format(time.DateOnly))
	}
	return f
}

func tokenRemedy(f *failure, cred Credentials) string {
	var message string
	if f != nil {
		message = f.Message
	}
	switch {
	case message == messageMismatch:
		if cred.Scheme == SchemeBasic {
			return "set the e-mail address of the very account that made the token (for a service account, the one ending in @serviceaccount.atlassian.com), or try scheme bearer"
		}
		return "use scheme basic with the e-mail address of the account that made the token"
	case message == messageCutShort:
		return "copy the whole token again, with the \"=\" and the eight characters after it"
	case message == messageFromSite:
		return "set the gateway URL to " + DefaultGatewayURL
	case cred.Scheme == SchemeOAuth:
		return "check client ID and client secret; make a new credential if they were revoked"
	}
	return "make a new token with the scopes that `confluence-broker scopes` lists, and put it in the old one's place; tokens live a year at most"
}

// scopes asks for an id that nobody has on every endpoint: the scope check runs
// first, so any other answer than its refusal proves the scope.
func (d *doctor) scopes(ctx context.Context) []Finding {
	var findings []Finding
	for _, rpc := range d.rpcs() {
		check := "scopes-" + kebab(rpc)
		if !d.alive {
			findings = append(findings, d.skipped(check))
			continue
		}
		findings = append(findings, d.scopesOf(ctx, check, rpc))
	}
	return findings
}

func (d *doctor) scopesOf(ctx context.Context, check, rpc string) Finding {
	f := Finding{Check: check, Severity: OK, Seen: "the token has the scopes that " + rpc + " needs"}
	var refused, lost, remedies []string
	open := 0
	for _, need := range d.needs {
		if need.RPC != rpc {
			continue
		}
		preferred := need.AnyOf[0]
		missing, err := d.firstOpen(ctx, need)
		switch {
		case err != nil:
			f.Severity, f.Seen = Problem, err.Op.Endpoint()+": "+err.Message
			f.Remedy = "run doctor again in a while; if it stays, " + rpc + " will fail in the same way"
			if need.Optional {
				f.Severity, f.Remedy = Warning, "run doctor again in a while; if it stays, answers of "+rpc+" will lack what "+need.Purpose+" says"
			}
			return f
		case missing == 0:
			open++
			continue
		case missing < len(need.AnyOf):
			open++
			lost = append(lost, strings.TrimSpace(rpc+" "+need.Purpose)+" falls back to "+need.AnyOf[missing].Endpoint()+", which shows less")
		default:
			lost = append(lost, strings.TrimSpace(rpc+" "+need.Purpose)+" does not work")
		}
		refused = append(refused, preferred.Endpoint())
		remedies = append(remedies, preferred.Scopes())
		if need.Purpose == "" {
			f.Severity = Problem
		}
	}
	if len(refused) == 0 {
		return f
	}
	if open == 0 {
		f.Severity = Problem
	} else if f.Severity == OK {
		f.Severity = Warning
	}
	f.Seen = fmt.Sprintf("refused for lack of a scope: %s; so %s", strings.Join(refused, ", "), strings.Join(unique(lost), ", and "))
	f.Remedy = "make a new token that also has " + strings.Join(unique(remedies), ", and ") + "; the scopes of a token cannot be changed"
	return f
}

// firstOpen counts the endpoints of the need that lack a scope before one that
// does not; all of them: none is open.
func (d *doctor) firstOpen(ctx context.Context, need Need) (int, *failure) {
	for i, op := range need.AnyOf {
		_, f := d.client.probe(ctx, op, d.client.credential())
		switch {
		case f == nil, f.Cause == CauseNotFound, f.Cause == CauseInvalid:
			return i, nil // it was looked for, so the scope was there
		case f.Cause != CauseScopeMissing:
			return i, f
		}
	}
	return len(need.AnyOf), nil
}

// tokenWidth warns of a token that can do more than read. The scope check comes
// before all else, and only scoped tokens are put to it, so a refusal for the
// audit log's scope shows a scoped token, and the site need not be asked.
func (d *doctor) tokenWidth(ctx context.Context) Finding {
	f := Finding{Check: "token-width", Severity: OK, Seen: "the token is a scoped one"}
	if !d.alive {
		return d.skipped(f.Check)
	}
	switch _, refusal := d.client.probe(ctx, opAudit, d.client.credential()); {
	case refusal == nil, refusal.Cause == CauseForbidden, refusal.Cause == CauseNotFound:
		f.Severity, f.Seen = Warning, "the token is wider than needed: the audit log is open to it, or it is not a scoped one"
		f.Remedy = "make a token with only the scopes that `confluence-broker scopes` lists: whoever gets hold of this one can do everything its account can"
		if d.worksOnSite(ctx) {
			f.Seen = "the token also works on the site's own address, so it is not a scoped one"
		}
	case refusal.Cause != CauseScopeMissing:
		f.Severity, f.Seen = Skipped, "not checked: "+refusal.Message
	}
	return f
}

// worksOnSite shows the token to the site, once it is sure that the site is the
// one that the gateway leads to.
func (d *doctor) worksOnSite(ctx context.Context) bool {
	if d.cfg.Credentials.Scheme != SchemeBasic || !strings.EqualFold(d.discovered, d.client.cfg.CloudID) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.client.webURL("/wiki/rest/api/user/current"), nil)
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", d.client.credential().header)
	resp, err := d.transport().RoundTrip(req)
	if err != nil {
		return false
	}
	defer closeBody(resp)
	var user struct {
		AccountID string `json:"accountId"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&user)
	return err == nil && resp.StatusCode == http.StatusOK && user.AccountID != "" && !isAnonymousAnswer(resp.Header)
}

// rpcs lists the RPCs that need anything, in the catalog's order.
func (d *doctor) rpcs() []string {
	var names []string
	for _, need := range d.needs {
		names = append(names, need.RPC)
	}
	return unique(names)
}

func unique(items []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, item := range items {
		if !seen[item] {
			kept = append(kept, item)
		}
		seen[item] = true
	}
	return kept
}

var upper = regexp.MustCompile(`([a-z])([A-Z])`)

func kebab(name string) string {
	return strings.ToLower(strings.ReplaceAll(upper.ReplaceAllString(name, "$1-$2"), " ", "-"))
}
