// Package caller finds out who calls: from the certificate of a connection, and
// from the bearer token of a call. It knows nothing of what anybody may do.
//
// Three things prove who calls:
//
//   - a client certificate that one of the operator's authorities vouches for,
//   - a JWT that one of the trusted OpenID Connect issuers has signed for this
//     broker (a Kubernetes projected service account token is one), and
//   - a static key, for small set-ups; it proves something only to who knows
//     its hash.
//
// A call may bring a certificate and a bearer token, and then both must hold.
// Whatever does not hold refuses the call: nothing falls back to something
// weaker, least of all to an anonymous caller, since a caller who says who it
// is wants to be known.
//
// Errors are for the operator's log. A caller is told that it is not known and
// no more: what exactly was wrong would help those who guess. No error quotes a
// token or key.
package caller
