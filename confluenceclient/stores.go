package confluenceclient

// stores is everything that the client remembers of Confluence's answers, and the
// reads under way that will add to it.
type stores struct {
	memory   *memory
	states   *store[stateKey, *Page]       // current pages without their bodies
	bodies   *store[bodyKey, *Page]        // versions of pages with their bodies
	listings *gathering[told[*Page]]       // of states, by page id
	unlisted *store[unlistedKey, struct{}] // pages that a listing did not show
	titles   *store[titleKey, string]      // page ids
	spaces   *store[spaceKey, space]
	children *store[childrenKey, *ChildrenPage]
	searches *store[searchKey, *SearchPage]
	people   *store[personKey, string]           // display names
	names    *gathering[string]                  // of people, by account id
	files    *store[filesKey, map[string]string] // file names by file id

	attachments flights[attachmentKey, *Attachment] // read once, not remembered: what is downloaded next must be what is there
}

func newStores(m *memory) *stores {
	s := &stores{
		memory:   m,
		states:   newStore(m, "page", func(k stateKey, p *Page) int { return len(k.id) + p.size() }),
		bodies:   newStore(m, "page", func(k bodyKey, p *Page) int { return len(k.id) + p.size() }),
		listings: newGathering[told[*Page]](maxPagesAtOnce),
		unlisted: newStore(m, "page", func(k unlistedKey, _ struct{}) int { return len(k.id) }),
		titles:   newStore(m, "title", func(k titleKey, id string) int { return len(k.spaceID) + len(k.title) + len(id) }),
		spaces:   newStore(m, "space", spaceSize).believedFor(maxSpaceAge),
		children: newStore(m, "children", func(k childrenKey, p *ChildrenPage) int { return len(k.id) + len(k.cursor.Value) + p.size() }),
		searches: newStore(m, "search", func(k searchKey, p *SearchPage) int { return len(k.cql) + len(k.cursor.Value) + p.size() }),
		people:   newStore(m, "person", func(k personKey, name string) int { return len(k.account) + len(name) }),
		names:    newGathering[string](maxUsersAtOnce),
		files:    newStore(m, "file", filesSize).believedFor(maxFilesAge),
	}
	s.children.readBy = func(k childrenKey) *Operation { return k.op }
	return s
}
