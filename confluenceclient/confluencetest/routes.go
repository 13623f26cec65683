package confluencetest

import "slices"

// Names of scopes that several routes need.
const (
	readPage       = "read:page:confluence"
	readSpace      = "read:space:confluence"
	readTree       = "read:hierarchical-content:confluence"
	readMetadata   = "read:content.metadata:confluence"
	readDetails    = "read:content-details:confluence"
	readAttachment = "read:attachment:confluence"
	readComment    = "read:comment:confluence"
	readSummary    = "read:confluence-content.summary"
	readAll        = "read:confluence-content.all"
	readUser       = "read:confluence-user"
)

const (
	pageParams       = "body-format get-draft status version include-labels include-properties include-operations include-likes include-versions include-version include-favorited-by-current-user-status include-webresources include-collaborators include-direct-children"
	blogPostParams   = "body-format get-draft status version include-labels include-properties include-operations include-likes include-versions include-version include-favorited-by-current-user-status include-webresources include-collaborators"
	commentParams    = "body-format version include-properties include-operations include-likes include-versions include-version"
	commentList      = "body-format status sort cursor limit"
	attachmentList   = "sort cursor status mediaType filename limit"
	attachmentParams = "version include-labels include-properties include-operations include-versions include-version include-collaborators"
	placeParams      = "include-collaborators include-direct-children include-operations include-properties"
)

// routes is every endpoint that the simulator has. The scopes are those of
// Atlassian's API descriptions, which a test holds them against: v2 is opened by
// granular scopes alone, v1 by either family.
func routes() []*route {
	v2 := func(path, scope, params string, answer func(*request)) *route {
		return &route{path: "/wiki/api/v2" + path, granular: []string{scope}, params: params, answer: answer}
	}
	v1 := func(path, classic string, granular, params string, answer func(*request)) *route {
		r := &route{path: "/wiki/rest/api" + path, granular: []string{granular}, params: params, answer: answer}
		if classic != "" {
			r.classic = []string{classic}
		}
		return r
	}
	all := []*route{
		v2("/pages", readPage, "id space-id sort status title body-format subtype cursor limit", (*request).listPages),
		v2("/pages/{id}", readPage, pageParams, (*request).getPage),
		v2("/pages/{id}/children", readPage, "cursor limit sort", (*request).listChildPages),
		v2("/pages/{id}/versions", readPage, "body-format cursor limit sort", (*request).listVersions),
		v2("/pages/{id}/labels", readPage, "prefix sort cursor limit", (*request).listLabels),
		v2("/pages/{id}/attachments", readAttachment, attachmentList, (*request).listAttachments),
		v2("/pages/{id}/footer-comments", readComment, commentList, (*request).listFooterComments),
		v2("/pages/{id}/inline-comments", readComment, commentList+" resolution-status", (*request).listInlineComments),
		v2("/blogposts", readPage, "id space-id sort status title body-format cursor limit", (*request).listBlogPosts),
		v2("/blogposts/{id}", readPage, blogPostParams, (*request).getBlogPost),
		v2("/blogposts/{id}/versions", readPage, "body-format cursor limit sort", (*request).listVersions),
		v2("/blogposts/{id}/labels", readPage, "prefix sort cursor limit", (*request).listLabels),
		v2("/blogposts/{id}/attachments", readAttachment, attachmentList, (*request).listAttachments),
		v2("/blogposts/{id}/footer-comments", readComment, commentList, (*request).listFooterComments),
		v2("/blogposts/{id}/inline-comments", readComment, commentList+" resolution-status", (*request).listInlineComments),
		v2("/spaces", readSpace, "ids keys type status labels favorited-by not-favorited-by sort description-format include-icon cursor limit", (*request).listSpaces),
		v2("/spaces/{id}", readSpace, "description-format include-icon include-operations include-properties include-permissions include-role-assignments include-labels", (*request).getSpace),
		v2("/spaces/{id}/pages", readPage, "depth sort status title body-format cursor limit", (*request).listPagesInSpace),
		v2("/spaces/{id}/blogposts", readPage, "sort status title body-format cursor limit", (*request).listBlogPostsInSpace),
		v2("/spaces/{id}/labels", readSpace, "prefix sort cursor limit", (*request).listSpaceLabels),
		v2("/attachments", readAttachment, "sort cursor status mediaType filename limit", (*request).listAllAttachments),
		v2("/attachments/{id}", readAttachment, attachmentParams, (*request).getAttachment),
		v2("/attachments/{id}/versions", readAttachment, "cursor limit sort", (*request).listVersions),
		v2("/attachments/{id}/labels", readAttachment, "prefix sort cursor limit", (*request).listLabels),
		v2("/footer-comments/{id}", readComment, commentParams, (*request).getComment),
		v2("/inline-comments/{id}", readComment, commentParams, (*request).getComment),
		v2("/footer-comments/{id}/children", readComment, "body-format sort cursor limit", (*request).listReplies),
		v2("/inline-comments/{id}/children", readComment, "body-format sort cursor limit", (*request).listReplies),
		v2("/footer-comments", readComment, "body-format sort cursor limit", (*request).listFooterComments),
		v2("/inline-comments", readComment, "body-format sort cursor limit", (*request).listInlineComments),
		v2("/footer-comments/{id}/versions", readComment, "body-format cursor limit sort", (*request).listVersions),
		v2("/inline-comments/{id}/versions", readComment, "body-format cursor limit sort", (*request).listVersions),
		v2("/pages/{id}/versions/{number}", readPage, "", (*request).getVersion),
		v2("/blogposts/{id}/versions/{number}", readPage, "", (*request).getVersion),
		v2("/attachments/{id}/versions/{number}", readAttachment, "", (*request).getVersion),
		v2("/attachments/{id}/thumbnail/download", readAttachment, "version height width", (*request).thumbnail),
		v2("/labels", "read:label:confluence", "label-id prefix cursor sort limit", (*request).listAllLabels),
		v2("/content/convert-ids-to-types", readMetadata, "", (*request).convertIDs),
		v2("/users-bulk", "read:user:confluence", "", (*request).listUsers),

		v1("/search", "search:confluence", readDetails, "cql cqlcontext cursor next prev limit start includeArchivedSpaces excludeCurrentSpaces excerpt sitePermissionTypeFilter expand", (*request).search),
		v1("/content/search", "search:confluence", readDetails, "cql cqlcontext expand cursor next prev limit", (*request).searchContent),
		v1("/user/current", readUser, readDetails, "expand", (*request).currentUser),
		v1("/user", readUser, readDetails, "accountId expand", (*request).getUser),
		v1("/user/bulk", readUser, readDetails, "accountId expand", (*request).usersBulk),
		v1("/content/{id}/restriction", readAll, readDetails, "expand start limit", (*request).restrictions),
		v1("/content/{id}/restriction/byOperation", readAll, readDetails, "expand", (*request).restrictionsByOperation),
		v1("/content/{id}/child/attachment/{attachmentId}/download", "readonly:content.attachment:confluence", readAttachment, "version status", (*request).download),
		v1("/audit", "", "read:audit-log:confluence", "startDate endDate searchString start limit", (*request).audit),
	}
	for kind, scope := range map[string]string{"pages": "", "folders": "read:folder:confluence", "whiteboards": "read:whiteboard:confluence", "databases": "read:database:confluence", "embeds": "read:embed:confluence"} {
		all = append(all,
			v2("/"+kind+"/{id}/direct-children", readTree, "cursor limit sort", (*request).listDirectChildren),
			v2("/"+kind+"/{id}/descendants", readTree, "limit depth cursor", (*request).listDescendants),
			v2("/"+kind+"/{id}/ancestors", readMetadata, "limit", (*request).listAncestors))
		if scope != "" {
			all = append(all, v2("/"+kind+"/{id}", scope, placeParams, (*request).getPlace))
		}
	}
	for _, r := range all {
		if slices.Contains([]string{"/wiki/api/v2/content/convert-ids-to-types", "/wiki/api/v2/users-bulk"}, r.path) {
			r.method = "POST"
		}
	}
	return append(all, removedRoutes()...)
}

// removedRoutes are the endpoints of v1 that Atlassian has taken out of its API
// description. They ask for their scopes still.
func removedRoutes() []*route {
	old := func(path, classic string, granular ...string) *route {
		return &route{path: "/wiki/rest/api" + path, classic: []string{classic}, granular: granular, old: true, answer: (*request).old}
	}
	const readSpaceSummary = "read:confluence-space.summary"
	return []*route{
		old("/content", readSummary, readDetails),
		old("/content/{id}", readSummary, readDetails),
		old("/content/{id}/child", readSummary, readDetails),
		old("/content/{id}/child/attachment", readSummary, readDetails),
		old("/content/{id}/child/comment", readSummary, readDetails),
		old("/content/{id}/child/{type}", readSummary, readDetails),
		old("/content/{id}/version", readSummary, readDetails),
		old("/content/{id}/property", "read:confluence-props", readDetails),
		old("/content/{id}/label", readSummary, "read:label:confluence"),
		old("/content/{id}/history", readSummary, readMetadata, "read:user:confluence"),
		old("/space", readSpaceSummary, readDetails),
		old("/space/{spaceKey}", readSpaceSummary, readDetails),
		old("/space/{spaceKey}/content", readSummary, readDetails),
		old("/space/{spaceKey}/content/{type}", readSummary, readDetails),
	}
}
