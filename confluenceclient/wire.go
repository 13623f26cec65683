package confluenceclient

import (
	"bytes"
	"encoding/json"
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
	if json.Unmarshal(raw, &text) == nil {
		t.Time, _ = time.Parse(time.RFC3339, text)
	}
	return nil
}

// versionJSON is a version in v2.
type versionJSON struct {
	Number    int32     `json:"number"`
	CreatedAt instant   `json:"createdAt"`
	AuthorID  contentID `json:"authorId"`
	Message   string    `json:"message"`
	MinorEdit bool      `json:"minorEdit"`
}

func (v versionJSON) version() Version {
	return Version{
		Number: v.Number, CreateTime: v.CreatedAt.Time, AuthorAccountID: string(v.AuthorID),
		Message: v.Message, MinorEdit: v.MinorEdit,
	}
}

// linksJSON are the links of one item.
type linksJSON struct {
	WebUI string `json:"webui"`
}
