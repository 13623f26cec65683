package confluenceclient

import "strings"

// Operation is one upstream endpoint that the client may call.
type Operation struct {
	Name       string   // operationId of Atlassian's API description
	API        string   // API generation, "v1" or "v2"
	Path       string   // path template below the gateway's /ex/confluence/{cloudId}
	Classic    []string // classic scopes, all needed; none: classic scopes never open it
	Granular   []string // granular scopes, all needed; an alternative to Classic
	Deprecated bool     // marked as deprecated by Atlassian
}

// Endpoint is the operation's method and path template: the name of its spans
// and what people read in errors.
func (o *Operation) Endpoint() string { return "GET " + o.Path }

// Scopes says in words which scopes open the operation.
func (o *Operation) Scopes() string {
	granular := strings.Join(o.Granular, " and ")
	if len(o.Classic) == 0 {
		return granular
	}
	return strings.Join(o.Classic, " and ") + " or " + granular
}

// The endpoints, as in Atlassian's API descriptions. A test holds this table
// against them.
var (
	opGetPage = &Operation{
		Name: "getPageById", API: "v2", Path: "/wiki/api/v2/pages/{id}",
		Granular: []string{"read:page:confluence"},
	}
	opListPages = &Operation{
		Name: "getPages", API: "v2", Path: "/wiki/api/v2/pages",
		Granular: []string{"read:page:confluence"},
	}
	opListSpaces = &Operation{
		Name: "getSpaces", API: "v2", Path: "/wiki/api/v2/spaces",
		Granular: []string{"read:space:confluence"},
	}
	opPageChildren = &Operation{
		Name: "getPageDirectChildren", API: "v2", Path: "/wiki/api/v2/pages/{id}/direct-children",
		Granular: []string{"read:hierarchical-content:confluence"},
	}
	opPageChildrenDeprecated = &Operation{
		Name: "getChildPages", API: "v2", Path: "/wiki/api/v2/pages/{id}/children",
		Granular: []string{"read:page:confluence"}, Deprecated: true,
	}
	opFolderChildren = &Operation{
		Name: "getFolderDirectChildren", API: "v2", Path: "/wiki/api/v2/folders/{id}/direct-children",
		Granular: []string{"read:hierarchical-content:confluence"},
	}
	opWhiteboardChildren = &Operation{
		Name: "getWhiteboardDirectChildren", API: "v2", Path: "/wiki/api/v2/whiteboards/{id}/direct-children",
		Granular: []string{"read:hierarchical-content:confluence"},
	}
	opDatabaseChildren = &Operation{
		Name: "getDatabaseDirectChildren", API: "v2", Path: "/wiki/api/v2/databases/{id}/direct-children",
		Granular: []string{"read:hierarchical-content:confluence"},
	}
	opEmbedChildren = &Operation{
		Name: "getSmartLinkDirectChildren", API: "v2", Path: "/wiki/api/v2/embeds/{id}/direct-children",
		Granular: []string{"read:hierarchical-content:confluence"},
	}
	opGetAttachment = &Operation{
		Name: "getAttachmentById", API: "v2", Path: "/wiki/api/v2/attachments/{id}",
		Granular: []string{"read:attachment:confluence"},
	}
	opDownload = &Operation{
		Name: "downloadAttatchment", API: "v1", Path: "/wiki/rest/api/content/{id}/child/attachment/{attachmentId}/download",
		Classic:  []string{"readonly:content.attachment:confluence"},
		Granular: []string{"read:attachment:confluence"},
	}
	opListAttachments = &Operation{
		Name: "getPageAttachments", API: "v2", Path: "/wiki/api/v2/pages/{id}/attachments",
		Granular: []string{"read:attachment:confluence"},
	}
	opListUsers = &Operation{
		Name: "getBulkUserLookup", API: "v1", Path: "/wiki/rest/api/user/bulk",
		Classic:  []string{"read:confluence-user"},
		Granular: []string{"read:content-details:confluence"},
	}
	opSearch = &Operation{
		Name: "searchByCQL", API: "v1", Path: "/wiki/rest/api/search",
		Classic:  []string{"search:confluence"},
		Granular: []string{"read:content-details:confluence"},
	}
	opGetBlogPost = &Operation{
		Name: "getBlogPostById", API: "v2", Path: "/wiki/api/v2/blogposts/{id}",
		Granular: []string{"read:page:confluence"},
	}
	opGetFolder = &Operation{
		Name: "getFolderById", API: "v2", Path: "/wiki/api/v2/folders/{id}",
		Granular: []string{"read:folder:confluence"},
	}
	opGetWhiteboard = &Operation{
		Name: "getWhiteboardById", API: "v2", Path: "/wiki/api/v2/whiteboards/{id}",
		Granular: []string{"read:whiteboard:confluence"},
	}
	opGetDatabase = &Operation{
		Name: "getDatabaseById", API: "v2", Path: "/wiki/api/v2/databases/{id}",
		Granular: []string{"read:database:confluence"},
	}
	opGetEmbed = &Operation{
		Name: "getSmartLinkById", API: "v2", Path: "/wiki/api/v2/embeds/{id}",
		Granular: []string{"read:embed:confluence"},
	}
	opPageAncestors = &Operation{
		Name: "getPageAncestors", API: "v2", Path: "/wiki/api/v2/pages/{id}/ancestors",
		Granular: []string{"read:content.metadata:confluence"},
	}
	opFolderAncestors = &Operation{
		Name: "getFolderAncestors", API: "v2", Path: "/wiki/api/v2/folders/{id}/ancestors",
		Granular: []string{"read:content.metadata:confluence"},
	}
	opWhiteboardAncestors = &Operation{
		Name: "getWhiteboardAncestors", API: "v2", Path: "/wiki/api/v2/whiteboards/{id}/ancestors",
		Granular: []string{"read:content.metadata:confluence"},
	}
	opDatabaseAncestors = &Operation{
		Name: "getDatabaseAncestors", API: "v2", Path: "/wiki/api/v2/databases/{id}/ancestors",
		Granular: []string{"read:content.metadata:confluence"},
	}
	opEmbedAncestors = &Operation{
		Name: "getSmartLinkAncestors", API: "v2", Path: "/wiki/api/v2/embeds/{id}/ancestors",
		Granular: []string{"read:content.metadata:confluence"},
	}
	opPageLabels = &Operation{
		Name: "getPageLabels", API: "v2", Path: "/wiki/api/v2/pages/{id}/labels",
		Granular: []string{"read:page:confluence"},
	}
	opBlogPostLabels = &Operation{
		Name: "getBlogPostLabels", API: "v2", Path: "/wiki/api/v2/blogposts/{id}/labels",
		Granular: []string{"read:page:confluence"},
	}
	opRestrictions = &Operation{
		Name: "getRestrictionsByOperation", API: "v1", Path: "/wiki/rest/api/content/{id}/restriction/byOperation",
		Classic:  []string{"read:confluence-content.all"},
		Granular: []string{"read:content-details:confluence"},
	}
	// opCurrentUser is the control read: it tells a dead token from an absent
	// page. No RPC needs its scope, since a refusal for the scope already shows
	// that the token lives.
	opCurrentUser = &Operation{
		Name: "getCurrentUser", API: "v1", Path: "/wiki/rest/api/user/current",
		Classic:  []string{"read:confluence-user"},
		Granular: []string{"read:content-details:confluence"},
	}
	// opAudit is asked in the hope of a refusal: a reader's token has no
	// business with the audit log, so "scope does not match" shows that the
	// gateway knows the token even where Confluence turns its account away.
	opAudit = &Operation{
		Name: "getAuditRecords", API: "v1", Path: "/wiki/rest/api/audit",
		Granular: []string{"read:audit-log:confluence"},
	}
)

// Need is what one RPC asks of the upstream for one purpose.
type Need struct {
	RPC     string       // name of the broker's RPC
	Purpose string       // when the endpoint is called; empty: in every call
	AnyOf   []*Operation // in order of preference; one of them suffices

	// Optional needs make answers richer: without them names are missing, and a
	// warning says so.
	Optional bool
}

// Needs lists what every RPC asks of the upstream, in the order of the API.
// The result is the caller's to change.
func Needs() []Need {
	return []Need{
		{RPC: "GetPage", AnyOf: []*Operation{opGetPage}},
		{RPC: "GetPage", Purpose: "by title", AnyOf: []*Operation{opListSpaces}},
		{RPC: "GetPage", Purpose: "by title", AnyOf: []*Operation{opListPages}},
		{RPC: "GetPage", Purpose: "with names of people", AnyOf: []*Operation{opListUsers}, Optional: true},
		{RPC: "GetPage", Purpose: "with names of files", AnyOf: []*Operation{opListAttachments}, Optional: true},
		{RPC: "ListChildren", Purpose: "of a page", AnyOf: []*Operation{opPageChildren, opPageChildrenDeprecated}},
		{RPC: "ListChildren", Purpose: "of a folder", AnyOf: []*Operation{opFolderChildren}},
		{RPC: "ListChildren", Purpose: "of a whiteboard", AnyOf: []*Operation{opWhiteboardChildren}},
		{RPC: "ListChildren", Purpose: "of a database", AnyOf: []*Operation{opDatabaseChildren}},
		{RPC: "ListChildren", Purpose: "of an embed", AnyOf: []*Operation{opEmbedChildren}},
		{RPC: "Search", AnyOf: []*Operation{opSearch}},
		{RPC: "GetAttachment", AnyOf: []*Operation{opGetAttachment}},
		{RPC: "GetAttachment", AnyOf: []*Operation{opDownload}},
	}
}

// PolicyNeeds lists what rules about reading ask of the upstream beside what the
// RPCs ask: only a broker needs it whose policy hides something, by spaces and by
// these facts. RPC is "Policy" and the kind of rule.
func PolicyNeeds(facts Facts) []Need {
	const spaces, subtrees, labels, restricted = "Policy spaces", "Policy subtrees", "Policy labels", "Policy restricted"
	needs := []Need{
		{RPC: spaces, AnyOf: []*Operation{opListSpaces}},
		{RPC: spaces, AnyOf: []*Operation{opGetPage}},
		{RPC: spaces, Purpose: "of a blog post", AnyOf: []*Operation{opGetBlogPost}},
		{RPC: spaces, Purpose: "of a folder", AnyOf: []*Operation{opGetFolder}},
		{RPC: spaces, Purpose: "of a whiteboard", AnyOf: []*Operation{opGetWhiteboard}},
		{RPC: spaces, Purpose: "of a database", AnyOf: []*Operation{opGetDatabase}},
		{RPC: spaces, Purpose: "of an embed", AnyOf: []*Operation{opGetEmbed}},
	}
	if facts.Ancestors || facts.Restricted {
		needs = append(needs,
			Need{RPC: subtrees, AnyOf: []*Operation{opPageAncestors}},
			Need{RPC: subtrees, Purpose: "of a folder", AnyOf: []*Operation{opFolderAncestors}},
			Need{RPC: subtrees, Purpose: "of a whiteboard", AnyOf: []*Operation{opWhiteboardAncestors}},
			Need{RPC: subtrees, Purpose: "of a database", AnyOf: []*Operation{opDatabaseAncestors}},
			Need{RPC: subtrees, Purpose: "of an embed", AnyOf: []*Operation{opEmbedAncestors}})
	}
	if facts.Labels {
		needs = append(needs,
			Need{RPC: labels, AnyOf: []*Operation{opPageLabels}},
			Need{RPC: labels, Purpose: "of a blog post", AnyOf: []*Operation{opBlogPostLabels}})
	}
	if facts.Restricted {
		needs = append(needs, Need{RPC: restricted, AnyOf: []*Operation{opRestrictions}})
	}
	return needs
}
