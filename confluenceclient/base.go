package confluenceclient

import (
	"net"
	"net/http"
	"time"
)

// Limits of the wire that no operator has a reason to change.
const (
	keepAlive = 30 * time.Second // between TCP probes, against middleboxes that forget quiet connections
	idleConn  = 90 * time.Second

	// maxConns bounds connections to one host: over HTTP/1 it is how many reads
	// can be under way, over HTTP/2 a few connections carry them all.
	maxConns = 128

	// An HTTP/2 connection from which nothing comes is asked whether it lives, and
	// dropped if it does not answer: all reads share it, so a dead one would fail
	// them all until TCP gives up, which takes a quarter of an hour.
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second

	// maxHeaderBytes bounds an answer's header, and those of 1xx answers before it
	// together. Real ones have a few kilobytes.
	maxHeaderBytes = 64 << 10
)

// newBaseTransport is http.DefaultTransport with one busy host in mind: with
// the usual two idle connections a host, most calls would dial anew. Proxy
// variables are not heeded: no setting of the environment can lead the token
// another way. Each step has a time limit of its own, which holds for callers
// without a deadline too; that for bodies is Config.StallTimeout.
func newBaseTransport(cfg Config) *http.Transport {
	cfg = cfg.withDefaults()
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: cfg.ConnectTimeout, KeepAlive: keepAlive}).DialContext,
		TLSHandshakeTimeout:    cfg.TLSTimeout,
		ResponseHeaderTimeout:  cfg.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleConn,
		MaxIdleConnsPerHost:    maxConns,
		MaxConnsPerHost:        maxConns,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout, WriteByteTimeout: pingAfter},
	}
}
