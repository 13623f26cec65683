package main

import (
	"strings"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// setting is one thing that an operator can choose. The flags, the environment
// variables, the keys of the YAML file, the help texts and the table in
// README.md all come from these rows and from nowhere else.
type setting struct {
	name     string // of the flag; empty: the environment only
	env      string
	fallback string                              // the default, as a person would write it
	usage    string                              // a name in backquotes stands for the value in help texts
	set      func(c *config, value string) error // refuses values that can never work
}

// key is the setting's name in the YAML file.
func (s setting) key() string { return strings.ReplaceAll(s.name, "-", "_") }

// upstreamSettings tell where Confluence is and who the broker is to it.
func upstreamSettings() []setting {
	return []setting{
		{"site-url", "CONFLUENCE_SITE_URL", "", "`ADDRESS` of the site, such as https://acme.atlassian.net; for links and for finding the cloud ID, never asked for content", upstream(func(c *confluenceclient.Config) *string { return &c.SiteURL })},
		{"cloud-id", "CONFLUENCE_CLOUD_ID", "", "cloud `ID` of the site; looked up at the site when unset", upstream(func(c *confluenceclient.Config) *string { return &c.CloudID })},
		{"gateway-url", "CONFLUENCE_GATEWAY_URL", confluenceclient.DefaultGatewayURL, "`ADDRESS` that API requests go to", upstream(func(c *confluenceclient.Config) *string { return &c.GatewayURL })},
		{"auth", "CONFLUENCE_AUTH", "", "`SCHEME` of the token: basic (e-mail and API token), bearer (API token of a service account) or oauth (client credentials); required", setAuth},
		{"email", "CONFLUENCE_EMAIL", "", "e-mail `ADDRESS` of the token's account, for basic", upstream(func(c *confluenceclient.Config) *string { return &c.Credentials.Email })},
		{"token-file", "CONFLUENCE_TOKEN_FILE", "", "`FILE` that holds the API token; watched, so that the token can be changed while the broker runs", text(func(c *config) *string { return &c.tokenFile })},
		{"", "CONFLUENCE_TOKEN", "", "the API token itself, instead of a file; there is no flag and no key, because those can be read by others", text(func(c *config) *string { return &c.token })},
		{"token-expires", "CONFLUENCE_TOKEN_EXPIRES", "", "`DATE` on which the token or client secret ends, such as 2027-03-01 or 2027-03-01T12:00:00Z, as the page says where it was made; the log warns 30 and 7 days before", setExpires},
		{"oauth-client-id", "CONFLUENCE_OAUTH_CLIENT_ID", "", "client `ID`, for oauth", upstream(func(c *confluenceclient.Config) *string { return &c.Credentials.ClientID })},
		{"oauth-client-secret-file", "CONFLUENCE_OAUTH_CLIENT_SECRET_FILE", "", "`FILE` that holds the client secret, for oauth; watched", text(func(c *config) *string { return &c.clientSecretFile })},
		{"oauth-token-url", "CONFLUENCE_OAUTH_TOKEN_URL", confluenceclient.DefaultTokenURL, "`ADDRESS` that hands out access tokens, for oauth", upstream(func(c *confluenceclient.Config) *string { return &c.Credentials.TokenURL })},
		{"media-hosts", "CONFLUENCE_MEDIA_HOSTS", confluenceclient.DefaultMediaHost, "`HOSTS` that a download may be redirected to, separated by commas", setMediaHosts},
	}
}

// policySettings are for commands that look at the policy.
func policySettings() []setting {
	return []setting{
		{"policy-file", "BROKER_POLICY_FILE", "", "`FILE` that names the callers and says what each may read; watched; policy check explains one", text(func(c *config) *string { return &c.policyFile })},
	}
}

// brokerSettings tell how the broker itself behaves.
func brokerSettings() []setting {
	return append(policySettings(), []setting{
		{"listen", "BROKER_LISTEN", "127.0.0.1:8090", "`HOST:PORT` for gRPC", address(func(c *config) *string { return &c.listen })},
		{"admin-listen", "BROKER_ADMIN_LISTEN", "127.0.0.1:8091", "`HOST:PORT` for /metrics, /healthz, /readyz and /debug/pprof over HTTP", address(func(c *config) *string { return &c.adminListen })},
		{"allow-anonymous", "BROKER_ALLOW_ANONYMOUS", "false", "`true` serves callers that say nothing about who they are", setBool(func(c *config) *bool { return &c.allowAnonymous })},
		{"audit-log", "BROKER_AUDIT_LOG", "", "`FILE` that gets a JSON line for each decision about who may read what, appended; - is standard output", text(func(c *config) *string { return &c.auditLog })},
		{"log-level", "BROKER_LOG_LEVEL", "info", "least `LEVEL` that is logged: debug, info, warn or error", setLogLevel},
		{"shutdown-grace", "BROKER_SHUTDOWN_GRACE", "10s", "`TIME` that open calls may take to finish when the broker stops; the others are then told so, for which there are two seconds more", duration(0, func(c *config) *time.Duration { return &c.shutdownGrace })},
		{"max-age", "BROKER_MAX_AGE", "30s", "oldest `AGE` of a cached page that a caller gets who does not set max_age; 0 means that such calls always ask Confluence", duration(0, func(c *config) *time.Duration { return &c.maxAge })},
		{"max-message-bytes", "BROKER_MAX_MESSAGE_BYTES", "4MiB", "largest unary answer, in `BYTES`", size(1, func(c *config) *int64 { return &c.maxMessageBytes })},
		{"max-file-bytes", "BROKER_MAX_FILE_BYTES", "0", "largest attachment handed out, in `BYTES`; 0 means no limit", size(0, func(c *config) *int64 { return &c.upstream.MaxFileBytes })},
		{"cache-bytes", "BROKER_CACHE_BYTES", "64MiB", "memory for the cache, in `BYTES`: a quarter for Markdown and text made of pages, the rest for all that Confluence told; 0 means no cache", size(0, func(c *config) *int64 { return &c.cacheBytes })},
		{"page-token-key-file", "BROKER_PAGE_TOKEN_KEY_FILE", "", "`FILE` with 32 random bytes in base64, shared by all replicas; when unset, page tokens are good for this process only", text(func(c *config) *string { return &c.pageTokenKeyFile })},
		{"keepalive-min-time", "BROKER_KEEPALIVE_MIN_TIME", "5s", "shortest `TIME` between a client's keepalive pings; clients that ping more often are disconnected", duration(time.Millisecond, func(c *config) *time.Duration { return &c.keepaliveMinTime })},
		{"tls-cert-file", "BROKER_TLS_CERT_FILE", "", "`FILE` with the broker's certificate in PEM, the intermediate ones behind it; watched", text(func(c *config) *string { return &c.tlsCertFile })},
		{"tls-key-file", "BROKER_TLS_KEY_FILE", "", "`FILE` with the key of the certificate; watched", text(func(c *config) *string { return &c.tlsKeyFile })},
		{"tls-client-ca-file", "BROKER_TLS_CLIENT_CA_FILE", "", "`FILE` with the authorities that may vouch for callers' certificates; watched", text(func(c *config) *string { return &c.tlsClientCAFile })},
		{"allow-plaintext", "BROKER_ALLOW_PLAINTEXT", "false", "`true` serves gRPC without TLS beyond this machine, for use behind a proxy that does TLS", setBool(func(c *config) *bool { return &c.allowPlaintext })},
		{"issuer-ca-files", "BROKER_ISSUER_CA_FILES", "", "`ISSUER=FILE` pairs, separated by commas: the authorities that an issuer of JWTs is trusted by, instead of the system's", setIssuerFiles(func(c *config) *map[string]string { return &c.issuerCAFiles })},
		{"issuer-token-files", "BROKER_ISSUER_TOKEN_FILES", "", "`ISSUER=FILE` pairs, separated by commas: the token that an issuer wants to see before it shows its keys, as Kubernetes does", setIssuerFiles(func(c *config) *map[string]string { return &c.issuerTokenFiles })},
		{"reflection", "BROKER_REFLECTION", "on", "who may use gRPC reflection: on for every caller that is let in, off for nobody, or `NAMES` of callers, separated by commas", text(func(c *config) *string { return &c.reflection })},
		{"max-connections", "BROKER_MAX_CONNECTIONS", "1000", "largest `NUMBER` of connections; more are closed at once; 0 means no limit", count(0, func(c *config) *int { return &c.maxConnections })},
		{"max-connections-per-address", "BROKER_MAX_CONNECTIONS_PER_ADDRESS", "0", "largest `NUMBER` of connections from one IP address; 0 means no limit, for use behind a proxy", count(0, func(c *config) *int { return &c.maxConnectionsEach })},
		{"max-streams", "BROKER_MAX_STREAMS", "100", "largest `NUMBER` of calls at a time on one connection; more wait", count(1, func(c *config) *int { return &c.maxStreams })},
		{"stall-timeout", "BROKER_STALL_TIMEOUT", "2m", "`TIME` after which a stream ends whose caller reads nothing", duration(time.Second, func(c *config) *time.Duration { return &c.stallTimeout })},
	}...)
}

// callerSettings are for the commands that call a broker.
func callerSettings() []setting {
	return []setting{
		{"address", "BROKER_ADDRESS", "127.0.0.1:8090", "`HOST:PORT` of the broker", address(func(c *config) *string { return &c.address })},
		{"key-file", "BROKER_KEY_FILE", "", "`FILE` with the static key or JWT that tells who calls", text(func(c *config) *string { return &c.bearerFile })},
		{"tls", "BROKER_TLS", "false", "`true` connects with TLS; so does each of the three below", setBool(func(c *config) *bool { return &c.dialTLS })},
		{"ca-file", "BROKER_CA_FILE", "", "`FILE` with the authorities that the broker is trusted by; the system's when unset", text(func(c *config) *string { return &c.caFile })},
		{"client-cert-file", "BROKER_CLIENT_CERT_FILE", "", "`FILE` with the certificate that tells who calls", text(func(c *config) *string { return &c.clientCertFile })},
		{"client-key-file", "BROKER_CLIENT_KEY_FILE", "", "`FILE` with the key of that certificate", text(func(c *config) *string { return &c.clientKeyFile })},
	}
}
