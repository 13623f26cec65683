package caller_test

import (
	"strings"
	"testing"

	"github.com/confluence-broker/confluence-broker/caller"
)

// FuzzAuthorization: whatever comes as authorization, it is refused or is
// evidence, no error quotes it, and nothing becomes a JWT that nobody signed.
func FuzzAuthorization(f *testing.F) {
	issuer, key := newIssuer(f)
	v := verifierFor(f, issuer)
	token := sign(f, key, good())
	f.Add("Bearer "+token, "")
	f.Add("Bearer "+caller.NewKey(), "Bearer "+token)
	f.Add("JUSTATOKEN", "")
	f.Add("Basic dXNlcjpwYXNz", "")
	f.Add("Bearer "+strings.Repeat("a.", 5000), "")
	f.Add("Bearer eyJhbGciOiJub25lIn0.e30.", "")
	f.Fuzz(func(t *testing.T, first, second string) {
		values := []string{first}
		if second != "" {
			values = append(values, second)
		}
		got, err := v.Identify(t.Context(), values, nil)
		switch {
		case err != nil:
			if !got.Anonymous() {
				t.Errorf("refused, with evidence %+v", got)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) || len(err.Error()) > 1500 {
				t.Errorf("error %q does not fit in a line of a log", err)
			}
		case got.Anonymous():
			t.Errorf("%q makes an anonymous caller", values)
		case got.JWT != nil && !strings.Contains(first, token):
			t.Errorf("%q is taken for a signed JWT", first)
		}
	})
}

// FuzzClaims: whatever a trusted issuer signs, the claims that make up a name
// are there, or the call is refused.
func FuzzClaims(f *testing.F) {
	issuer, key := newIssuer(f)
	v := verifierFor(f, issuer)
	f.Add(`{"iss":"`+acme+`","sub":"a","aud":"`+audience+`","exp":4102444800}`, "iat")
	f.Add(`{"iss":"`+acme+`","sub":["a"],"aud":{},"exp":1e400}`, "nbf")
	f.Fuzz(func(t *testing.T, text, name string) {
		claims := with(name, text)
		got, err := v.Identify(t.Context(), []string{"Bearer " + sign(t, key, claims)}, nil)
		if err == nil && (got.JWT == nil || got.JWT.Issuer != acme || got.JWT.Subject == "") {
			t.Errorf("claims %q: evidence %+v", claims, got.JWT)
		}
	})
}

func TestAuthorizationThatIsNotOneBearerToken(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	v := verifierFor(t, f)
	token := sign(t, key, good())
	static := caller.NewKey()
	for _, tt := range []struct {
		name   string
		values []string
		want   caller.Reason
	}{
		{"empty", []string{""}, caller.ReasonMalformed},
		{"no scheme", []string{static}, caller.ReasonMalformed},
		{"another scheme", []string{"Basic " + static}, caller.ReasonMalformed},
		{"no token", []string{"Bearer "}, caller.ReasonMalformed},
		{"no blank", []string{"Bearer" + static}, caller.ReasonMalformed},
		{"two words", []string{"Bearer " + static + " " + static}, caller.ReasonMalformed},
		{"two tokens in one value", []string{"Bearer " + static + ", Bearer " + static}, caller.ReasonMalformed},
		{"two values", []string{"Bearer " + static, "Bearer " + token}, caller.ReasonMalformed},
		{"the same twice", []string{"Bearer " + token, "Bearer " + token}, caller.ReasonMalformed},
		{"a password", []string{"Bearer hunter2"}, caller.ReasonMalformed},
		{"other characters", []string{"Bearer " + static + "\x00"}, caller.ReasonMalformed},
		{"a new line", []string{"Bearer " + token + "\n"}, caller.ReasonMalformed},
		{"an endless key", []string{"Bearer " + strings.Repeat("k", 1<<20)}, caller.ReasonOversized},
	} {
		got, err := v.Identify(t.Context(), tt.values, nil)
		t.Run(tt.name, func(t *testing.T) { wantReason(t, err, tt.want, tt.values[0]) })
		if !got.Anonymous() {
			t.Errorf("%s: evidence %+v", tt.name, got)
		}
	}
}
