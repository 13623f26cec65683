// Package service is the broker: typed gRPC over confluenceclient.
//
// A call passes the layers listed in server.go and reaches one method of
// service, in the file named for it. The method checks the whole request,
// naming every fault at once; asks the client; and turns the answer into the
// API's messages (content.go). It fails with plain Go errors. errors.go holds
// the one table that gives each a code and a reason, and the status layer is
// the only place that makes a gRPC status.
//
// What a caller may read is decided by package policy, from where the content
// lies. access.go says how what is hidden is kept like what is absent; visible.go
// and search_policy.go take it out of listings and searches; audit.go notes each
// decision.
//
// Two things are made here because they guard what callers may reach: page
// tokens (pagetoken.go), which bind a place in a listing to the request it
// belongs to, and CQL (cql.go), which keeps a caller's words inside the filters
// around them.
//
// Nothing here reads flags, files or the environment, and nothing is global:
// client, logger and telemetry come in through Config.
package service
