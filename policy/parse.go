package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Known is what a policy may name that other packages define.
type Known struct {
	Methods     []string // short names, such as GetPage
	BodyFormats []string // such as markdown
}

// Parse reads a policy. If anything is wrong with it, the error is a Problems
// with all of it, and there is no policy: half of one would allow too much or
// too little. file is for the texts only.
func Parse(file string, data []byte, known Known) (*Policy, error) {
	r := &reader{file: file, known: known}
	p := newPolicy()
	if body := r.document(data); body != nil {
		r.mapping(body, "the policy", map[string]func(ast.Node){
			"callers": func(node ast.Node) {
				r.list(node, "callers", func(item ast.Node) { r.caller(p, item) })
			},
			"anonymous": func(node ast.Node) { r.anonymous(p, node) },
		})
		r.names(p)
		r.clashes(p)
	}
	if len(r.problems) > 0 {
		r.problems.sort()
		return nil, r.problems
	}
	return p, nil
}

// callerName is what can stand in logs and metrics as it is.
var callerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$`)

func (r *reader) caller(p *Policy, node ast.Node) {
	c := newCaller("", at(node))
	c.Name = r.nameOf(node)
	fields := r.rights(c)
	fields["name"] = func(ast.Node) {} // read before, for the texts of the others
	fields["keys"] = func(node ast.Node) { r.keys(p, c, node) }
	fields["tls"] = func(node ast.Node) { r.tls(p, c, node) }
	fields["jwt"] = func(node ast.Node) {
		r.list(node, "jwt", func(item ast.Node) { r.jwt(p, c, item) })
	}
	r.mapping(node, "a caller", fields)
	p.callers = append(p.callers, c)
}

// nameOf looks for the name alone.
func (r *reader) nameOf(node ast.Node) string {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return "" // the caller as a whole will be refused
	}
	for entry := mapping.MapRange(); entry.Next(); {
		if entry.Key().GetToken().Value != "name" || entry.Value().Type() == ast.NullType {
			continue
		}
		name, ok := r.text(entry.Value(), "name")
		switch {
		case !ok:
		case name == AnonymousName:
			r.fail(at(entry.Value()), "the name %s is for callers that say nothing about themselves; their rights stand under `anonymous:` beside `callers:`", name)
		case !callerName.MatchString(name):
			r.fail(at(entry.Value()), "name %s is not 1 to 63 letters, digits and . _ - /, beginning with a letter or digit", quote(name))
		}
		return name
	}
	r.fail(at(node), "the caller has no name; logs and metrics need one")
	return ""
}

func (r *reader) names(p *Policy) {
	first := map[string]place{}
	for _, c := range p.callers {
		earlier, twice := first[c.Name]
		switch {
		case c.Name == "":
		case twice:
			r.fail(c.place, "there is a caller %s already, in line %d; one entry can have several keys, certificates and tokens", quote(c.Name), earlier.line)
		default:
			first[c.Name] = c.place
		}
	}
}

func (r *reader) anonymous(p *Policy, node ast.Node) {
	p.anonymous = newCaller(AnonymousName, at(node))
	r.mapping(node, AnonymousName, r.rights(p.anonymous))
}

// clashes finds what would make one caller two.
func (r *reader) clashes(p *Policy) {
	type list struct {
		what string
		*index
	}
	lists := []list{{"the key", p.keys}, {"the URI", p.uris}, {"the DNS name", p.dns}, {"the subject", p.subjects}}
	for _, subjects := range p.jwts {
		lists = append(lists, list{"the subject", subjects})
	}
	for _, l := range lists {
		for later, earlier := range l.clashes() {
			if later.pattern == earlier.pattern {
				r.fail(later.place, "%s is that of caller %s too, in line %d; nobody can be two callers", l.what, quote(earlier.owner.Name), earlier.place.line)
				continue
			}
			r.fail(later.place, "%s %s and %s of caller %s in line %d can be the same; nobody can be two callers",
				l.what, quote(later.text), quote(earlier.text), quote(earlier.owner.Name), earlier.place.line)
		}
	}
}

// oneOf refuses what is not among words.
func (r *reader) oneOf(text string, at place, what string, words []string) bool {
	if slices.Contains(words, text) {
		return true
	}
	hint := ""
	for _, word := range words {
		if strings.EqualFold(word, text) {
			hint = "; is " + word + " meant?"
		}
	}
	r.fail(at, "there is no %s %s%s; there are %s", what, quote(text), hint, strings.Join(words, ", "))
	return false
}
