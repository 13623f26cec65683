package confluenceclient

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Names stand in for ids where a body is put into words. None of these calls is
// needed for the words themselves.
const (
	maxNameAge     = 10 * time.Minute // people and files are rarely renamed
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
	var unknown []string
	for _, account := range accounts[:min(len(accounts), maxNamesAtAll)] {
		if name, ok := c.people.get(personKey{c.identity(), account}, maxNameAge); ok {
			names[account] = name
		} else {
			unknown = append(unknown, account)
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
		if _, err := c.get(ctx, opListUsers, nil, url.Values{"accountId": chunk}, &got); err != nil {
			return names, err
		}
		for _, user := range got.Results {
			name := user.DisplayName
			if name == "" {
				name = user.PublicName
			}
			if name != "" {
				names[user.AccountID] = name
				c.people.put(personKey{c.identity(), user.AccountID}, name, asked)
			}
		}
	}
	return names, nil
}

// PageTitles returns title and address by page id, in one listing for each 250.
// Pages that the account may not see, and any beyond the first thousand, are
// absent.
func (c *Client) PageTitles(ctx context.Context, ids []string) (map[string]Page, error) {
	titles := map[string]Page{}
	for chunk := range slices.Chunk(ids[:min(len(ids), maxNamesAtAll)], maxPagesAtOnce) {
		query := url.Values{"id": {strings.Join(chunk, ",")}, "status": {"current"}, "limit": {"250"}}
		err := each(ctx, c, opListPages, nil, query, func(p pageJSON) bool {
			titles[string(p.ID)] = Page{ID: string(p.ID), Title: p.Title, WebURL: c.webURL(p.Links.WebUI)}
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
	names := map[string]string{}
	err := each(ctx, c, opListAttachments, pathIDs{"id": pageID}, url.Values{"limit": {"250"}}, func(a attachmentJSON) bool {
		names[a.FileID] = a.Title
		return len(names) < maxNamesAtAll
	})
	return names, err
}
