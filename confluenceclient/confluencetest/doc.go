// Package confluencetest is Confluence Cloud for tests: a gateway that refuses
// what Atlassian's refuses, and the site behind it. It is to a client of
// Confluence what net/http/httptest is to one of any server.
package confluencetest
