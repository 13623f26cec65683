package service

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	maxIDDigits = 19 // of an int64, which is what Confluence's ids are
	maxTitle    = 255
	maxSpaceKey = 255
	maxURL      = 4096
)

// violations gathers everything that is wrong with a request, so that callers
// learn it all at once. The zero value is ready to use.
type violations []*errdetails.BadRequest_FieldViolation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, &errdetails.BadRequest_FieldViolation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// err is nil when the request is good.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	const shown = 3 // in the sentence; the detail has them all
	var sentences []string
	for _, violation := range v[:min(len(v), shown)] {
		sentences = append(sentences, violation.GetField()+": "+violation.GetDescription())
	}
	if more := len(v) - shown; more > 0 {
		sentences = append(sentences, fmt.Sprintf("and %d more", more))
	}
	return &failure{cause: confluenceclient.CauseInvalid, message: strings.Join(sentences, "; "), violations: v}
}

// blame names the field that an upstream refusal of the request is about. Other
// errors it leaves alone.
func blame(err error, field string) error {
	var upstream *confluenceclient.Error
	if !errors.As(err, &upstream) || upstream.Cause != confluenceclient.CauseInvalid {
		return err
	}
	f := upstreamFailure(upstream)
	f.violations = violations{{Field: field, Description: f.message}}
	return f
}

// contentID checks the id of anything but an attachment. Ids go into paths, so
// only digits pass, in the one spelling that Confluence uses itself.
func (v *violations) contentID(field, id string) {
	switch number, err := strconv.ParseInt(id, 10, 64); {
	case id == "":
		v.add(field, "is required: a content id, 1 to %d digits", maxIDDigits)
	case isAttachmentID(id):
		v.add(field, "is the id of an attachment; GetAttachment takes those, and here a content id of digits alone is due")
	case !isDigits(id) || len(id) > maxIDDigits || err != nil || number == 0 || id[0] == '0':
		v.add(field, "%s is not a content id: 1 to %d digits without leading zeros, such as 1001", quote(id), maxIDDigits)
	}
}

// attachmentID checks the id of an attachment.
func (v *violations) attachmentID(field, id string) {
	switch digits, ok := strings.CutPrefix(id, "att"); {
	case id == "":
		v.add(field, `is required: an attachment's id, "att" and digits`)
	case !ok && isDigits(id):
		v.add(field, `%s lacks the "att" in front that an attachment's id has; digits alone name pages and other content`, quote(id))
	case !isAttachmentID(id) || digits[0] == '0':
		v.add(field, `%s is not an attachment's id: "att" and 1 to %d digits, such as att1001`, quote(id), maxIDDigits)
	}
}

func isAttachmentID(id string) bool {
	digits, ok := strings.CutPrefix(id, "att")
	number, err := strconv.ParseInt(digits, 10, 64)
	return ok && isDigits(digits) && err == nil && number != 0
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// spaceKey checks a space key. The letters are those of ordinary and personal
// spaces; nothing among them has a meaning in addresses or CQL strings.
func (v *violations) spaceKey(field, key string) {
	switch {
	case strings.TrimSpace(key) == "":
		v.add(field, "is blank: a space key such as DOC or ~712020abc is due")
	case utf8.RuneCountInString(key) > maxSpaceKey:
		v.add(field, "is longer than %d characters", maxSpaceKey)
	case strings.ContainsFunc(key, func(r rune) bool {
		return !strings.ContainsRune("~._:@-", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}):
		v.add(field, "%s is not a space key: letters, digits and ~ . _ : @ - only", quote(key))
	}
}

// line checks a short text that has a meaning of its own, such as a title.
func (v *violations) line(field, text string, most int) {
	switch {
	case strings.TrimSpace(text) == "":
		v.add(field, "is blank")
	case utf8.RuneCountInString(text) > most:
		v.add(field, "has %d characters, at most %d are allowed", utf8.RuneCountInString(text), most)
	case strings.ContainsFunc(text, unicode.IsControl):
		v.add(field, "holds a control character")
	}
}

func (v *violations) notNegative(field string, number int64) {
	if number < 0 {
		v.add(field, "is negative")
	}
}

// pageSize returns the size to ask for.
func (v *violations) pageSize(size, standard, most int32) int {
	v.notNegative("page_size", int64(size))
	if size == 0 {
		size = standard
	}
	return int(min(size, most))
}

func (v *violations) duration(field string, d *durationpb.Duration) {
	if d == nil {
		return
	}
	if d.CheckValid() != nil {
		v.add(field, "is not a valid duration")
	} else if d.AsDuration() < 0 {
		v.add(field, "is negative")
	}
}

func (v *violations) timestamp(field string, t *timestamppb.Timestamp) {
	if t != nil && t.CheckValid() != nil {
		v.add(field, "is not a valid time: year 1 to 9999, nanos 0 to 999999999")
	}
}

// chosen is the name of the field that is set of a oneof.
func chosen(req proto.Message, oneof protoreflect.Name) string {
	message := req.ProtoReflect()
	return string(message.WhichOneof(message.Descriptor().Oneofs().ByName(oneof)).Name())
}

// versioned is the field to blame when Confluence refuses a request for a
// version of what field names.
func versioned(version int32, field string) string {
	if version != 0 {
		return "version"
	}
	return field
}

// quote shows a caller what it sent, within reason.
func quote(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}
