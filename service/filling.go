package service

import "github.com/confluence-broker/confluence-broker/confluenceclient"

// maxFills is how many pages of results are asked for at most to make up for
// hidden items. Where thousands of them lie side by side, an answer may hold less
// than there is room for, or nothing, though a token follows.
const maxFills = 20

// filling goes on where hidden items have made a page of results short: an empty
// one with a token would tell that there are some.
type filling struct {
	size     int // items that the caller wants
	patience int // pages of results that may be empty for other reasons
	asked    int
}

// goesOn tells whether to ask for more after a page of results of which so many
// items were hidden, when there are so many to show. One without hidden items is
// as short as Confluence made it.
func (f *filling) goesOn(have, hidden int, next confluenceclient.Cursor) bool {
	f.asked++
	switch {
	case next.IsZero(), have >= f.size:
		return false
	case hidden > 0:
		return f.asked < maxFills
	}
	return have == 0 && f.asked < f.patience
}
