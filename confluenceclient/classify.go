package confluenceclient

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// failure is an error that may need a second look: Confluence hides a dead
// token behind the same answers as absence and refusal.
type failure struct {
	*Error
	ambiguous bool // the control read must tell whether the token still works
}

// messageAbsent says both, because Confluence does not tell them apart.
const messageAbsent = "absent, or not visible to the broker's account"

// What a refused token can be told apart by; doctor has a remedy for each.
const (
	messageMismatch = "the gateway refuses the token: e-mail and token belong to different accounts, or the auth scheme is wrong"
	messageCutShort = "the gateway cannot read the token: it may have been cut short when pasted"
	messageFromSite = "the token is refused by a site, not by the gateway, as sites do with scoped tokens: check the gateway URL"
)

// maxErrorBody is how much of an error's body is read. Real ones are short;
// HTML pages of proxies are not.
const maxErrorBody = 64 << 10

// errorBody is the union of the shapes that errors come in (api-facts §9).
type errorBody struct {
	raw string // whatever came, in lower case, to look for known phrases

	Message string     `json:"message"` // v1, gateway
	Path    string     `json:"path"`    // gateway, routing: Spring's shape
	Error   string     `json:"error"`
	Errors  []struct { // v2
		Title  string `json:"title"`
		Detail string `json:"detail"`
	} `json:"errors"`
	Data struct { // v1
		Errors []struct {
			Message struct {
				Translation string `json:"translation"`
			} `json:"message"`
		} `json:"errors"`
	} `json:"data"`
}

// text is what the error says for people, from whichever shape it has.
func (b errorBody) text() string {
	text := b.Message
	if len(b.Errors) > 0 {
		text = cmp.Or(b.Errors[0].Title, b.Errors[0].Detail, text)
	}
	if len(b.Data.Errors) > 0 {
		text = cmp.Or(b.Data.Errors[0].Message.Translation, text)
	}
	return text
}

// classify returns nil for 200, and otherwise what the answer means. It is the
// only place that reads an error's status, header or body. Sources: api-facts
// §1b and §9.
func classify(op *Operation, resp *http.Response) *failure {
	if isAnonymousAnswer(resp.Header) {
		// Sites with anonymous access answer 200 to a dead token, with what
		// everybody may see (jira.js#418).
		return failed(op, resp, CauseTokenRejected, "Confluence did not accept the token and answered as to an anonymous visitor")
	}
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body := readErrorBody(resp)
	switch status := resp.StatusCode; {
	case isScopeRefusal(resp.Header), (status == http.StatusUnauthorized || status == http.StatusForbidden) && strings.Contains(body.raw, "scope does not match"):
		return failed(op, resp, CauseScopeMissing, lacksScope(op).Message)
	case status == http.StatusUnauthorized:
		return classifyUnauthorized(op, resp, body)
	case status == http.StatusForbidden:
		return classifyForbidden(op, resp, body)
	case status == http.StatusNotFound:
		return classifyNotFound(op, resp, body)
	case status == http.StatusGone:
		return failed(op, resp, CauseGone, "Atlassian has removed this endpoint")
	case status == http.StatusTooManyRequests:
		f := failed(op, resp, CauseRateLimited, "Confluence limits the rate of requests")
		f.RetryAfter = max(f.RetryAfter, time.Second) // without a header, a second is the least that can help
		return f
	case status == http.StatusBadRequest, status == http.StatusRequestURITooLong, status == http.StatusRequestEntityTooLarge:
		return failed(op, resp, CauseInvalid, "Confluence refuses the request"+quoted(body.text()))
	case status >= 500:
		f := failed(op, resp, CauseUnavailable, "Confluence or the gateway has a fault")
		f.RetryAfter = max(f.RetryAfter, time.Second)
		return f
	default:
		return failed(op, resp, CauseBadResponse, "Confluence answered with a status that its API does not promise")
	}
}

func lacksScope(op *Operation) *Error {
	return &Error{Op: op, Cause: CauseScopeMissing, Message: "the token lacks a scope: " + op.Endpoint() + " needs " + op.Scopes()}
}

func classifyUnauthorized(op *Operation, resp *http.Response, body errorBody) *failure {
	category := resp.Header.Get("X-Failure-Category")
	switch {
	case category == "FAILURE_CLIENT_AUTH_MISMATCH":
		return failed(op, resp, CauseTokenRejected, messageMismatch)
	case category == "FAILURE_CLIENT_AUTH":
		return failed(op, resp, CauseTokenRejected, messageCutShort)
	case isHTML(resp.Header), strings.Contains(body.raw, "client must be authenticated"), strings.Contains(body.raw, "basic authentication with passwords"):
		return failed(op, resp, CauseTokenRejected, messageFromSite)
	}
	return failed(op, resp, CauseTokenRejected, "the gateway refuses the token")
}

func classifyForbidden(op *Operation, resp *http.Response, body errorBody) *failure {
	if strings.Contains(body.raw, "connect session auth token") {
		return failed(op, resp, CauseTokenRejected, messageFromSite)
	}
	if isEdgeRefusal(resp) {
		return failed(op, resp, CauseUnavailable, "Atlassian's edge refused the request")
	}
	// Revoked tokens and accounts without Confluence get the same words.
	f := failed(op, resp, CauseForbidden, "the token's account may not use Confluence on this site")
	f.ambiguous = true
	return f
}

func classifyNotFound(op *Operation, resp *http.Response, body errorBody) *failure {
	if strings.Contains(body.Path, "/ex/confluence/") || (body.Path != "" && body.Error != "") {
		return failed(op, resp, CauseMisrouted, "the gateway does not know this cloud ID or path")
	}
	if isEdgeRefusal(resp) {
		return failed(op, resp, CauseUnavailable, "Atlassian's edge refused the request")
	}
	f := failed(op, resp, CauseNotFound, messageAbsent)
	// An answer that names what it did not find comes from Confluence itself. A
	// bare one is what a dead token gets too.
	text := body.text()
	f.ambiguous = text == "" || strings.EqualFold(text, "Not Found")
	return f
}

func failed(op *Operation, resp *http.Response, cause Cause, message string) *failure {
	wait, _ := retryAfter(resp.Header, time.Now())
	return &failure{Error: &Error{
		Op: op, Cause: cause, StatusCode: resp.StatusCode, RequestID: requestID(resp.Header), RetryAfter: wait, Message: message,
	}}
}

// classifyFailure turns an error without an answer into an *Error. The
// context's own end comes first: whatever broke then, the caller left or its
// time ran out. The error's text is not used: it may hold an address.
func classifyFailure(ctx context.Context, op *Operation, err error) *Error {
	var ours *Error
	switch {
	case errors.As(err, &ours):
		e := *ours
		if e.Op == nil {
			e.Op = op
		}
		return &e
	case errors.Is(ctx.Err(), context.DeadlineExceeded): // not err: the net package's own timeouts call themselves that too
		return &Error{Op: op, Cause: CauseDeadline, Message: "the caller's time ran out", Err: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &Error{Op: op, Cause: CauseCancelled, Message: "the caller went away", Err: context.Canceled}
	}
	return &Error{
		Op: op, Cause: CauseUnavailable, RetryAfter: time.Second,
		Message: "the upstream could not be reached or broke off", Err: err,
	}
}

func errorType(ctx context.Context, err error) string {
	return string(classifyFailure(ctx, nil, err).Cause)
}

func readErrorBody(resp *http.Response) (body errorBody) {
	// What came before an error is still worth reading, and a shape that nobody
	// has seen yet says nothing.
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	_ = json.Unmarshal(raw, &body)
	body.raw = strings.ToLower(string(raw))
	return body
}

func isHTML(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "text/html"
}

// quoted is Confluence's own sentence behind ours: without the Java class in
// front of it, on one line, and bounded. Only for 400, where it is about what
// the caller sent.
func quoted(text string) string {
	if i := strings.LastIndex(text, "Exception: "); i >= 0 {
		text = text[i+len("Exception: "):]
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return ": " + text
}

func isScopeRefusal(header http.Header) bool {
	return header.Get("X-Failure-Category") == "FAILURE_CLIENT_SCOPE_CHECK"
}

func isAnonymousAnswer(header http.Header) bool {
	reason := header.Get("X-Seraph-Loginreason")
	return strings.Contains(reason, "AUTHENTICATED_FAILED") || strings.Contains(reason, "AUTHENTICATION_DENIED")
}

// requestID is Atlassian's name for the request, to quote to its support.
func requestID(header http.Header) string {
	return cmp.Or(header.Get("Atl-Traceid"), header.Get("Atl-Request-Id"), header.Get("X-Request-Id"))
}
