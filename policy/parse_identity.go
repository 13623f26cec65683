package policy

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/confluence-broker/confluence-broker/caller"
)

// keys reads hashes of static keys. No problem quotes one: it may be a key that
// was put in the wrong place.
func (r *reader) keys(p *Policy, c *Caller, node ast.Node) {
	r.texts(node, "keys", func(hash string, at place) {
		if err := caller.CheckKeyHash(hash); err != nil {
			r.fail(at, "an entry of keys is no hash of a key: %s", err)
			return
		}
		if hash == caller.HashKey("") {
			r.fail(at, "this is the hash of no key at all, as an empty variable gives; `confluence-broker key` makes a key and its hash")
			return
		}
		r.add(p.keys, hash, at, c, "the key")
	})
}

// tls reads names in certificates, any of which will do.
func (r *reader) tls(p *Policy, c *Caller, node ast.Node) {
	names := func(what string, x *index, check func(string) string) func(ast.Node) {
		return func(node ast.Node) {
			r.texts(node, what, func(text string, at place) {
				if wrong := check(text); wrong != "" {
					r.fail(at, "%s is not an entry of %s: %s", quote(text), what, wrong)
					return
				}
				r.add(x, text, at, c, quote(text))
			})
		}
	}
	r.mapping(node, "tls", map[string]func(ast.Node){
		"uris":     names("uris", p.uris, wrongURI),
		"dns":      names("dns", p.dns, wrongDNS),
		"subjects": names("subjects", p.subjects, wrongSubject),
	})
}

// jwt reads whose tokens are the caller's: issuer, audience and subject must all
// be right.
func (r *reader) jwt(p *Policy, c *Caller, node ast.Node) {
	var a audience
	var subjects []*rule
	set := func(field *string, what string) func(ast.Node) {
		return func(node ast.Node) { *field, _ = r.text(node, what) }
	}
	before := len(r.problems)
	r.mapping(node, "an entry of jwt", map[string]func(ast.Node){
		"issuer":   set(&a.issuer, "issuer"),
		"audience": set(&a.audience, "audience"),
		"subjects": func(node ast.Node) {
			r.texts(node, "subjects", func(text string, at place) {
				if wrong := wrongPattern(text); wrong != "" {
					r.fail(at, "%s is not an entry of subjects: %s", quote(text), wrong)
					return
				}
				subjects = append(subjects, &rule{text: text, place: at})
			})
		},
	})
	if len(r.problems) > before {
		return
	}
	switch {
	case a.issuer == "":
		r.fail(at(node), "issuer is missing: who issues the tokens, such as https://issuer.acme.example")
	case a.audience == "":
		r.fail(at(node), "audience is missing: without it, tokens made for other services would do here")
	case strings.Contains(a.issuer+a.audience, "*"):
		r.fail(at(node), "issuer and audience must be written out; a * stands in subjects only")
	case subjects == nil:
		r.fail(at(node), `subjects are missing: whose tokens, of all that the issuer makes; ["*"] for anybody's`)
	default:
		r.subjects(p, c, node, a, subjects)
	}
}

func (r *reader) subjects(p *Policy, c *Caller, node ast.Node, a audience, subjects []*rule) {
	x, ok := p.jwts[a]
	if !ok {
		if _, err := caller.New(caller.Config{Issuers: []caller.Issuer{{URL: a.issuer, Audiences: []string{a.audience}}}}); err != nil {
			r.fail(at(node), "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			return
		}
		x = newIndex("/:", asWritten)
		p.jwts[a] = x
	}
	for _, s := range subjects {
		r.add(x, s.text, s.place, c, quote(s.text))
	}
}

// add takes a rule in, and refuses one that is there already.
func (r *reader) add(x *index, text string, at place, c *Caller, shown string) {
	if twin := x.add(text, at, c); twin != nil {
		r.fail(at, "%s is there already, in line %d", shown, twin.place.line)
	}
}

// wrongPattern tells what is wrong with a text that may have stars; empty: nothing.
func wrongPattern(text string) string {
	switch {
	case strings.Contains(text, "**"):
		return "two stars in a row mean no more than one"
	case strings.TrimSpace(text) != text:
		return "it has blanks around it"
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "it has a control character in it"
	}
	return ""
}

func wrongURI(text string) string {
	if wrong := wrongPattern(text); wrong != "" {
		return wrong
	}
	scheme, rest, ok := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(rest, "/")
	u, err := url.Parse(text)
	switch {
	case !ok || authority == "":
		return "it is not a URI with a scheme and a host, such as spiffe://acme.example/indexer"
	case strings.Contains(scheme+authority, "*"):
		return "the host (of a SPIFFE ID the trust domain) must be written out; a * stands in the path"
	case err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(text, "?#"):
		return "it must have neither query nor fragment nor user"
	case scheme != strings.ToLower(scheme) || authority != strings.ToLower(authority):
		return "scheme and host are compared as they are written, and certificates have them in small letters"
	}
	return ""
}

var dnsPattern = regexp.MustCompile(`^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$`)

func wrongDNS(text string) string {
	if wrong := wrongPattern(text); wrong != "" {
		return wrong
	}
	if !dnsPattern.MatchString(text) {
		return "it is not a DNS name, such as indexer.acme.example or *.batch.acme.example"
	}
	return ""
}

func wrongSubject(text string) string {
	if wrong := wrongPattern(text); wrong != "" {
		return wrong
	}
	if text != "*" && !strings.Contains(text, "=") || strings.Contains(text, ", ") || strings.HasPrefix(text, "/") {
		return "write it in the form of RFC 2253, such as CN=indexer,O=Acme; `openssl x509 -noout -subject -nameopt RFC2253 -in FILE` prints that"
	}
	return ""
}
