package confluenceclient

import "time"

// ContentType is a kind of content, in Confluence's own words.
type ContentType string

// The kinds of content. An empty ContentType is a kind that Confluence did not
// name or that this package does not know.
const (
	TypePage       ContentType = "page"
	TypeBlogPost   ContentType = "blogpost"
	TypeFolder     ContentType = "folder"
	TypeWhiteboard ContentType = "whiteboard"
	TypeDatabase   ContentType = "database"
	TypeEmbed      ContentType = "embed"
	TypeComment    ContentType = "comment"
	TypeAttachment ContentType = "attachment"
	TypeSpace      ContentType = "space"
)

// BodyFormat is a body representation, as in the parameter body-format.
type BodyFormat string

// The body formats. FormatNone asks for no body.
const (
	FormatNone       BodyFormat = ""
	FormatStorage    BodyFormat = "storage"
	FormatADF        BodyFormat = "atlas_doc_format"
	FormatView       BodyFormat = "view"
	FormatExportView BodyFormat = "export_view"
)

// Version tells about one version of a page or attachment.
type Version struct {
	Number          int32
	CreateTime      time.Time // zero: not told
	AuthorAccountID string
	Message         string
	MinorEdit       bool
}

// Page is one version of a page.
type Page struct {
	ID, Title         string
	SpaceID, SpaceKey string // SpaceKey is empty where it cannot be told
	Status            string // "current", "archived" or, for old versions, "historical"
	ParentID          string // empty: no parent
	ParentType        ContentType
	Version           Version
	CreateTime        time.Time // zero: not told
	AuthorAccountID   string
	WebURL            string // on the site, for people
	Body              string // in the format asked for; empty for FormatNone
	Freshness         Freshness
}

// Child is a direct child in the content tree.
type Child struct {
	ID, Title, Status string
	Type              ContentType
	Position          *int32 // nil: not told
	WebURL            string // on the site; empty where none can be made
	SpaceID           string // empty: not told
}

// SearchResult is one hit of a search.
type SearchResult struct {
	ID            string
	Type          ContentType
	Title         string    // plain text
	SpaceKey      string    // empty where Confluence names none
	Excerpt       string    // plain text
	WebURL        string    // on the site
	ModifiedTime  time.Time // zero: not told
	ContainerID   string
	ContainerType ContentType
}

// Attachment describes one version of an attached file.
type Attachment struct {
	ID, Title, MediaType, Comment string
	FileSize                      *int64 // bytes, at least 1; nil: not told
	Version                       Version
	ContainerID                   string      // page, blog post or custom content
	ContainerType                 ContentType // empty for custom content
	SpaceKey                      string      // empty where it cannot be told
	WebURL                        string      // on the site
	CreateTime                    time.Time
}
