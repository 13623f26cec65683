package service

import (
	"strings"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/policy"
)

// formatAllowed decides about the format of bodies. What Confluence renders holds
// what macros bring in from other pages, as the broker's account sees them, so it
// is for callers who may read everything, and for those whose entry in the policy
// says it by name.
func (r reader) formatAllowed(format brokerv1.BodyFormat) error {
	word := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(format.String(), "BODY_FORMAT_"), "_", "-"))
	d := r.rules.BodyFormat(word)
	rendered := format == brokerv1.BodyFormat_BODY_FORMAT_VIEW || format == brokerv1.BodyFormat_BODY_FORMAT_EXPORT_VIEW
	if d.Allowed && rendered && !r.seesAll() && !r.rules.NamesFormat(word) {
		d = policy.Decision{Rule: r.name() + ": rendered formats hold what macros bring in from other pages, and body_formats does not name " + word}
	}
	if d.Allowed {
		return nil
	}
	return notAllowed("this caller may not have bodies in the format "+strings.TrimPrefix(format.String(), "BODY_FORMAT_"), d)
}
