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
	maxTitleAge    = time.Minute      // pages are, a little more often
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
// any beyond the first thousand, are absent. Beside an error that leaves open what
// is true now, names may be maxStale old; so it is with titles and file names.
func (c *Client) UserNames(ctx context.Context, accounts []string, maxStale time.Duration) (map[string]string, error) {
	names := map[string]string{}
	var unknown []string
	for _, account := range accounts[:min(len(accounts), maxNamesAtAll)] {
		if got, ok := c.people.young(personKey{c.identity(), account}, maxNameAge); !ok {
			unknown = append(unknown, account)
		} else if got.value != "" {
			names[account] = got.value
		}
	}
	for chunk := range slices.Chunk(unknown, maxUsersAtOnce) {
		found, err := c.names.ask(ctx, opListUsers, chunk, c.readUserNames)
		if err != nil {
			for _, account := range unknown {
				if old, ok := c.people.stale(personKey{c.identity(), account}, maxStale, err); ok && old.value != "" {
					names[account] = old.value
				}
			}
			return names, err
		}
		for _, account := range chunk {
			if name := found[account]; name != "" {
				names[account] = name
			}
		}
	}
	return names, nil
}

// readUserNames looks accounts up. The name of one that is not shown is empty.
func (c *Client) readUserNames(ctx context.Context, accounts []string) (map[string]string, error) {
	identity, names := c.identity(), map[string]string{}
	for chunk := range slices.Chunk(accounts, maxUsersAtOnce) {
		now := c.memory.now()
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
			c.people.refused(err)
			return nil, err
		}
		for _, user := range got.Results {
			names[user.AccountID] = cmp.Or(oneLine(user.DisplayName), oneLine(user.PublicName))
		}
		for _, account := range chunk {
			c.people.put(personKey{identity, account}, names[account], now)
		}
	}
	return names, nil
}

// PageTitles returns pages without their bodies by id, in one listing for each
// 250 that are not known yet. Pages that the account may not see, and any beyond
// the first thousand, are absent.
func (c *Client) PageTitles(ctx context.Context, ids []string, maxStale time.Duration) (map[string]Page, error) {
	titles := map[string]Page{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { // from page text, so anything
		_, missed := c.unlisted.young(unlistedKey{c.identity(), id}, maxTitleAge)
		return missed || !isContentID(id)
	})
	pages, err := c.Revalidate(ctx, ids[:min(len(ids), maxNamesAtAll)], maxTitleAge)
	for id, page := range pages {
		titles[id] = *page
	}
	if err != nil {
		for _, id := range ids {
			if old, ok := c.states.stale(stateKey{c.identity(), id}, maxStale, err); ok && pages[id] == nil {
				titles[id] = *old.value
			}
		}
	}
	return titles, err
}

// FileNames returns the names of a page's attachments by file id, which is how
// ADF refers to them.
func (c *Client) FileNames(ctx context.Context, pageID string, maxStale time.Duration) (map[string]string, error) {
	names, fresh, err := c.files.answer(ctx, opListAttachments, filesKey{c.identity(), pageID}, Tolerance{MaxAge: maxFilesAge, MaxStale: maxStale}, func(ctx context.Context) (map[string]string, error) {
		names := map[string]string{}
		return names, c.unlessLacking(opListAttachments, func() error {
			return each(ctx, c, opListAttachments, pathIDs{"id": pageID}, url.Values{"limit": {"250"}}, func(a attachmentJSON) bool {
				names[a.FileID] = a.Title
				return len(names) < maxNamesAtAll
			})
		})
	})
	if fresh.Source == SourceStale {
		err = fresh.Failure
	}
	return names, err
}

// filesKey names the cached file names of a page.
type filesKey struct {
	identity uint64
	page     string
}

func filesSize(k filesKey, names map[string]string) int {
	const slot = 48 // of a map, about: two strings' headers, and room to grow
	size := len(k.page)
	for id, name := range names {
		size += slot + len(id) + len(name)
	}
	return size
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
