package confluencetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

type setters = map[string]func(string) error

func (p *parser) accountKeys(a *account) (setters, func() string) {
	keys := setters{
		"id": text(&a.id), "email": text(&a.email), "name": text(&a.display),
		"service": yes(&a.service), "no-access": yes(&a.noAccess),
		"spaces": func(s string) error { a.spaces = items(s); return nil },
		"zone": func(s string) (err error) {
			a.zone, err = time.LoadLocation(s)
			return err
		},
	}
	return keys, due(map[string]func() bool{"id": func() bool { return a.id != "" }, "email": func() bool { return a.email != "" }})
}

func (p *parser) tokenKeys(name string) (setters, func() string) {
	i := slices.IndexFunc(p.site.tokens, func(t *token) bool { return t.name == name })
	t := p.site.tokens[i]
	keys := setters{
		"account": p.accountNamed(&t.account), "secret": text(&t.secret), "revoked": yes(&t.revoked), "unscoped": yes(&t.open),
		"expires": instant(&t.expires),
		"scopes":  func(s string) error { t.scopes = strings.Fields(s); return nil },
	}
	return keys, due(map[string]func() bool{
		"account": func() bool { return t.account != nil }, "secret": func() bool { return t.secret != "" },
		"scopes": func() bool { return t.open || len(t.scopes) > 0 },
	})
}

func (p *parser) clientKeys(name string) (setters, func() string) {
	i := slices.IndexFunc(p.site.clients, func(c *oauthClient) bool { return c.name == name })
	c := p.site.clients[i]
	keys := setters{
		"account": p.accountNamed(&c.account), "id": text(&c.id), "secret": text(&c.secret),
		"scopes":   func(s string) error { c.scopes = strings.Fields(s); return nil },
		"lifetime": func(s string) (err error) { c.lifetime, err = time.ParseDuration(s); return err },
	}
	return keys, due(map[string]func() bool{
		"account": func() bool { return c.account != nil }, "id": func() bool { return c.id != "" }, "secret": func() bool { return c.secret != "" },
	})
}

func (p *parser) spaceKeys(s *section, key string) (setters, func() string) {
	sp := p.site.spaces[slices.IndexFunc(p.site.spaces, func(sp *space) bool { return sp.key == key })]
	keys := setters{
		"id": text(&sp.id), "name": text(&sp.name), "type": text(&sp.kind), "status": text(&sp.status),
		"author": p.accountNamed(&sp.author), "created": instant(&sp.created),
		"labels": func(v string) error { sp.labels = items(v); return nil },
		"homepage": func(id string) error {
			sp.homepage = id
			if c := p.site.contents[id]; c == nil || c.kind != typePage {
				return fmt.Errorf("there is no page %s", id)
			}
			return nil
		},
	}
	p.checks = append(p.checks, func() error {
		for _, other := range p.site.spaces {
			if other != sp && (other.id == sp.id || strings.EqualFold(other.key, sp.key)) {
				return s.errorf(s.line, "has the id or key of space %s", other.key)
			}
		}
		return nil
	})
	return keys, due(map[string]func() bool{"id": func() bool { return sp.id != "" }, "author": func() bool { return sp.author != nil }})
}

func (p *parser) contentKeys(s *section, c *content) (setters, func() string) {
	keys := setters{
		"title": text(&c.title), "status": p.status(c), "purged": yes(&c.purged),
		"version": p.version(c),
		"labels":  func(v string) error { c.labels = items(v); return nil },
		"restricted-to": func(v string) error {
			c.viewers = []*account{}
			for _, name := range items(v) {
				var a *account
				if err := p.accountNamed(&a)(name); err != nil {
					return err
				}
				c.viewers = append(c.viewers, a)
			}
			return nil
		},
	}
	switch c.kind {
	case typeAttachment:
		keys["on"], keys["media-type"], keys["file-id"], keys["size-unknown"] = p.ref(&c.container, c), text(&c.mediaType), text(&c.fileID), yes(&c.sizeUnknown)
	case typeComment:
		keys["on"], keys["reply-to"], keys["about"], keys["resolution"] = p.ref(&c.container, c), p.ref(&c.replyTo, c), text(&c.selection), text(&c.resolution)
	case typeEmbed:
		keys["address"] = text(&c.address)
		fallthrough
	default:
		keys["parent"] = p.ref(&c.parent, c)
		keys["position"] = func(v string) (err error) { c.position, err = strconv.Atoi(v); return err }
		keys["space"] = func(key string) error {
			if c.space = p.site.spaceByKey(key); c.space == nil || c.space.key != key {
				return fmt.Errorf("there is no space %q", key)
			}
			return nil
		}
	}
	p.checks = append(p.checks, func() error { return checkTree(s, c) })
	return keys, due(map[string]func() bool{
		"version":     func() bool { return len(c.versions) > 0 },
		"space or on": func() bool { return c.space != nil || c.container != nil },
	})
}

var contentStatuses = []string{"current", "archived", "trashed", "draft"}

func (p *parser) status(c *content) func(string) error {
	return func(s string) error {
		if c.status = s; !slices.Contains(contentStatuses, s) {
			return fmt.Errorf("%q is none of %s", s, strings.Join(contentStatuses, ", "))
		}
		return nil
	}
}

func (p *parser) ref(to **content, from *content) func(string) error {
	return func(id string) error {
		if *to = p.site.contents[id]; *to == nil || *to == from {
			return fmt.Errorf("there is no content %q", id)
		}
		return nil
	}
}

// version reads a line such as "2 2026-03-01T10:15:00Z ada (minor) Typos", for
// generated attachments with a size in front: "2 5MiB 2026-03-01T10:15:00Z ada".
func (p *parser) version(c *content) func(string) error {
	return func(line string) error {
		words := strings.Fields(line)
		v := &version{}
		if c.kind == typeAttachment && len(words) > 3 && !strings.Contains(words[1], "T") {
			size, err := parseSize(words[1])
			if err != nil {
				return err
			}
			words = slices.Delete(words, 1, 2)
			v.file.size = size
		}
		if len(words) < 3 {
			return fmt.Errorf("a number, a time and an account are due")
		}
		number, err := strconv.Atoi(words[0])
		if err != nil || number < 1 || (len(c.versions) > 0 && number <= c.current().number) {
			return fmt.Errorf("%q is no number of a version after the one before it", words[0])
		}
		v.number, v.file.seed = number, mix(c.number)+uint64(number)<<32
		v.message = strings.Join(words[3:], " ")
		v.message, v.minor = strings.CutPrefix(v.message, "(minor)")
		v.message = strings.TrimSpace(v.message)
		c.versions = append(c.versions, v)
		if err := instant(&v.when)(words[1]); err != nil {
			return err
		}
		return p.accountNamed(&v.author)(words[2])
	}
}

// checkTree refuses what could not be: a child in another space than its
// parent, a circle, a thing on something that carries nothing, a reply to
// another page's comment.
func checkTree(s *section, c *content) error {
	if c.space == nil && c.container != nil {
		if c.container.container != nil {
			return s.errorf(s.line, "%s is on something itself, and carries nothing", c.container.id)
		}
		c.space = c.container.space
	}
	steps := 0
	for at := c.replyTo; at != nil; at = at.replyTo {
		if steps++; at.kind != typeComment || at.container != c.container || steps > 10_000 {
			return s.errorf(s.line, "it replies to %s, which is no comment on the same content, or in a circle", at.id)
		}
	}
	steps = 0
	for at := c.parent; at != nil; at = at.parent {
		if at.container != nil || (at.space != nil && at.space != c.space) {
			return s.errorf(s.line, "%s above it is no part of the tree of its space", at.id)
		}
		if steps++; steps > 10_000 {
			return s.errorf(s.line, "its parents go round in a circle")
		}
	}
	return nil
}

// due returns the first key, in their order, whose check says no.
func due(keys map[string]func() bool) func() string {
	return func() string {
		var missing []string
		for key, given := range keys {
			if !given() {
				missing = append(missing, key)
			}
		}
		slices.Sort(missing)
		return strings.Join(missing, ", ")
	}
}
