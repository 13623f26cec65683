package confluenceclient

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
)

// Address is what an address of the site names: content by Type and ID, a page
// by SpaceKey and Title, or a space's home page by SpaceKey alone.
type Address struct {
	Type            ContentType
	ID              string
	SpaceKey, Title string
}

const maxAddressLength = 4096

// ParseAddress reads an address that a person copied from a browser. It asks
// nothing upstream. Its errors are plain sentences, fit for the caller. What a
// short link names is taken for a page: the link does not tell.
func (c *Client) ParseAddress(raw string) (Address, error) {
	path, query, err := c.splitAddress(raw)
	if err != nil {
		return Address{}, err
	}
	a, ok := readPath(path, query)
	switch {
	case !ok:
		return Address{}, errors.New("the address names no page; addresses such as …/wiki/spaces/KEY/pages/1001/Title, …/viewpage.action?pageId=1001 and …/wiki/x/CODE do")
	case a.ID != "" && !isContentID(a.ID):
		return Address{}, fmt.Errorf("the address holds %q where a content id of 1 to 19 digits is due", a.ID)
	}
	return a, nil
}

// splitAddress returns the path's parts below /wiki, once it is clear that the
// address is one of the site's, or of its place at the gateway.
func (c *Client) splitAddress(raw string) ([]string, url.Values, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > maxAddressLength {
		return nil, nil, fmt.Errorf("the address is longer than %d bytes", maxAddressLength)
	}
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		raw = c.site.Scheme + "://" + c.site.Host + raw
	} else if !strings.Contains(raw, "://") {
		raw = c.site.Scheme + "://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, nil, errors.New("this is not an address that a browser shows")
	}
	base := ""
	switch {
	case u.User != nil:
		return nil, nil, errors.New("the address holds a user name")
	case sameHost(u, c.site):
		base = c.site.EscapedPath()
	case sameHost(u, c.gateway) && strings.HasPrefix(u.EscapedPath()+"/", c.gateway.EscapedPath()+"/"):
		base = c.gateway.EscapedPath()
	default:
		return nil, nil, fmt.Errorf("the address is not one of %s", c.site.Host)
	}
	path := strings.TrimPrefix(strings.TrimPrefix(u.EscapedPath(), base), "/wiki")
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if len(parts) == 2 && parts[0] == "display" {
			part = strings.ReplaceAll(part, "+", " ") // in titles of this form only, and before decoding
		}
		part, err := url.PathUnescape(part)
		if err != nil {
			return nil, nil, errors.New("the address has a part that cannot be decoded")
		}
		parts = append(parts, part)
	}
	return parts, u.Query(), nil
}

func sameHost(u, base *url.URL) bool {
	return strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), strings.TrimSuffix(base.Host, ":443"))
}

// at returns the part at i, or "".
func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

func readPath(parts []string, query url.Values) (Address, bool) {
	switch at(parts, 0) {
	case "x":
		return readShortLink(at(parts, 1))
	case "spaces":
		if !strings.HasSuffix(at(parts, 1), ".action") && !strings.HasSuffix(at(parts, 2), ".action") {
			return readSpacePath(at(parts, 1), parts[min(2, len(parts)):])
		}
	case "display":
		return Address{Type: TypePage, SpaceKey: at(parts, 1), Title: at(parts, 2)}, at(parts, 1) != ""
	case "pages":
		if id := at(parts, 1); isContentID(id) {
			return Address{Type: TypePage, ID: id}, true
		}
	case "api", "rest": // somebody copied a link out of an answer of the API
		for i, name := range parts {
			if name == "pages" || name == "content" {
				return Address{Type: TypePage, ID: at(parts, i+1)}, at(parts, i+1) != ""
			}
		}
		return Address{}, false
	}
	return readAction(parts, query)
}

// Kinds of content as they stand in paths below /spaces/KEY/.
var pathTypes = map[string]ContentType{
	"pages": TypePage, "history": TypePage, "blog": TypeBlogPost, "folder": TypeFolder,
	"whiteboard": TypeWhiteboard, "database": TypeDatabase, "embed": TypeEmbed,
}

func readSpacePath(key string, rest []string) (Address, bool) {
	kind := at(rest, 0)
	if kind == "" || kind == "overview" {
		return Address{Type: TypePage, SpaceKey: key}, key != ""
	}
	contentType, ok := pathTypes[kind]
	if !ok {
		return Address{}, false
	}
	id := at(rest, 1)
	switch {
	case id == "edit-v2" || id == "edit":
		id = at(rest, 2)
	case kind == "blog": // blog/yyyy/mm/dd/ID
		id = at(rest, 4)
	}
	return Address{Type: contentType, ID: id, SpaceKey: key}, id != ""
}

// readAction reads the older addresses, which name everything in the query.
func readAction(parts []string, query url.Values) (Address, bool) {
	switch {
	case !strings.HasSuffix(at(parts, len(parts)-1), ".action") || strings.Contains(at(parts, len(parts)-1), "draft"):
		return Address{}, false
	case query.Has("pageId"):
		return Address{Type: TypePage, ID: query.Get("pageId")}, len(query["pageId"]) == 1
	case query.Has("urlIdentifier"):
		return readShortLink(query.Get("urlIdentifier"))
	case query.Get("spaceKey") != "":
		return Address{Type: TypePage, SpaceKey: query.Get("spaceKey"), Title: query.Get("title")}, true
	}
	return Address{Type: TypePage, SpaceKey: query.Get("key")}, query.Get("key") != ""
}

var shortLinkAlphabet = strings.NewReplacer("_", "+", "-", "/")

// readShortLink decodes /x/CODE: the id's eight bytes, lowest first, in base64
// with "+" and "/" written as "_" and "-", without "=" and trailing "A"s. See
// https://community.atlassian.com, article 186555.
func readShortLink(code string) (Address, bool) {
	if code == "" || len(code) > 11 || strings.ContainsAny(code, "+/") {
		return Address{}, false
	}
	full := shortLinkAlphabet.Replace(code) + strings.Repeat("A", 11-len(code)) + "="
	raw, err := base64.StdEncoding.DecodeString(full)
	if err != nil {
		return Address{}, false
	}
	id := binary.LittleEndian.Uint64(raw)
	return Address{Type: TypePage, ID: fmt.Sprint(id)}, id > 0 && id <= math.MaxInt64
}

var contentIDPattern = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// isContentID tells whether id is a content id: a positive 64-bit number.
func isContentID(id string) bool {
	return contentIDPattern.MatchString(id) && (len(id) < 19 || id <= "9223372036854775807")
}
