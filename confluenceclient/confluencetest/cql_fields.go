package confluencetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errNullPointer is what a blank siteSearch ends in: 500, where everything else
// that is wrong with a query is 400 (api-facts §8).
var errNullPointer = errors.New("java.lang.NullPointerException")

// field is a field of CQL: which operators it takes, and what they mean.
type cqlField struct {
	operators string // "not in" is written not-in
	condition func(p *cqlParser, op string, values []value) (condition, error)
}

const (
	equality = "= != in not-in"
	ranges   = "= != > >= < <="
)

// fields is every field that queries may name.
func fields() map[string]cqlField {
	of := func(get func(hit) []string) cqlField { return cqlField{equality, oneOf(get)} }
	id := of(func(h hit) []string { return each(h.content, func(c *content) string { return c.id }) })
	spaceKey := of(func(h hit) []string { return []string{h.space.key} })
	return map[string]cqlField{
		"id": id, "content": id,
		"parent": of(func(h hit) []string {
			if h.content == nil || h.content.parent == nil {
				return nil
			}
			return []string{h.content.parent.id}
		}),
		"container": of(func(h hit) []string {
			if h.content == nil || h.content.container == nil {
				return nil
			}
			return []string{h.content.container.id}
		}),
		"ancestor":    of(ancestors),
		"space":       spaceKey,
		"space.key":   spaceKey,
		"space.type":  of(func(h hit) []string { return []string{h.space.kind} }),
		"space.title": cqlField{"= != ~ !~ in not-in", titleCondition(func(h hit) string { return h.space.name })},
		"type":        cqlField{equality, typeCondition},
		"subtype":     of(func(hit) []string { return nil }),
		"label": of(func(h hit) []string {
			if h.content == nil {
				return h.space.labels
			}
			return h.content.labels
		}),
		"creator":      of(func(h hit) []string { return each(h.content, func(c *content) string { return c.author().id }) }),
		"contributor":  of(contributors),
		"mention":      of(mentions),
		"macro":        of(macros),
		"favourite":    of(func(hit) []string { return nil }),
		"favorite":     of(func(hit) []string { return nil }),
		"watcher":      of(func(hit) []string { return nil }),
		"pagestatus":   of(func(h hit) []string { return each(h.content, func(c *content) string { return c.status }) }),
		"created":      cqlField{ranges, dateCondition(createdAt)},
		"lastmodified": cqlField{ranges, dateCondition(modifiedAt)},
		"title":        cqlField{"= != ~ !~ in not-in", titleCondition(title)},
		"text":         cqlField{"~ !~", textCondition},
		"sitesearch":   cqlField{"~ !~", siteSearchCondition},
	}
}

func fieldNames() []string {
	var names []string
	for name := range fields() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func each(c *content, get func(*content) string) []string {
	if c == nil {
		return nil
	}
	return []string{get(c)}
}

// oneOf is the condition of fields that equal one of some words, in either case.
func oneOf(get func(hit) []string) func(*cqlParser, string, []value) (condition, error) {
	return func(_ *cqlParser, op string, values []value) (condition, error) {
		for _, v := range values {
			if strings.TrimSpace(v.text) == "" {
				return nil, fmt.Errorf("an empty value is not supported")
			}
		}
		return negate(op, func(h hit) bool {
			return slices.ContainsFunc(get(h), func(have string) bool {
				return slices.ContainsFunc(values, func(v value) bool { return strings.EqualFold(v.text, have) })
			})
		}), nil
	}
}

// negate turns the condition round for the operators that say not.
func negate(op string, holds condition) condition {
	if op == "!=" || op == "!~" || op == "not in" {
		return func(h hit) bool { return !holds(h) }
	}
	return holds
}

func typeCondition(p *cqlParser, op string, values []value) (condition, error) {
	valid := slices.Concat(contentTypes, []string{"space", "user", "slide"})
	for _, v := range values {
		if !slices.ContainsFunc(valid, func(t string) bool { return strings.EqualFold(t, v.text) }) {
			return nil, fmt.Errorf("'%s' is not a valid content type; valid types are: %s", v.text, strings.Join(valid, ", "))
		}
	}
	return oneOf(func(h hit) []string {
		if h.content == nil {
			return []string{"space"}
		}
		return []string{h.content.kind}
	})(p, op, values)
}

// ancestors is everything above, and for what is on a page the page too.
func ancestors(h hit) []string {
	if h.content == nil {
		return nil
	}
	var ids []string
	at := h.content.parent
	if h.content.container != nil {
		at = h.content.container
	}
	for ; at != nil; at = at.parent {
		ids = append(ids, at.id)
	}
	return ids
}

func contributors(h hit) []string {
	if h.content == nil {
		return nil
	}
	var ids []string
	for _, v := range h.content.versions {
		ids = append(ids, v.author.id)
	}
	return ids
}

func mentions(h hit) []string { return attributes(h, `ri:account-id="`) }

func macros(h hit) []string { return attributes(h, `<ac:structured-macro ac:name="`) }

// attributes is what stands behind marker, up to the next quote, in storage
// format.
func attributes(h hit, marker string) []string {
	if h.content == nil {
		return nil
	}
	var found []string
	for _, part := range strings.Split(h.content.current().body.storageFormat(), marker)[1:] {
		text, _, _ := strings.Cut(part, `"`)
		found = append(found, text)
	}
	return found
}

func title(h hit) string {
	switch {
	case h.content == nil:
		return h.space.name
	case h.content.kind == typeComment:
		return commentTitle(h.content)
	}
	return h.content.title
}

// titleCondition is exact but for case with =, and by words with ~.
func titleCondition(get func(hit) string) func(*cqlParser, string, []value) (condition, error) {
	return func(p *cqlParser, op string, values []value) (condition, error) {
		if strings.HasSuffix(op, "~") {
			match, err := p.words(values[0].text)
			if err != nil {
				return nil, err
			}
			return negate(op, func(h hit) bool { return match(tokens(get(h))) }), nil
		}
		// The documentation has exact titles in quotes within quotes.
		for i, v := range values {
			if len(v.text) > 2 && v.text[0] == '"' && v.text[len(v.text)-1] == '"' {
				values[i].text = v.text[1 : len(v.text)-1]
			}
		}
		return oneOf(func(h hit) []string { return []string{get(h)} })(p, op, values)
	}
}

func textCondition(p *cqlParser, op string, values []value) (condition, error) {
	match, err := p.words(values[0].text)
	if err != nil {
		return nil, err
	}
	return negate(op, func(h hit) bool { return match(tokens(title(h) + " " + indexed(h))) }), nil
}

func siteSearchCondition(p *cqlParser, op string, values []value) (condition, error) {
	if strings.TrimSpace(values[0].text) == "" {
		return nil, errNullPointer
	}
	return textCondition(p, op, values)
}

// indexed is the text that the index holds of a hit, its title apart.
func indexed(h hit) string {
	if h.content == nil {
		return ""
	}
	return h.content.current().body.text()
}
