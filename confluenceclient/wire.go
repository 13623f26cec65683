package confluenceclient

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// contentID is an id in JSON. Confluence gives strings; older answers and other
// servers give numbers, which must not pass through a float.
type contentID string

func (id *contentID) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(id))
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return err
	}
	*id = contentID(number.String())
	return nil
}

// instant is a time in JSON. What cannot be read as RFC 3339 is unset: no
// answer should fail for a date.
type instant struct{ time.Time }

func (t *instant) UnmarshalJSON(raw []byte) error {
	var text string
	_ = json.Unmarshal(raw, &text)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} { // v1 has zones without a colon
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at
			return nil
		}
	}
	return nil
}

// number is a whole number in JSON, in whatever spelling: 3, 3.0, "3". What is
// none is not told: no answer should fail for a number beside the point.
type number struct {
	value int64
	told  bool
}

func (n *number) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if value, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = number{value, true}
	} else if value, err := strconv.ParseFloat(text, 64); err == nil && value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		*n = number{int64(value), true}
	}
	return nil
}

// int32 is 0 for what is not told or does not fit.
func (n number) int32() int32 {
	if n.value != int64(int32(n.value)) {
		return 0
	}
	return int32(n.value)
}

// versionJSON is a version in v2.
type versionJSON struct {
	Number    number    `json:"number"`
	CreatedAt instant   `json:"createdAt"`
	AuthorID  contentID `json:"authorId"`
	Message   string    `json:"message"`
	MinorEdit bool      `json:"minorEdit"`
}

func (v versionJSON) version() Version {
	return Version{
		Number: v.Number.int32(), CreateTime: v.CreatedAt.Time, AuthorAccountID: string(v.AuthorID),
		Message: v.Message, MinorEdit: v.MinorEdit,
	}
}

// linksJSON are the links of one item. They are for people only: one of another
// shape is no reason to fail.
type linksJSON struct{ WebUI string }

func (l *linksJSON) UnmarshalJSON(raw []byte) error {
	var links struct {
		WebUI string `json:"webui"`
	}
	_ = json.Unmarshal(raw, &links)
	l.WebUI = links.WebUI
	return nil
}
