package policy

import "strings"

// The classes of callers: whether somebody waits for the answer.
const (
	Interactive = "interactive"
	Batch       = "batch"
)

// AnonymousName is the name of the caller that says nothing about who it is.
const AnonymousName = "anonymous"

// Caller is one entry of a policy: who somebody is, and what that caller may
// do. It never changes, and may be used concurrently. A policy that is read anew
// has callers of its own: a call keeps the one that it began with.
type Caller struct {
	Name   string
	Class  string // Interactive or Batch
	Weight int    // share of what callers of the same class compete for, from 1
	Budget Budget
	// MaxAttachmentBytes is the largest attachment for this caller. 0: the policy
	// sets no limit.
	MaxAttachmentBytes int64
	// RawCQL allows queries that the caller words itself. What it finds is held
	// against the other rules all the same.
	RawCQL bool

	place       place
	cqlPlace    place
	bytesPlace  place
	methods     *index
	bodyFormats *index // nil: all
	spaces      *index
	except      except
}

// Budget is how much a caller may ask for. The zero value sets no limit.
type Budget struct {
	Rate    float64 // calls a second in the long run; 0: no limit
	Burst   int     // calls at once, at least 1 where there is a rate
	Streams int     // streams open at the same time; 0: no limit
}

// except is what a caller may not read within its spaces.
type except struct {
	spaces     *index
	labels     *index
	subtrees   *index
	restricted *rule // nil: restricted content is like any other
}

func newCaller(name string, at place) *Caller {
	return &Caller{
		Name: name, Class: Interactive, Weight: 1, place: at, cqlPlace: at,
		methods: newIndex("", asWritten),
		spaces:  newIndex("", lowerASCII),
		except: except{
			spaces:   newIndex("", lowerASCII),
			labels:   newIndex("", strings.ToLower),
			subtrees: newIndex("", asWritten),
		},
	}
}

// Facts names what may have to be known of content besides its space.
type Facts struct{ Ancestors, Labels, Restrictions bool }

// Needs tells which facts the caller's rules ask for. Content of which one of
// them is not known is denied.
func (c *Caller) Needs() Facts {
	return Facts{
		Ancestors:    len(c.except.subtrees.rules) > 0,
		Labels:       len(c.except.labels.rules) > 0,
		Restrictions: c.except.restricted != nil,
	}
}

// SpaceKeys tells which spaces may be worth searching: keys, patterns (in which
// * stands for any run of characters), or all of them. It is for narrowing a
// query. What is found still has to be held against Content.
func (c *Caller) SpaceKeys() (exact, patterns []string, all bool) {
	exact, patterns = split(c.spaces)
	for _, pattern := range patterns {
		all = all || pattern == "*"
	}
	return exact, patterns, all
}

// Exceptions are the deny rules that a query can express, for narrowing it:
// keys of spaces, labels and ids of pages whose subtrees are hidden. Rules with a
// star are left out. What is found still has to be held against Content.
func (c *Caller) Exceptions() (spaceKeys, labels, subtrees []string) {
	spaceKeys, _ = split(c.except.spaces)
	labels, _ = split(c.except.labels)
	subtrees, _ = split(c.except.subtrees)
	return spaceKeys, labels, subtrees
}

// split returns the rules of x, those without a star first.
func split(x *index) (exact, starred []string) {
	for _, r := range x.rules {
		if strings.Contains(r.text, "*") {
			starred = append(starred, r.text)
		} else {
			exact = append(exact, r.text)
		}
	}
	return exact, starred
}
