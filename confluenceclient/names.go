package confluenceclient

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Names stand in for ids where a body is put into words. None of these calls is
// needed for the words themselves.
const (
	maxNameAge     = 10 * time.Minute // people are rarely renamed
	maxFilesAge    = time.Minute      // files come and go with edits
	maxUsersAtOnce = 100              // of one bulk look-up
	maxPagesAtOnce = 250              // of one listing by ids
	maxNamesAtAll  = 1000             // a body with more keeps ids for the rest
)

// personKey names a cached display name.
type personKey struct {
	identity uint64
	account  string
}

// UserNames returns display names by account id, in one request for each
// hundred that are not known yet. Accounts that Confluence does not show, and
// any beyond the first thousand, are absent.
func (c *Client) UserNames(ctx context.Context, accounts []string) (map[string]string, error) {
	names := map[string]string{}
	identity := c.identity()
	var unknown []string
	for _, account := range accounts[:min(len(accounts), maxNamesAtAll)] {
		if name, ok := c.people.get(personKey{identity, account}, maxNameAge); !ok {
			unknown = append(unknown, account)
		} else if name != "" {
			names[account] = name
		}
	}
	for chunk := range slices.Chunk(unknown, maxUsersAtOnce) {
		asked := time.Now()
		var got struct {
			Results []struct {
				AccountID   string `json:"accountId"`
				DisplayName string `json:"displayName"`
				PublicName  string `json:"publicName"`
			} `json:"results"`
		}
		err := c.unlessLacking(opListUsers, func() error {
			_, err := c.get(ctx, opListUsers, nil, url.Values{"accountId": chunk}, &got)
			return err
		})
		if err != nil {
			return names, err
		}
		for _, account := range chunk {
			c.people.put(personKey{identity, account}, "", asked) // not shown, unless the answer says otherwise
		}
		for _, user := range got.Results {
			name := cmp.Or(oneLine(user.DisplayName), oneLine(user.PublicName))
			if name != "" {
				names[user.AccountID] = name
				c.people.put(personKey{identity, user.AccountID}, name, asked)
			}
		}
	}
	return names, nil
}

// PageTitles returns title, space and address by page id, in one listing for each
// 250.
// Pages that the account may not see, and any beyond the first thousand, are
// absent.
func (c *Client) PageTitles(ctx context.Context, ids []string) (map[string]Page, error) {
	titles := map[string]Page{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isContentID(id) }) // from page text, so anything
	for chunk := range slices.Chunk(ids[:min(len(ids), maxNamesAtAll)], maxPagesAtOnce) {
		query := url.Values{"id": {strings.Join(chunk, ",")}, "status": {"current"}, "limit": {"250"}}
		err := each(ctx, c, opListPages, nil, query, func(p pageJSON) bool {
			titles[string(p.ID)] = Page{ID: string(p.ID), Title: p.Title, SpaceID: string(p.SpaceID), SpaceKey: c.spaceKeyOf(p.Links.WebUI), WebURL: c.webURL(p.Links.WebUI)}
			return true
		})
		if err != nil {
			return titles, err
		}
	}
	return titles, nil
}

// FileNames returns the names of a page's attachments by file id, which is how
// ADF refers to them.
func (c *Client) FileNames(ctx context.Context, pageID string) (map[string]string, error) {
	key := filesKey{c.identity(), pageID}
	if names, ok := c.files.get(key, maxFilesAge); ok {
		return names, nil
	}
	asked := time.Now()
	names := map[string]string{}
	err := c.unlessLacking(opListAttachments, func() error {
		return each(ctx, c, opListAttachments, pathIDs{"id": pageID}, url.Values{"limit": {"250"}}, func(a attachmentJSON) bool {
			names[a.FileID] = a.Title
			return len(names) < maxNamesAtAll
		})
	})
	if err == nil {
		c.files.put(key, names, asked)
	}
	return names, err
}

// filesKey names the cached file names of a page.
type filesKey struct {
	identity uint64
	page     string
}

// oneLine is a name without white space around it and control characters in it.
func oneLine(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
}
