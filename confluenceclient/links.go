package confluenceclient

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// webURL makes an address for people out of a link in Confluence's answer. Such
// links are relative to /wiki, with or without saying so, or name a host. Empty
// means that the link does not lead to the site.
func (c *Client) webURL(link string) string {
	u, err := url.Parse(link)
	if link == "" || err != nil {
		return ""
	}
	if u.Host == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/") {
		if u.Path != "/wiki" && !strings.HasPrefix(u.Path, "/wiki/") {
			link = "/wiki" + link
		}
		return c.site.String() + link
	}
	if u.User == nil && u.Scheme == c.site.Scheme && strings.EqualFold(u.Host, c.site.Host) {
		rest := strings.TrimPrefix(link, u.Scheme+"://"+u.Host)
		return c.webURL(strings.TrimPrefix(rest, c.site.Path))
	}
	return ""
}

// pageURL is an address that works for a page of which only the id is known.
func (c *Client) pageURL(id string) string {
	return c.webURL("/pages/viewpage.action?pageId=" + url.QueryEscape(id))
}

// spaceKeyOf reads the space key out of links such as /spaces/KEY/pages/1001;
// empty where the link has none, or leads elsewhere than to the site.
func (c *Client) spaceKeyOf(link string) string {
	u, err := url.Parse(link)
	if err != nil || c.webURL(link) == "" {
		return ""
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(u.Path, "/wiki"), "/"), "/")
	if len(parts) >= 2 && (parts[0] == "spaces" || parts[0] == "display") && utf8.ValidString(parts[1]) {
		return parts[1]
	}
	return ""
}
