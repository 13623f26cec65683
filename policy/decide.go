package policy

import "fmt"

// Decision is what a policy says to one question.
type Decision struct {
	Allowed bool
	// Rule is the rule that decided: the caller's name, the entry, and its line
	// in the policy file. For the operator; a caller that is shown the rule which
	// hides content learns that there is some.
	Rule string
}

// Content is what is to be read. The zero value is content of which nothing is
// known, and nobody may read that.
type Content struct {
	SpaceKey string
	ID       string
	// AncestorIDs are the ids of everything that the content lies under, in any
	// order. An attachment or comment lies under its page.
	AncestorIDs []string
	Labels      []string
	// Restricted says that not everybody who may view the space may view this,
	// because of a restriction of its own or of an ancestor.
	Restricted bool
	// Known tells which of the facts above have been looked up; see Needs. The
	// others are not taken for "none".
	Known Facts
}

// Method tells whether the caller may call the method with this short name,
// such as GetPage.
func (c *Caller) Method(method string) Decision {
	return c.listed("methods", c.methods, method)
}

// BodyFormat tells whether the caller may have bodies in this format, such as
// "markdown". Having none is always allowed; "" is no format, and is not.
func (c *Caller) BodyFormat(format string) Decision {
	switch {
	case format == "none":
		return c.decide(true, "answers without a body are always allowed", c.place)
	case format == "":
		return c.decide(false, "the body format is not known", c.place)
	case c.bodyFormats == nil:
		return c.decide(true, "body_formats sets no limit", c.place)
	}
	return c.listed("body_formats", c.bodyFormats, format)
}

// CQL tells whether the caller may word queries itself.
func (c *Caller) CQL() Decision {
	return c.decide(c.RawCQL, fmt.Sprintf("raw_cql %t", c.RawCQL), c.cqlPlace)
}

// AttachmentSize tells whether the caller may have an attachment of so many
// bytes. Where the size is not known beforehand, ask again as they arrive.
func (c *Caller) AttachmentSize(bytes int64) Decision {
	if c.MaxAttachmentBytes == 0 {
		return c.decide(true, "max_attachment_bytes sets no limit", c.place)
	}
	return c.decide(bytes <= c.MaxAttachmentBytes, fmt.Sprintf("max_attachment_bytes %d", c.MaxAttachmentBytes), c.bytesPlace)
}

// Space tells whether the caller may read anything in the space with this key.
// The key "", of a space that could not be found out, is never allowed.
func (c *Caller) Space(key string) Decision {
	if key == "" {
		return c.decide(false, "the space is not known", c.place)
	}
	if r, ok := c.except.spaces.first(key); ok {
		return c.ruled(false, "except spaces", r)
	}
	return c.listed("spaces", c.spaces, key)
}

// Content tells whether the caller may read the content: its space has to be
// allowed, every fact that the caller's rules need has to be known, and no
// exception may cover it.
func (c *Caller) Content(x Content) Decision {
	space := c.Space(x.SpaceKey)
	if !space.Allowed {
		return space
	}
	for _, ask := range []func(Content) (Decision, bool){c.hiddenSubtree, c.hiddenLabel, c.hiddenRestricted} {
		if denied, hidden := ask(x); hidden {
			return denied
		}
	}
	return space
}

func (c *Caller) hiddenSubtree(x Content) (Decision, bool) {
	if len(c.except.subtrees.rules) == 0 {
		return Decision{}, false
	}
	for _, id := range append([]string{x.ID}, x.AncestorIDs...) {
		if r, ok := c.except.subtrees.first(id); ok {
			return c.ruled(false, "except subtrees", r), true
		}
	}
	return c.unknown(x.Known.Ancestors && x.ID != "", "ancestors", c.except.subtrees.rules[0])
}

func (c *Caller) hiddenLabel(x Content) (Decision, bool) {
	if len(c.except.labels.rules) == 0 {
		return Decision{}, false
	}
	for _, label := range x.Labels {
		if r, ok := c.except.labels.first(label); ok {
			return c.ruled(false, "except labels", r), true
		}
	}
	return c.unknown(x.Known.Labels, "labels", c.except.labels.rules[0])
}

func (c *Caller) hiddenRestricted(x Content) (Decision, bool) {
	r := c.except.restricted
	if r == nil {
		return Decision{}, false
	}
	if x.Restricted {
		return c.ruled(false, "except restricted", r), true
	}
	return c.unknown(x.Known.Restrictions, "restrictions", r)
}

// unknown denies what a rule asks for and nobody has looked up.
func (c *Caller) unknown(known bool, fact string, r *rule) (Decision, bool) {
	if known {
		return Decision{}, false
	}
	return c.decide(false, "its "+fact+" are not known, and a rule asks for them", r.place), true
}

// listed allows what a rule of x covers, and nothing else.
func (c *Caller) listed(list string, x *index, text string) Decision {
	if r, ok := x.first(text); ok {
		return c.ruled(true, list, r)
	}
	return c.decide(false, "no entry of "+list+" covers it", c.place)
}

func (c *Caller) ruled(allowed bool, list string, r *rule) Decision {
	return c.decide(allowed, fmt.Sprintf("%s %q", list, r.text), r.place)
}

func (c *Caller) decide(allowed bool, why string, at place) Decision {
	rule := c.Name + ": " + why
	if at.line > 0 {
		rule += fmt.Sprintf(" (line %d)", at.line)
	}
	return Decision{Allowed: allowed, Rule: rule}
}
