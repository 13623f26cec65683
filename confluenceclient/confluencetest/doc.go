// Package confluencetest is Confluence Cloud for tests: a gateway that refuses
// what Atlassian's refuses, and the site behind it. It is to a client of
// Confluence what net/http/httptest is to one of any server, and it needs no
// other package of this module: test whatever client you have against it.
//
// What hurts clients of Confluence happens at the gateway: scoped tokens that
// work on one host only, two families of scopes, a dead token that looks like an
// absent page, links that lead away from the gateway, downloads from another
// host, short pages of results, rate limits. A fake that imitates the site and
// says yes shows none of that.
//
// # Use
//
// [NewServer] starts a [Server] on loopback for a test; [Simulator.Transport] is
// the same in memory, and runs inside testing/synctest; [New] is an http.Handler
// for anything else. The content is a [Site]: [SampleSite], a txtar file that
// you write ([LoadSite], [ParseSite]), a folder of page bodies, or as many
// generated pages as you want ([Generate]). Things go wrong as [Fault] says, by
// endpoint and count. The simulator remembers every [Request], and a Server
// fails its test for requests that a careful client would not send, with a
// sentence that says what was probably done wrong.
//
// # What it does, how that is known, and which test shows it
//
// The sources: "API description" is Atlassian's OpenAPI document of v1 or v2;
// "documentation" other pages of Atlassian's; "measured" what a named project
// has measured on a live site and published (mozilla/markfluence's docs/confluence
// unless another is named); "reported" an issue or forum thread. Where sources
// disagree there is a [Quirk], off by default: test with and without it.
//
//	behaviour                                       known from                               test
//	scopes of each endpoint, either family          API descriptions                         TestScopesAreThoseOfTheAPIDescriptions
//	parameters of each endpoint                     API descriptions                         TestParametersAreThoseOfTheAPIDescriptions
//	look-ups that are POST and read                 API description                          TestPostsThatRead
//	shape of each answer                            API descriptions                         TestAnswersFitTheAPIDescriptions
//	refusals of bad parameters and absent ids       API descriptions, measured               TestRefusalsFitTheAPIDescriptions
//	missing scope: 401 before anything is looked up measured                                 TestRefusalsLookAsTheyDoInProduction
//	dead token: 403 on v1, bare 404 on v2           measured                                 TestRefusalsLookAsTheyDoInProduction
//	wrong e-mail or scheme, token cut short: 401    reported                                 TestCredentialsThatDoNotFit
//	people's tokens as Bearer                       disputed: UserTokensAsBearer             TestCredentialsThatDoNotFit
//	wrong cloud ID or path: Spring's 404            reported                                 TestPathsThatTheGatewayDoesNotKnow
//	the site refuses scoped tokens, in HTML         measured                                 TestTheSiteRefusesScopedTokens
//	anonymous answer to a dead token on a site      reported (jira.js#418): AnonymousSite    TestTheSiteRefusesScopedTokens
//	removed v1 endpoints: 410                       reported (atlassian-python-api#1560)     TestRemovedEndpointsAreGone
//	the same, still answering                       disputed: OldContentRoutes               TestOldContentRoutesWhereTheyStillWork
//	client credentials, tokens of 60 minutes        documentation                            TestClientCredentials
//	access token that is over: 401                  inferred from reports on OAuth           TestClientCredentials
//	page by id: trashed and archived with 200       measured                                 TestPagesThatAreNotCurrent
//	a view restriction hides what is below too      inferred from documentation              TestPagesThatAreNotCurrent
//	absent page named, purged page not              measured                                 TestPagesThatAreNotCurrent
//	representations; storage empty in new editor    API description                          TestBodiesInEachRepresentation
//	filters of lists; archived by default           API description                          TestPagesByFilter
//	space keys in either case                       measured                                 TestSpacesByKeyAndID
//	children of five types, without addresses       API description                          TestTreeShowsEachTypeInOrder
//	descendants cut at their depth, silently        API description                          TestDescendantsEndAtTheirDepthWithoutAWord
//	short pages of results                          measured                                 TestWalksGiveEachItemOnce
//	empty page with a next link                     reported (onyx): EmptyPages              TestWalksGiveEachItemOnce
//	next: with /wiki in v2, without in v1           measured                                 TestNextLinksAreOfTwoKinds
//	base names the site                             measured; disputed: GatewayBase          TestNextLinksAreOfTwoKinds
//	Link header beside the link in the body         API description; off: NoLinkHeader       TestNextLinksAreOfTwoKinds
//	cursors are opaque, each server's its own       API description                          TestCursorsAreGoodForTheirOwnListingAlone
//	fields that clients do not know                 API description's own promise            TestNewFieldsAppearInAnswers
//	browser's download address refuses tokens       reported (CHANGE-2735)                   TestBrowsersDownloadAddressRefusesTokens
//	REST download: 302 to a signed address          API description, measured                TestDownloadsLeadToASignedAddress
//	downloadLink leads to the browser's address     disputed: ServletLinks                   TestDownloadsOfOldVersionsAndWrongPlaces
//	the signed address lives for minutes            reported                                 TestSignedAddressesExpire
//	Range at the media host                         unknown: heeded, or RangeIgnored         TestRangesAreHeededOrIgnored
//	CQL: fields, operators, functions, left to right documentation, measured                 TestCQLFinds
//	CQL: what does not parse, and how it is told    documentation, measured                  TestCQLRefuses
//	siteSearch dropped in the middle of three       measured                                 TestCQLFinds
//	dates of CQL in the account's time zone         documentation, measured                  TestCQLFinds
//	search by cursor alone; start is ignored        measured                                 TestSearchGoesOnByCursorAlone
//	fewer results when bodies are expanded          documentation                            TestSearchCapsItsPagesWithoutAWord
//	titles and excerpts marked and escaped          measured                                 TestSearchRowsAreMarkedAndEscaped
//	excerpt parameter                               API description, measured                TestSearchExcerpts
//	equal hits swap places                          measured; within a walk: UnstableSearch  TestEqualHitsSwapPlacesBetweenWalks
//	archived, trashed and hidden are not found      measured                                 TestSearchFindsOnlyWhatIsCurrentAndVisible
//	the index lags                                  measured: WithIndexLag                   TestTheIndexLagsBehind
//	burst limit by endpoint and second, headers     documentation: WithRateLimit             TestRateLimitCountsByEndpointAndSecond
//
// # Where it falls short
//
// It only reads. View and export_view are a modest rendering: storage format
// without its macros. ADF of pages that have storage format alone is one
// paragraph of plain text. The index knows no word stems, and ranks by title
// alone. Members of groups, tasks and custom content are not there.
//
// These parameters are known, so nobody complains of them, and change nothing:
//
//   - of reads by id: include-properties, include-operations, include-likes,
//     include-version, include-favorited-by-current-user-status,
//     include-webresources, include-collaborators and include-direct-children;
//     of comments all that begin with include-; of spaces every one, with
//     include-labels, include-icon and description-format; get-draft, but for
//     showing a page or blog post that is nothing but a draft;
//   - sort, but in listings of pages, blog posts and attachments;
//   - subtype of pages; status of listings of comments; favorited-by,
//     not-favorited-by, description-format and include-icon of listings of
//     spaces; label-id and prefix of all labels, prefix of a space's, and of a
//     content's all prefixes but global, which find nothing;
//   - height and width of thumbnails;
//   - of v1: cqlcontext, includeArchivedSpaces, excludeCurrentSpaces,
//     sitePermissionTypeFilter, next and prev of searches (start is ignored by
//     Confluence too); expand of users; expand, start and limit of restrictions;
//     status of downloads.
package confluencetest
