package policy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/confluence-broker/confluence-broker/caller"
)

// Why nobody is found for evidence. The errors around them say what was shown,
// for the operator; whoever calls is told only that it is not known.
var (
	ErrUnknown   = errors.New("no caller of the policy is known by this")
	ErrAmbiguous = errors.New("more than one caller of the policy is known by this")
)

// Policy says who may read what. It never changes, and may be used concurrently.
type Policy struct {
	callers   []*Caller
	anonymous *Caller // nil: the file has no such entry

	keys, uris, dns, subjects *index
	jwts                      map[audience]*index // subjects
}

// audience is one issuer of JWTs, and for whom it has to issue them.
type audience struct{ issuer, audience string }

func newPolicy() *Policy {
	return &Policy{
		keys:     newIndex("", lowerASCII),
		uris:     newIndex("/:", asWritten),
		dns:      newIndex(".", lowerASCII),
		subjects: newIndex(",+", asWritten),
		jwts:     map[audience]*index{},
	}
}

// Open is the policy without a file: anonymous callers may do and read
// everything, and there are no others.
func Open() *Policy {
	p := newPolicy()
	p.anonymous = newCaller(AnonymousName, place{})
	p.anonymous.RawCQL = true
	p.anonymous.methods.add("*", place{}, p.anonymous)
	p.anonymous.spaces.add("*", place{}, p.anonymous)
	return p
}

// Callers are the entries of the policy as they stand in the file, without
// the anonymous one.
func (p *Policy) Callers() []*Caller { return slices.Clone(p.callers) }

// Named is the entry with this name; the name of the anonymous one is
// AnonymousName.
func (p *Policy) Named(name string) (*Caller, bool) {
	for _, c := range p.callers {
		if c.Name == name {
			return c, true
		}
	}
	return p.anonymous, name == AnonymousName && p.anonymous != nil
}

// Anonymous is the entry for callers that say nothing about who they are. It
// says what they may do, and not whether they are let in.
func (p *Policy) Anonymous() (*Caller, bool) { return p.anonymous, p.anonymous != nil }

// Issuers are the issuers of JWTs that the policy names, each once, with all
// the audiences that the policy wants of it.
func (p *Policy) Issuers() []caller.Issuer {
	audiences := map[string][]string{}
	for a := range p.jwts {
		audiences[a.issuer] = append(audiences[a.issuer], a.audience)
	}
	var issuers []caller.Issuer
	for _, url := range slices.Sorted(maps.Keys(audiences)) {
		slices.Sort(audiences[url])
		issuers = append(issuers, caller.Issuer{URL: url, Audiences: audiences[url]})
	}
	return issuers
}

// Caller is the one entry that the evidence is of. It fails with ErrUnknown
// where there is none, and with ErrAmbiguous where there are several. Evidence
// of nothing is unknown here, too; see Anonymous.
//
// A bearer token, be it a key or a JWT, that is nobody's is refused even beside a
// certificate that is somebody's: a proxy that passes the tokens of others on
// would lend them its own rights.
func (p *Policy) Caller(e caller.Evidence) (*Caller, error) {
	found := map[*Caller]bool{}
	// The look-up takes longer or shorter by what the hash is, from which nobody
	// can tell a key: that its hash is near another says nothing of the key.
	for r := range p.keys.all(e.KeyHash) {
		found[r.owner] = true
	}
	if e.JWT != nil {
		p.byJWT(*e.JWT, found)
	}
	if (e.KeyHash != "" || e.JWT != nil) && len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, shown(caller.Evidence{KeyHash: e.KeyHash, JWT: e.JWT}))
	}
	if e.Certificate != nil {
		p.byCertificate(*e.Certificate, found)
	}
	callers := slices.SortedFunc(maps.Keys(found), func(a, b *Caller) int { return cmp.Compare(a.Name, b.Name) })
	switch len(callers) {
	case 0:
		return nil, fmt.Errorf("%w: %s", ErrUnknown, shown(e))
	case 1:
		return callers[0], nil
	default:
		var names []string
		for _, c := range callers {
			names = append(names, c.Name)
		}
		return nil, fmt.Errorf("%w: %s is %s", ErrAmbiguous, shown(e), strings.Join(names, " and "))
	}
}

func (p *Policy) byCertificate(c caller.Certificate, found map[*Caller]bool) {
	for _, uri := range c.URIs {
		for r := range p.uris.all(uri) {
			found[r.owner] = true
		}
	}
	for _, name := range c.DNSNames {
		for r := range p.dns.all(name) {
			found[r.owner] = true
		}
	}
	if c.Subject == "" {
		return
	}
	for r := range p.subjects.all(c.Subject) {
		found[r.owner] = true
	}
}

func (p *Policy) byJWT(t caller.JWT, found map[*Caller]bool) {
	for _, name := range t.Audiences {
		subjects, ok := p.jwts[audience{t.Issuer, name}]
		if !ok || t.Subject == "" {
			continue
		}
		for r := range subjects.all(t.Subject) {
			found[r.owner] = true
		}
	}
}

// shown is what the evidence says, for the operator.
func shown(e caller.Evidence) string {
	var parts []string
	if e.KeyHash != "" {
		parts = append(parts, "a key with the hash "+shortHash(e.KeyHash))
	}
	if c := e.Certificate; c != nil {
		parts = append(parts, fmt.Sprintf("a certificate with subject %q, URIs %q and DNS names %q", c.Subject, c.URIs, c.DNSNames))
	}
	if t := e.JWT; t != nil {
		parts = append(parts, fmt.Sprintf("a JWT of %s for %q with subject %q", t.Issuer, t.Audiences, t.Subject))
	}
	return cmp.Or(strings.Join(parts, " and "), "nothing was shown")
}

// shortHash is enough of a hash to find it in the policy file.
func shortHash(hash string) string {
	const most = len("sha256:") + 12
	if len(hash) > most {
		return hash[:most] + "…"
	}
	return hash
}
