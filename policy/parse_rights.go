package policy

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Upper bounds, beyond which a number is rather a slip of the finger.
const (
	maxWeight  = 1000
	maxRate    = 1e6
	maxBurst   = 1e6
	maxStreams = 1e6
)

// rights reads what a caller may do, all but who it is.
func (r *reader) rights(c *Caller) map[string]func(ast.Node) {
	return map[string]func(ast.Node){
		"methods": func(node ast.Node) { r.words(c, c.methods, node, "methods", "method", r.known.Methods) },
		"spaces":  func(node ast.Node) { r.spaces(c, c.spaces, node, "spaces") },
		"except":  func(node ast.Node) { r.except(c, node) },
		"body_formats": func(node ast.Node) {
			c.bodyFormats = newIndex("", asWritten)
			r.words(c, c.bodyFormats, node, "body_formats", "body format", r.known.BodyFormats)
		},
		"max_attachment_bytes": func(node ast.Node) {
			c.MaxAttachmentBytes, c.bytesPlace = r.bytes(node, "max_attachment_bytes"), at(node)
		},
		"raw_cql": func(node ast.Node) { c.RawCQL, c.cqlPlace = r.boolean(node, "raw_cql"), at(node) },
		"class": func(node ast.Node) {
			if text, ok := r.text(node, "class"); ok && r.oneOf(text, at(node), "class", []string{Interactive, Batch}) {
				c.Class = text
			}
		},
		"weight": func(node ast.Node) { c.Weight = r.whole(node, "weight", 1, maxWeight) },
		"budget": func(node ast.Node) { r.budget(c, node) },
	}
}

// words reads a list of names, or "*" for all.
func (r *reader) words(c *Caller, x *index, node ast.Node, what, one string, known []string) {
	known = slices.Sorted(slices.Values(known))
	r.texts(node, what, func(text string, at place) {
		if text == "*" || r.oneOf(text, at, one, append(known[:len(known):len(known)], "* for all")) {
			r.add(x, text, at, c, quote(text))
		}
	})
}

// spaceKey is what the service takes for a space key, or a pattern of one.
var spaceKey = regexp.MustCompile(`^[A-Za-z0-9~._:@*-]{1,255}$`)

func (r *reader) spaces(c *Caller, x *index, node ast.Node, what string) {
	r.texts(node, what, func(text string, at place) {
		switch wrong := wrongPattern(text); {
		case wrong != "":
			r.fail(at, "%s is not a space key or pattern: %s", quote(text), wrong)
		case !spaceKey.MatchString(text):
			r.fail(at, "%s is not a space key or pattern: letters, digits and ~ . _ : @ - only, and * for any of them, such as DOC, TEAM* or ~712020abc", quote(text))
		default:
			r.add(x, text, at, c, quote(text))
		}
	})
}

// except reads what the caller may not read in spite of the rest.
func (r *reader) except(c *Caller, node ast.Node) {
	r.mapping(node, "except", map[string]func(ast.Node){
		"spaces":   func(node ast.Node) { r.spaces(c, c.except.spaces, node, "except spaces") },
		"labels":   func(node ast.Node) { r.labels(c, node) },
		"subtrees": func(node ast.Node) { r.subtrees(c, node) },
		"restricted": func(node ast.Node) {
			if r.boolean(node, "restricted") {
				c.except.restricted = &rule{text: "true", place: at(node), owner: c}
			}
		},
	})
}

func (r *reader) labels(c *Caller, node ast.Node) {
	r.texts(node, "except labels", func(text string, at place) {
		switch wrong := wrongPattern(text); {
		case wrong != "":
			r.fail(at, "%s is not a label or pattern: %s", quote(text), wrong)
		case strings.ContainsAny(text, " ,;:"):
			r.fail(at, "%s is not a label: Confluence allows neither blanks nor , ; : in one", quote(text))
		default:
			r.add(c.except.labels, text, at, c, quote(text))
		}
	})
}

// contentID is an id in the one spelling that Confluence uses itself.
var contentID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

func (r *reader) subtrees(c *Caller, node ast.Node) {
	r.texts(node, "except subtrees", func(text string, at place) {
		if !contentID.MatchString(text) {
			r.fail(at, "%s is not the id of a page: 1 to 19 digits without leading zeros, as in the page's address", quote(text))
			return
		}
		r.add(c.except.subtrees, text, at, c, quote(text))
	})
}

func (r *reader) budget(c *Caller, node ast.Node) {
	var burst ast.Node
	r.mapping(node, "budget", map[string]func(ast.Node){
		"rate": func(node ast.Node) { c.Budget.Rate = r.rate(node) },
		"burst": func(node ast.Node) {
			burst = node
			c.Budget.Burst = r.whole(node, "burst", 1, maxBurst)
		},
		"streams": func(node ast.Node) { c.Budget.Streams = r.whole(node, "streams", 1, maxStreams) },
	})
	switch {
	case burst != nil && c.Budget.Rate == 0:
		r.fail(at(burst), "burst without rate limits nothing; add rate, in calls a second")
	case burst == nil && c.Budget.Rate > 0:
		c.Budget.Burst = int(max(1, math.Ceil(c.Budget.Rate))) // what a second may bring
	}
}

// rate returns calls a second.
func (r *reader) rate(node ast.Node) float64 {
	const what = "a number of calls a second, more than 0 and at most 1000000, such as 20 or 0.5"
	text, ok := r.text(node, "rate")
	if !ok {
		return 1
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(rate) || rate <= 0 || rate > maxRate {
		r.fail(at(node), "rate is %s, and not %s; without a limit, leave it out", what, quote(text))
		return 1
	}
	return rate
}

// bytes returns a size, which may be written with a unit as in the settings.
func (r *reader) bytes(node ast.Node, what string) int64 {
	text, ok := r.text(node, what)
	if !ok {
		return 1
	}
	size, ok := ParseBytes(text)
	if !ok || size < 1 {
		r.fail(at(node), "%s is a number of bytes from 1 on, such as 1048576, 512KiB or 10MiB, and not %s; without a limit, leave it out", what, quote(text))
		return 1
	}
	return size
}

// ParseBytes reads a number of bytes, which may have a unit: 1048576, 512KiB, 4MiB
// or 1GiB. Policies and settings are written alike.
func ParseBytes(text string) (size int64, ok bool) {
	digits, unit := text, int64(1)
	for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			digits, unit = strings.TrimSpace(number), bytes
		}
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || number < 0 || number > (1<<62)/unit {
		return 0, false
	}
	return number * unit, true
}
