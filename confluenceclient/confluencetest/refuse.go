package confluencetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

type object = map[string]any

// The shapes of refusals, as api-facts §1b and §9 list them: each layer that a
// request passes has its own.

func answer(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // bodies are mostly tags
	if err := encoder.Encode(value); err != nil {
		panic(err) // a fault of this package: all answers are maps, strings and numbers
	}
	answer(w, status, "application/json", body.Bytes())
}

// refuseGateway is the gateway's own refusal, before Confluence sees anything.
// It has no WWW-Authenticate header.
func refuseGateway(w http.ResponseWriter, category, message string) {
	w.Header().Set("X-Failure-Category", category)
	answerJSON(w, http.StatusUnauthorized, object{"code": 401, "message": message})
}

func refuseScope(w http.ResponseWriter) {
	refuseGateway(w, "FAILURE_CLIENT_SCOPE_CHECK", "Unauthorized; scope does not match")
}

func refuseMismatch(w http.ResponseWriter) {
	refuseGateway(w, "FAILURE_CLIENT_AUTH_MISMATCH", "Unauthorized")
}

// refuseRoute is the gateway's answer to a cloud ID or path that it does not know.
func refuseRoute(w http.ResponseWriter, path string) {
	answerJSON(w, http.StatusNotFound, object{
		"timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000+00:00"), "status": 404, "error": "Not Found",
		"message": "No message available", "path": path,
	})
}

// refuseV2 is Confluence's answer on v2 routes. Title "Not Found" alone is what
// a purged page gets, and a dead token just as well.
func refuseV2(w http.ResponseWriter, status int, code, title string) {
	answerJSON(w, status, object{"errors": []object{{"status": status, "code": code, "title": title, "detail": nil}}})
}

func refuseBare(w http.ResponseWriter) {
	refuseV2(w, http.StatusNotFound, "NOT_FOUND", "Not Found")
}

func refuseAbsent(w http.ResponseWriter, format, id string) {
	refuseV2(w, http.StatusNotFound, "NOT_FOUND", fmt.Sprintf(format, id))
}

func refuseParameter(w http.ResponseWriter, format string, args ...any) {
	refuseV2(w, http.StatusBadRequest, "INVALID_REQUEST_PARAMETER", fmt.Sprintf(format, args...))
}

// refuseV1 is Confluence's long form on v1 routes.
func refuseV1(w http.ResponseWriter, status int, exception, message string) {
	answerJSON(w, status, object{
		"statusCode": status,
		"data":       object{"authorized": true, "valid": true, "allowedInReadOnlyMode": true, "errors": []any{}, "successful": false},
		"message":    "com.atlassian.confluence.api.service.exceptions." + exception + ": " + message,
	})
}

// refuseAccount turns an account away that Confluence does not know or does not
// let in: by v1 in so many words, by v2 as if there were nothing.
func refuseAccount(w http.ResponseWriter, r *route) {
	switch {
	case !r.isV1():
		refuseBare(w)
	case r.path == "/wiki/rest/api/user/current":
		answerJSON(w, http.StatusForbidden, object{
			"statusCode": 403, "message": "com.atlassian.confluence.api.service.exceptions.api.PermissionException: Current user caller cannot access Confluence",
		})
	default:
		answerJSON(w, http.StatusForbidden, object{"message": "Current user not permitted to use Confluence", "statusCode": 403})
	}
}

// refuseHTML is what Tomcat says where a request does not reach Confluence.
func refuseHTML(w http.ResponseWriter, status int) {
	answer(w, status, "text/html;charset=utf-8", fmt.Appendf(nil,
		"<!doctype html><html lang=\"en\"><head><title>HTTP Status %d – %s</title></head><body><h1>HTTP Status %[1]d – %[2]s</h1></body></html>",
		status, http.StatusText(status)))
}

// jsonNumber is an id as v1 has it for spaces: a number.
func jsonNumber(id string) json.Number { return json.Number(id) }
