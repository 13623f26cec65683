package confluenceclient

import (
	"cmp"
	"context"
	"unsafe"
)

// SearchRequest is a CQL query and a place in its results.
type SearchRequest struct {
	CQL       string
	Limit     int // 1 to 250; Confluence may give fewer
	Cursor    Cursor
	Tolerance Tolerance
}

// searchKey names a cached page of results.
type searchKey struct {
	identity uint64
	cql      string
	limit    int
	cursor   Cursor
}

// SearchPage is one page of results.
type SearchPage struct {
	Results        []SearchResult
	Next           Cursor // zero: no more
	EstimatedTotal int64
	Omitted        []Omitted
	Freshness      Freshness
}

func (p *SearchPage) size() int {
	if p == nil {
		return 0
	}
	size := int(unsafe.Sizeof(*p)) + len(p.Next.Value) + omittedSize(p.Omitted)
	for _, hit := range p.Results {
		size += int(unsafe.Sizeof(hit)) + len(hit.ID) + len(hit.Type) + len(hit.Title) + len(hit.SpaceKey) + len(hit.Excerpt) +
			len(hit.WebURL) + len(hit.ContainerID) + len(hit.ContainerType)
	}
	return size
}

type searchRowJSON struct {
	Content      *searchContentJSON `json:"content"`
	Space        *spaceJSON         `json:"space"`
	Title        string             `json:"title"`
	Excerpt      string             `json:"excerpt"`
	URL          string             `json:"url"`
	EntityType   string             `json:"entityType"`
	LastModified instant            `json:"lastModified"`
	Container    struct {
		DisplayURL string `json:"displayUrl"`
	} `json:"resultGlobalContainer"`
}

type searchContentJSON struct {
	ID     contentID `json:"id"`
	Type   string    `json:"type"`
	Status string    `json:"status"`
	Title  string    `json:"title"`
	Space  struct {
		Key string `json:"key"`
	} `json:"space"`
	Container struct {
		ID   contentID `json:"id"`
		Type string    `json:"type"`
	} `json:"container"`
	Version struct {
		When instant `json:"when"`
	} `json:"version"`
	Links linksJSON `json:"_links"`
}

// Search runs a CQL query. Results are by cursor only: Confluence ignores an
// offset without a word (api-facts §3), so none is ever sent.
func (c *Client) Search(ctx context.Context, req SearchRequest) (*SearchPage, error) {
	key := searchKey{c.identity(), req.CQL, req.Limit, req.Cursor}
	page, fresh, err := c.searches.answer(ctx, opSearch, key, req.Tolerance, func(ctx context.Context) (*SearchPage, error) {
		return c.readSearch(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	shown := *page
	shown.Freshness = fresh
	return &shown, nil
}

func (c *Client) readSearch(ctx context.Context, req SearchRequest) (*SearchPage, error) {
	query := req.Cursor.query(req.Limit)
	query.Set("cql", req.CQL)
	query.Set("excerpt", "highlight") // said again on every page: Confluence's own next link drops it
	query.Set("expand", "content.space,content.container,content.version")
	var got struct {
		Results   []searchRowJSON `json:"results"`
		TotalSize number          `json:"totalSize"`
		Links     *pageLinks      `json:"_links"`
	}
	header, err := c.get(ctx, opSearch, nil, query, &got)
	if err != nil {
		return nil, err
	}
	if got.Results == nil {
		return nil, noResults(opSearch)
	}
	page := &SearchPage{EstimatedTotal: got.TotalSize.value}
	var ids []string
	for _, row := range got.Results {
		result, why := c.searchResult(row)
		ids = append(ids, result.ID)
		if why != "" {
			page.Omitted = append(page.Omitted, Omitted{ID: result.ID, Why: why})
			continue
		}
		page.Results = append(page.Results, result)
	}
	value, err := nextCursor(opSearch, got.Links, header)
	if err != nil {
		return nil, err
	}
	page.Next, err = req.Cursor.next(opSearch, value, ids, reduced(query, req.Limit))
	return page, err
}

// searchResult reads a row, or says why it is none to hand out.
func (c *Client) searchResult(row searchRowJSON) (result SearchResult, why string) {
	result = SearchResult{
		Title: plainText(row.Title), Excerpt: plainText(row.Excerpt),
		WebURL: c.webURL(row.URL), ModifiedTime: row.LastModified.Time,
	}
	switch {
	case row.Content != nil && row.Content.ID != "":
		content := row.Content
		result.ID, result.Type = string(content.ID), ContentType(content.Type)
		result.Title = cmp.Or(content.Title, result.Title) // content.title is never escaped or marked
		result.SpaceKey = cmp.Or(content.Space.Key, c.spaceKeyOf(row.Container.DisplayURL), c.spaceKeyOf(row.URL), c.spaceKeyOf(content.Links.WebUI))
		result.WebURL = cmp.Or(result.WebURL, c.webURL(content.Links.WebUI))
		if result.Type == TypeAttachment || result.Type == TypeComment { // a page's container is its space
			result.ContainerID, result.ContainerType = string(content.Container.ID), ContentType(content.Container.Type)
			if at, err := c.ParseAddress(result.WebURL); result.ContainerID == "" && err == nil {
				result.ContainerID, result.ContainerType = at.ID, at.Type // the hit's address is its container's
			}
		}
		if result.ModifiedTime.IsZero() {
			result.ModifiedTime = content.Version.When.Time
		}
		if content.Status != "" && content.Status != "current" && content.Status != "archived" {
			return result, "its status is " + content.Status
		}
	case row.Space != nil && row.Space.Key != "":
		result.ID, result.Type, result.SpaceKey = string(row.Space.ID), TypeSpace, row.Space.Key
	default:
		return result, "it is neither content nor a space: " + cmp.Or(row.EntityType, "no type given")
	}
	return result, ""
}
