package confluencetest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parser makes a site of sections. Everything is declared before anything is
// filled in, so that sections may stand in any order.
type parser struct {
	site     *Site
	sections []*section // things
	bodies   []*section
	seen     map[string]int // heading: line
	checks   []func() error // that wait until all is filled in
	errs     []error
}

func (p *parser) fail(err error) {
	if err != nil {
		p.errs = append(p.errs, err)
	}
}

var contentTypes = []string{typePage, typeBlogPost, typeFolder, typeWhiteboard, typeDatabase, typeEmbed, typeComment, typeAttachment}

func (p *parser) declare(s *section) {
	if len(s.words) > 0 && s.words[0] == "#" {
		return
	}
	heading := strings.Join(s.words, " ")
	if len(s.words) >= 2 && slices.Contains(contentTypes, s.words[0]) {
		heading = s.words[1] + " " + strings.Join(s.words[2:], " ") // ids are one name space
	}
	if name, isClient := strings.CutPrefix(heading, "client "); isClient {
		heading = "token " + name // so are names of credentials: orders to revoke and the log have the name alone
	}
	if line, twice := p.seen[heading]; twice {
		p.fail(s.errorf(s.line, "comes twice, first in line %d", line))
		return
	}
	p.seen[heading] = s.line
	switch {
	case len(s.words) > 2 && slices.Contains(contentTypes, s.words[0]):
		p.bodies = append(p.bodies, s)
		return
	case len(s.words) == 1 && s.words[0] == "site":
	case len(s.words) != 2:
		p.fail(s.errorf(s.line, "is no heading: a kind and a name are due"))
		return
	case s.words[0] == "account":
		p.site.accounts[s.words[1]] = &account{name: s.words[1], display: s.words[1], zone: time.UTC}
	case s.words[0] == "token":
		p.site.tokens = append(p.site.tokens, &token{name: s.words[1]})
	case s.words[0] == "client":
		p.site.clients = append(p.site.clients, &oauthClient{name: s.words[1], lifetime: time.Hour})
	case s.words[0] == "space":
		p.site.spaces = append(p.site.spaces, &space{key: s.words[1], name: s.words[1], kind: "global", status: "current"})
	case slices.Contains(contentTypes, s.words[0]):
		if !p.declareContent(s) {
			return
		}
	default:
		p.fail(s.errorf(s.line, "there is no kind %q", s.words[0]))
		return
	}
	p.sections = append(p.sections, s)
}

func (p *parser) declareContent(s *section) bool {
	c := &content{kind: s.words[0], id: s.words[1], status: "current"}
	digits, isAttachment := strings.CutPrefix(c.id, "att")
	var err error
	if c.number, err = strconv.ParseUint(digits, 10, 63); err != nil || isAttachment != (c.kind == typeAttachment) {
		p.fail(s.errorf(s.line, "%q is no id of a %s", c.id, c.kind))
		return false
	}
	p.site.contents[c.id] = c
	return true
}

// fill reads the lines of a section into the thing that it declared.
func (p *parser) fill(s *section) {
	if err := s.readFields(); err != nil {
		p.fail(err)
		return
	}
	var keys map[string]func(string) error
	var missing func() string // a key that is due and was not given
	switch kind, name := s.words[0], s.words[len(s.words)-1]; kind {
	case "site":
		keys = map[string]func(string) error{"cloud-id": text(&p.site.cloudID)}
	case "account":
		keys, missing = p.accountKeys(p.site.accounts[name])
	case "token":
		keys, missing = p.tokenKeys(name)
	case "client":
		keys, missing = p.clientKeys(name)
	case "space":
		keys, missing = p.spaceKeys(s, name)
	default:
		keys, missing = p.contentKeys(s, p.site.contents[name])
	}
	for _, f := range s.fields {
		set, ok := keys[f.key]
		if !ok {
			p.fail(s.errorf(f.line, "there is no key %q", f.key))
		} else if err := set(f.value); err != nil {
			p.fail(s.errorf(f.line, "%s: %v", f.key, err))
		}
	}
	if missing != nil && missing() != "" {
		p.fail(s.errorf(s.line, "has no %s", missing()))
	}
}

func text(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

func yes(to *bool) func(string) error {
	return func(s string) error {
		if s != "yes" && s != "no" {
			return fmt.Errorf("%q is neither yes nor no", s)
		}
		*to = s == "yes"
		return nil
	}
}

func instant(to *time.Time) func(string) error {
	return func(s string) (err error) {
		*to, err = time.Parse(time.RFC3339, s)
		return err
	}
}

func (p *parser) accountNamed(to **account) func(string) error {
	return func(s string) error {
		if *to = p.site.accounts[s]; *to == nil {
			return fmt.Errorf("there is no account %q", s)
		}
		return nil
	}
}

func items(s string) []string {
	found := []string{}
	for _, item := range strings.Split(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			found = append(found, item)
		}
	}
	return found
}

func (p *parser) fillBody(s *section) {
	c := p.site.contents[s.words[1]]
	if c == nil || c.kind != s.words[0] || len(c.versions) == 0 {
		p.fail(s.errorf(s.line, "there is no %s %s with a version", s.words[0], s.words[1]))
		return
	}
	v := c.current()
	if len(s.words) == 4 {
		n, err := strconv.Atoi(strings.TrimPrefix(s.words[3], "v"))
		if v = c.versionNumbered(n); err != nil || v == nil {
			p.fail(s.errorf(s.line, "there is no version %s", s.words[3]))
			return
		}
	}
	value := strings.TrimSuffix(string(s.data), "\n") // txtar ends every file with a line break
	switch form := s.words[2]; {
	case len(s.words) > 4:
		p.fail(s.errorf(s.line, "has too many words"))
	case (form == "storage" || form == "adf") && c.kind != typeAttachment:
		if err := checkBody(value, form == "adf"); err != nil {
			p.fail(s.errorf(s.line, "%v", err))
		}
		if form == "adf" {
			v.body.adf = &value
		} else {
			v.body.storage = &value
		}
	case form == "data" && c.kind == typeAttachment:
		v.file.data = []byte(value)
	case form == "base64" && c.kind == typeAttachment:
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
		if v.file.data = data; err != nil {
			p.fail(s.errorf(s.line, "%v", err))
		}
	default:
		p.fail(s.errorf(s.line, "%q is no form of a %s", form, c.kind))
	}
}

func (p *parser) finish(name string) {
	for _, check := range p.checks {
		p.fail(check())
	}
	switch {
	case len(p.errs) > 0:
	case p.site.cloudID == "":
		p.fail(fmt.Errorf("%s:1: the section \"site\" with its cloud-id is missing", name))
	case len(p.site.tokens) == 0:
		p.fail(fmt.Errorf("%s:1: there is no token, so nobody could read the site", name))
	}
}
