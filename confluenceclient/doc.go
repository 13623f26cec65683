// Package confluenceclient reads Confluence Cloud with one scoped token.
//
// A scoped token works only through Atlassian's gateway, at
// https://api.atlassian.com/ex/confluence/{cloudId}/wiki/…, and every endpoint
// wants a scope of its own from one of two families. This package knows both:
// catalog.go lists each endpoint with its scopes, and Client.send is the only
// place that builds a URL and sends it. Links in Confluence's answers name the
// site, another host that refuses scoped tokens, so none of them is followed;
// only cursors are taken from them.
//
// Requests pass through the layers listed in transport.go. What comes back is
// either decoded or turned into an *Error, whose Cause says what happened in
// Confluence's terms: Confluence answers 404 for a revoked token and 401 for a
// missing scope, and verdict.go finds out which it was.
//
// Locks are taken in one order, and none is held while anything is waited for:
// the company of a shared read, the companies of the reads within it, the limit,
// and then a flight, whose deadline the limit looks at. The table of flights comes
// before its flights, and a flight before that of the read around it. The rotation
// comes before a credential. A gathering holds its lock alone.
//
// A Client is safe for concurrent use. It never writes to Confluence: the
// innermost layer refuses any method but GET.
package confluenceclient
