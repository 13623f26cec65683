package confluencetest

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"
)

// oauth is the token endpoint, for client credentials alone: POST /oauth/token,
// as a form or as JSON.
func (s *Simulator) oauth(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth/token" {
		answerJSON(w, http.StatusNotFound, object{"error": "not_found", "error_description": "Not Found"})
		return
	}
	if r.Method != http.MethodPost {
		answerJSON(w, http.StatusMethodNotAllowed, object{"error": "invalid_request", "error_description": "POST is due"})
		return
	}
	grant, id, secret := credentials(w, r)
	if grant != "client_credentials" {
		answerJSON(w, http.StatusForbidden, object{"error": "unsupported_grant_type", "error_description": "Unsupported grant type: " + grant})
		return
	}
	for _, client := range s.site.clients {
		if client.id == id && client.secret == secret && !s.hasRevoked(client.name) {
			answerJSON(w, http.StatusOK, s.grant(client))
			return
		}
	}
	answerJSON(w, http.StatusUnauthorized, object{"error": "access_denied", "error_description": "Unauthorized"})
}

func credentials(w http.ResponseWriter, r *http.Request) (grant, id, secret string) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		var body struct {
			Grant  string `json:"grant_type"`
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body) // what cannot be read is no credential
		return body.Grant, body.ID, body.Secret
	}
	_ = r.ParseForm()
	if id, secret, ok := r.BasicAuth(); ok {
		return r.PostForm.Get("grant_type"), id, secret
	}
	return r.PostForm.Get("grant_type"), r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
}

// grant makes an access token, which is a JWT as Atlassian's is: whoever reads
// its claims finds the scopes.
func (s *Simulator) grant(client *oauthClient) object {
	expires := time.Now().Add(client.lifetime)
	scope := strings.Join(client.scopes, " ")
	secret := s.sign(forAccess, object{
		"iss": "https://auth.acme.example", "sub": client.account.id, "client_id": client.id, "jti": rand.Text(),
		"scope": scope, "exp": expires.Unix(),
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.access, func(_ string, t *token) bool { return time.Now().After(t.expires) })
	s.access[secret] = &token{name: client.name, secret: secret, account: client.account, scopes: client.scopes, expires: expires}
	return object{"access_token": secret, "token_type": "Bearer", "expires_in": int(client.lifetime.Seconds()), "scope": scope}
}

// accessToken is the living access token with this secret.
func (s *Simulator) accessToken(secret string) *token {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.access[secret]
	if t == nil || time.Now().After(t.expires) || s.revoked[t.name] {
		return nil
	}
	return t
}

// ExpireAccessTokens ends all access tokens before their time, as a client finds
// it when its credential was changed.
func (s *Simulator) ExpireAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}
