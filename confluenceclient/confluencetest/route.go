package confluencetest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// route is one endpoint: where it is, which scopes open it, and what it answers.
// A test holds the table below against Atlassian's API descriptions.
type route struct {
	method   string // empty: GET
	path     string // template below the gateway's /ex/confluence/{cloudId}
	classic  []string
	granular []string
	params   string // names of query parameters that the endpoint knows
	old      bool   // taken out of the API description
	answer   func(*request)
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// shape is a path template without the names of its values, which differ from
// one description to the other.
func shape(path string) string { return placeholder.ReplaceAllString(path, "{}") }

func (r *route) isV1() bool { return strings.HasPrefix(r.path, "/wiki/rest/") }

func (r *route) knows(param string) bool { return slices.Contains(strings.Fields(r.params), param) }

// request is one request that has come through the gate.
type request struct {
	*Simulator
	w       http.ResponseWriter
	http    *http.Request
	route   *route
	account *account
	query   url.Values
	base    string // address of the site, as links for people name it
	media   string // address of the media face
}

func (r *request) json(value object) {
	// New fields appear without notice, and clients have to bear it.
	value["aFieldAddedLater"] = object{"since": "yesterday"}
	answerJSON(r.w, http.StatusOK, value)
}

// id reads an id from the path; v2 insists on int64.
func (r *request) id(name string) (string, bool) {
	value := r.http.PathValue(name)
	if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 0 || strconv.FormatInt(n, 10) != value {
		refuseParameter(r.w, "Provided value {%s} for '%s' is not the correct type. Expected type is long", value, name)
		return "", false
	}
	return value, true
}

// find is the content with this id, unless the account may not see it.
func (r *request) find(id string, kinds ...string) *content {
	c := r.site.contents[id]
	if c == nil || c.purged || !slices.Contains(kinds, c.kind) || !c.visibleTo(r.account) {
		return nil
	}
	return c
}

// number reads a parameter that is a number, absent meaning fallback.
func (r *request) number(name string, fallback, most int) (int, bool) {
	if !r.query.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(r.query.Get(name))
	if err != nil || n < 1 || n > most {
		refuseParameter(r.w, "Provided value {%s} for '%s' is not valid. A number from 1 to %d is due", r.query.Get(name), name, most)
		return 0, false
	}
	return n, true
}

// values reads a parameter that may come several times, or hold several values
// between commas.
func (r *request) values(name string) []string {
	var values []string
	for _, value := range r.query[name] {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				values = append(values, item)
			}
		}
	}
	return values
}

// oneOf reads a parameter with a fixed set of values.
func (r *request) oneOf(name string, allowed ...string) (string, bool) {
	value := r.query.Get(name)
	if value == "" || slices.Contains(allowed, value) {
		return value, true
	}
	refuseParameter(r.w, "Provided value {%s} for '%s' is not valid. Valid values are: %s", value, name, strings.Join(allowed, ", "))
	return "", false
}
