package confluencetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mediaLifetime is how long a download address is good. Atlassian's has been
// seen with ten minutes and more (api-facts §6).
const mediaLifetime = 10 * time.Minute

// mediaClaims are what a download address is signed for.
type mediaClaims struct {
	Issuer    string              `json:"iss"`
	Access    map[string][]string `json:"access"`
	NotBefore int64               `json:"nbf"`
	Expires   int64               `json:"exp"`
	Content   string              `json:"sub"` // id of the attachment
	Version   int                 `json:"ver"`
}

// mediaURL is the signed address of a version's bytes.
func (r *request) mediaURL(c *content, v *version) string {
	now := time.Now()
	jwt := r.sign(forMedia, mediaClaims{
		Issuer: "simulator", Access: map[string][]string{"urn:filestore:file:" + c.fileID: {"read"}},
		NotBefore: now.Add(-time.Minute).Unix(), Expires: now.Add(mediaLifetime).Unix(), Content: c.id, Version: v.number,
	})
	query := url.Values{"token": {jwt}, "client": {"simulator"}, "name": {c.title}}
	return r.media + "/file/" + url.PathEscape(c.fileID) + "/binary?" + query.Encode()
}

// serveMedia hands out bytes to whoever has a signed address, and to nobody who
// shows other credentials.
func (s *Simulator) serveMedia(w http.ResponseWriter, r *http.Request) {
	if s.isOther(r) && (r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "") {
		answerJSON(w, http.StatusBadRequest, object{"error": object{"code": "BadRequest", "title": "Only one auth mechanism is allowed"}})
		return
	}
	var claims mediaClaims
	jwt := r.URL.Query().Get("token")
	now := time.Now().Unix()
	if !s.verify(forMedia, jwt, &claims) || now < claims.NotBefore || now >= claims.Expires {
		answerJSON(w, http.StatusForbidden, object{"error": object{"code": "Forbidden", "title": "JWT is not valid, or has expired"}})
		return
	}
	c := s.site.contents[claims.Content]
	if c == nil || r.URL.Path != "/file/"+c.fileID+"/binary" {
		answerJSON(w, http.StatusForbidden, object{"error": object{"code": "Forbidden", "title": "The JWT is for another file"}})
		return
	}
	f := c.versionNumbered(claims.Version).file
	h := w.Header()
	h.Set("Content-Type", c.mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": c.title}))
	if s.quirk(RangeIgnored) {
		r.Header.Del("Range")
		h.Set("Content-Length", strconv.FormatInt(f.length(), 10))
	}
	http.ServeContent(w, r, "", time.Time{}, f.open())
}

// isOther tells whether the media face is another host than the gateway's, as it
// is but for a single listener. On one and the same host, good clients keep the
// headers that they had.
func (s *Simulator) isOther(r *http.Request) bool {
	return strings.EqualFold(hostOf(s.hosts.media), r.Host)
}

// use is what a JWT is good for. One key signs all, so each names its use in its
// header, as RFC 8725 §3.11 advises, and is good for nothing else.
type use string

const (
	forMedia  use = "media+jwt"
	forCursor use = "cursor+jwt"
	forAccess use = "JWT" // as the header of Atlassian's access tokens has it
)

func (u use) header() string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"` + u + `"}`))
}

// sign makes a JWT (RFC 7519, HS256) with the simulator's own key.
func (s *Simulator) sign(u use, claims any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a fault of this package
	}
	signed := u.header() + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.mac(signed))
}

func (s *Simulator) verify(u use, jwt string, claims any) bool {
	i := strings.LastIndexByte(jwt, '.')
	if i < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(jwt[i+1:])
	if err != nil || !hmac.Equal(signature, s.mac(jwt[:i])) {
		return false
	}
	payload, fits := strings.CutPrefix(jwt[:i], u.header()+".")
	if !fits {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	return err == nil && json.Unmarshal(raw, claims) == nil
}

func (s *Simulator) mac(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil)
}
