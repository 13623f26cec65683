package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Explanation says in words what a policy means for one caller.
type Explanation struct {
	Caller  string   `json:"caller"`
	Line    int      `json:"line"`
	KnownBy []string `json:"known_by"`
	May     []string `json:"may"`
	MayNot  []string `json:"may_not"`
	// Warnings name what is allowed in a policy file, and is rarely meant.
	Warnings []string `json:"warnings"`
}

// Explain explains every caller, the anonymous one last.
func (p *Policy) Explain() []Explanation {
	identities := p.identities()
	explanations := []Explanation{}
	for _, c := range p.callers {
		e := c.explain()
		e.KnownBy = identities[c]
		if len(e.KnownBy) == 0 {
			e.KnownBy = []string{}
			e.Warnings = slices.Insert(e.Warnings, 0, "nobody can ever be this caller: it has neither keys nor tls nor jwt")
		}
		explanations = append(explanations, e)
	}
	if p.anonymous != nil {
		e := p.anonymous.explain()
		e.KnownBy = []string{"saying nothing, where the broker is set to let such callers in (allow-anonymous)"}
		explanations = append(explanations, e)
	}
	return explanations
}

// identities are the things by which each caller is known.
func (p *Policy) identities() map[*Caller][]string {
	known := map[*Caller][]string{}
	add := func(x *index, form string, shown func(string) string) {
		for _, r := range x.rules {
			known[r.owner] = append(known[r.owner], fmt.Sprintf(form, shown(r.text)))
		}
	}
	add(p.keys, "a static key with the hash %s", shortHash)
	add(p.uris, "a client certificate with the URI %s", asWritten)
	add(p.dns, "a client certificate with the DNS name %s", asWritten)
	add(p.subjects, "a client certificate with the subject %s", asWritten)
	for _, issuer := range p.Issuers() {
		for _, name := range issuer.Audiences {
			add(p.jwts[audience{issuer.URL, name}], "a JWT of "+strings.ReplaceAll(issuer.URL, "%", "%%")+" for "+strings.ReplaceAll(name, "%", "%%")+" with the subject %s", asWritten)
		}
	}
	return known
}

func (c *Caller) explain() Explanation {
	e := Explanation{Caller: c.Name, Line: c.place.line, May: []string{}, MayNot: []string{}, Warnings: []string{}}
	may := func(format string, args ...any) { e.May = append(e.May, fmt.Sprintf(format, args...)) }
	mayNot := func(format string, args ...any) { e.MayNot = append(e.MayNot, fmt.Sprintf(format, args...)) }

	if methods := written(c.methods, "all methods"); methods != "" {
		may("call %s", methods)
	} else {
		mayNot("call anything")
	}
	if spaces := written(c.spaces, "all spaces, personal ones too"); spaces != "" {
		may("read in %s", spaces)
	} else {
		mayNot("read in any space")
	}
	for _, x := range []struct {
		form string
		*index
	}{
		{"read in %s", c.except.spaces},
		{"read what has the label %s", c.except.labels},
		{"read the pages %s and what lies below them", c.except.subtrees},
	} {
		if hidden := written(x.index, "any"); hidden != "" {
			mayNot(x.form, hidden)
		}
	}
	if c.except.restricted != nil {
		mayNot("read what not everybody in the space may view")
	}
	switch {
	case c.bodyFormats == nil:
	case len(c.bodyFormats.rules) == 0:
		mayNot("have bodies of pages")
	default:
		may("have bodies of pages as %s", written(c.bodyFormats, "all formats"))
	}
	if c.MaxAttachmentBytes > 0 {
		mayNot("have attachments of more than %d bytes", c.MaxAttachmentBytes)
	}
	if c.RawCQL {
		may("search by CQL of its own wording; what it finds is checked like anything else")
	} else {
		mayNot("search by CQL of its own wording")
	}
	for _, limit := range c.Budget.words() {
		may("%s", limit)
	}
	may("be served as a caller of class %s with weight %d", c.Class, c.Weight)
	e.Warnings = append(e.Warnings, c.warnings()...)
	return e
}

func (b Budget) words() (limits []string) {
	if b.Rate > 0 {
		limits = append(limits, fmt.Sprintf("make %g calls a second in the long run, %d at once", b.Rate, b.Burst))
	}
	if b.Streams > 0 {
		limits = append(limits, fmt.Sprintf("have %d streams open at a time", b.Streams))
	}
	return limits
}

// warnings are about rules that do not do what they seem to.
func (c *Caller) warnings() (warnings []string) {
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	calls := func(method string) bool { return c.Method(method).Allowed }
	switch {
	case len(c.methods.rules) == 0:
		warn("it may call nothing: methods names none")
	case len(c.spaces.rules) == 0:
		warn("it may read nothing: spaces names none")
	}
	if c.RawCQL && !calls("Search") {
		warn("raw_cql does nothing: Search is not among its methods")
	}
	if _, _, all := c.SpaceKeys(); c.RawCQL && calls("Search") && (!all || c.Needs() != Facts{} || len(c.except.spaces.rules) > 0) {
		warn("raw_cql lets it ask about more than it may read: what it finds is checked, but how many hits are left out, and how long a query takes, it may notice")
	}
	if c.MaxAttachmentBytes > 0 && !calls("GetAttachment") {
		warn("max_attachment_bytes does nothing: GetAttachment is not among its methods")
	}
	for _, r := range c.spaces.rules {
		if wider, ok := wider(c.spaces, r); ok {
			warn("line %d: spaces %q adds nothing to %q in line %d", r.place.line, r.text, wider.text, wider.place.line)
		}
		if hidden, ok := c.except.spaces.first(r.pattern); ok {
			warn("line %d: spaces %q allows nothing, since except spaces has %q in line %d", r.place.line, r.text, hidden.text, hidden.place.line)
		}
	}
	for _, r := range c.except.spaces.rules {
		if !slices.ContainsFunc(c.spaces.rules, func(allowed *rule) bool { return overlap(allowed.pattern, r.pattern, "") }) {
			warn("line %d: except spaces %q hides nothing that spaces allows", r.place.line, r.text)
		}
	}
	return warnings
}

// wider finds another rule that covers all that r does.
func wider(x *index, r *rule) (*rule, bool) {
	for other := range x.all(r.pattern) { // a * in place of any text is covered by what covers any text there
		if other != r {
			return other, true
		}
	}
	return nil, false
}

// written lists the rules; with * among them they are all.
func written(x *index, all string) string {
	var texts []string
	for _, r := range x.rules {
		if r.text == "*" {
			return all
		}
		texts = append(texts, r.text)
	}
	return strings.Join(texts, ", ")
}
