package service

import (
	"context"
	"strings"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/policy"
)

// findPage returns the id of the page at an address, if the caller may read it as
// far as can be told before it is read: pageAllowed has the last word.
func (s *service) findPage(ctx context.Context, address confluenceclient.Address, want confluenceclient.Tolerance) (string, error) {
	r := readerOf(ctx)
	switch {
	case r.seesAll():
		return s.pageID(ctx, address, want)
	case address.ID == "":
		return s.findByTitle(ctx, address, want)
	case r.needs() == confluenceclient.Facts{} && s.verdicts.saidYes(r.question(confluenceclient.TypePage, address.ID)):
		return address.ID, nil // the page itself tells all that there is to know
	}
	_, err := s.mayRead(ctx, confluenceclient.TypePage, address.ID, want.MaxAge)
	return address.ID, err
}

// findByTitle looks a page up by its space and title, or a space's home page.
func (s *service) findByTitle(ctx context.Context, address confluenceclient.Address, want confluenceclient.Tolerance) (string, error) {
	r := readerOf(ctx)
	// Nothing is asked of a space that the caller may not read, as of one that the
	// policy has never heard of.
	if d := r.inSpace(address.SpaceKey); !d.Allowed {
		s.audit.note(ctx, confluenceclient.TypeSpace, "", address.SpaceKey, d)
		return "", absent(confluenceclient.TypeSpace)
	}
	q := question{caller: r.rules, about: "title " + strings.ToLower(address.SpaceKey+" "+address.Title)}
	if last, ok := s.verdicts.saidNo(q, want.MaxAge); ok {
		return "", s.denied(ctx, last, confluenceclient.TypePage, "")
	}
	asked := time.Now()
	id, err := s.pageID(ctx, address, confluenceclient.Tolerance{MaxStale: want.MaxStale})
	if confluenceclient.CauseOf(err) == confluenceclient.CauseNotFound && failureOf(ctx, err).subjectName() == "page" {
		if err := s.askForNothing(ctx); err != nil {
			return "", err
		}
		s.verdicts.keep(q, policy.Decision{}, "", asked)
		return "", s.denied(ctx, verdict{}, confluenceclient.TypePage, "")
	}
	if err != nil || r.needs() == (confluenceclient.Facts{}) {
		return id, err // it lies in the space, which is allowed
	}
	_, err = s.decide(ctx, q, confluenceclient.TypePage, id, want.MaxAge)
	return id, err
}

// pageID finds the page's id where the address does not hold it.
func (s *service) pageID(ctx context.Context, address confluenceclient.Address, want confluenceclient.Tolerance) (string, error) {
	switch {
	case address.ID != "":
		return address.ID, nil
	case address.Title != "":
		return s.client.PageIDByTitle(ctx, address.SpaceKey, address.Title, want)
	}
	return s.client.HomepageID(ctx, address.SpaceKey, want)
}

// pageAllowed decides by the space of the page that has come: it may have moved
// since its place was found, or a name may stand for another space. What else rules
// go by was asked a moment before, and is not asked again.
func (s *service) pageAllowed(ctx context.Context, page *confluenceclient.Page) error {
	d := readerOf(ctx).inSpace(page.SpaceKey)
	s.audit.note(ctx, confluenceclient.TypePage, page.ID, page.SpaceKey, d)
	if !d.Allowed {
		return absent(confluenceclient.TypePage)
	}
	return nil
}

// concealParent leaves out the parent of a page where it may be hidden. A parent
// lies in the page's own space, and what hides it together with all that is below
// it hides the page too: only labels are its own.
func (s *service) concealParent(ctx context.Context, page *confluenceclient.Page, maxAge time.Duration) error {
	if page.ParentID == "" || !readerOf(ctx).needs().Labels {
		return nil
	}
	_, err := s.mayRead(ctx, page.ParentType, page.ParentID, maxAge)
	if failureOf(ctx, err).cause == confluenceclient.CauseNotFound {
		page.ParentID, page.ParentType = "", ""
		return nil
	}
	return err
}
