package caller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/confluence-broker/confluence-broker/caller"
)

// The waits of the documentation: a key set is fresh for ten minutes, kept for a
// day, and asked for at most every ten seconds.
const (
	fresh = 10 * time.Minute
	kept  = 24 * time.Hour
	again = 10 * time.Second
)

func TestKeysAreFetchedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		v := verifierFor(t, f)
		if _, all := f.counts(); all != 0 {
			t.Errorf("the issuer was asked %d times before there was a token", all)
		}
		token := "Bearer " + sign(t, key, good())
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if _, err := v.Identify(t.Context(), []string{token}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if keys, _ := f.counts(); keys != 1 {
			t.Errorf("the keys were fetched %d times for 50 calls, want once", keys)
		}
	})
}

func TestNewKeyOfTheIssuerIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, before := newIssuer(t)
		v := verifierFor(t, f)
		identify(t, v, sign(t, before, good()))
		time.Sleep(again)
		after := newECKey(t, "k2")
		f.show(before, after)
		identify(t, v, sign(t, after, good()))
		identify(t, v, sign(t, before, good()))
		if keys, _ := f.counts(); keys != 2 {
			t.Errorf("the keys were fetched %d times, want 2", keys)
		}
	})
}

func TestKeyThatChangedUnderItsNameIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, before := newIssuer(t)
		v := verifierFor(t, f)
		identify(t, v, sign(t, before, good()))
		time.Sleep(again)
		after := newECKey(t, "k1")
		f.show(after)
		identify(t, v, sign(t, after, good()))
		token := sign(t, before, good())
		_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
		wantReason(t, err, caller.ReasonBadSignature, token)
	})
}

func TestTokenWithoutKeyNameIsTriedWithAllKeys(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	nameless := newECKey(t, "")
	shown := nameless
	shown.KeyID = "k2"
	f.show(key, shown)
	identify(t, verifierFor(t, f), sign(t, nameless, good()))
}

func TestWithdrawnKeyIsRefusedWhenKeysAreOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, withdrawn := newIssuer(t)
		v := verifierFor(t, f)
		token := sign(t, withdrawn, good())
		identify(t, v, token)
		f.show(newECKey(t, "k2"))
		time.Sleep(fresh)
		identify(t, v, token) // this call starts the refresh and does not wait for it
		synctest.Wait()
		time.Sleep(again)
		_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
		wantReason(t, err, caller.ReasonUnknownKey, token)
	})
}

func TestFloodOfKeyNamesIsNoFloodAtTheIssuer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		v := verifierFor(t, f)
		const minutes = 5
		begin := time.Now()
		calls := 0
		for time.Since(begin) < minutes*time.Minute {
			made := newECKey(t, fmt.Sprintf("made-up-%d", calls))
			token := sign(t, made, good())
			_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
			wantReason(t, err, caller.ReasonUnknownKey, token)
			time.Sleep(time.Second)
			calls++
		}
		if keys, _ := f.counts(); keys > minutes*6+1 || keys < 2 {
			t.Errorf("%d calls with made-up keys made %d requests, want at most one in ten seconds", calls, keys)
		}
		identify(t, v, sign(t, key, good()))
	})
}

func TestIssuerThatIsDownKeepsItsCallersOutAndNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		f.down = true
		v := verifierFor(t, f)
		token := sign(t, key, good())
		for range 20 {
			_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
			wantReason(t, err, caller.ReasonIssuerUnavailable, token)
			var refusal *caller.Error
			if !errors.As(err, &refusal) || !refusal.Temporary() {
				t.Fatalf("%v is not temporary", err)
			}
		}
		if _, all := f.counts(); all != 1 {
			t.Errorf("an issuer that is down was asked %d times at once", all)
		}
		if got, err := v.Identify(t.Context(), []string{"Bearer " + caller.NewKey()}, nil); err != nil || got.Kind() != "key" {
			t.Errorf("a static key meanwhile: %v, %v", got, err)
		}
		f.change(func() { f.down = false })
		time.Sleep(again)
		identify(t, v, token)
	})
}

func TestIssuerThatGoesDownLaterIsTrustedForADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		v := verifierFor(t, f)
		claims := with("exp", time.Now().Add(2*kept).Unix())
		token := sign(t, key, claims)
		identify(t, v, token)
		f.change(func() { f.down = true })
		for range 23 {
			time.Sleep(time.Hour)
			identify(t, v, token)
			synctest.Wait()
		}
		// A key of a new name may be good, and nobody can tell now.
		fresh := sign(t, newECKey(t, "k2"), claims)
		_, err := v.Identify(t.Context(), []string{"Bearer " + fresh}, nil)
		wantReason(t, err, caller.ReasonIssuerUnavailable, fresh)
		time.Sleep(time.Hour)
		_, err = v.Identify(t.Context(), []string{"Bearer " + token}, nil)
		wantReason(t, err, caller.ReasonIssuerUnavailable, token)
	})
}

func TestCallerWhoLeavesDoesNotEndTheFetchOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, key := newIssuer(t)
		slow := roundTripper(func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(3 * time.Second):
				return f.RoundTrip(req)
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		})
		v, err := caller.New(caller.Config{Issuers: []caller.Issuer{{URL: acme, Audiences: []string{audience}}}, Transport: func(string) http.RoundTripper { return slow }})
		if err != nil {
			t.Fatal(err)
		}
		token := "Bearer " + sign(t, key, good())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other := make(chan error)
		go func() {
			_, err := v.Identify(ctx, []string{token}, nil)
			other <- err
		}()
		synctest.Wait()
		if _, err := v.Identify(t.Context(), []string{token}, nil); err != nil {
			t.Errorf("who waited: %v", err)
		}
		if err := <-other; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who left: %v, want its own deadline", err)
		}
	})
}

func TestIssuerThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, key := newIssuer(t)
		silent := roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		v, err := caller.New(caller.Config{Issuers: []caller.Issuer{{URL: acme, Audiences: []string{audience}}}, Transport: func(string) http.RoundTripper { return silent }})
		if err != nil {
			t.Fatal(err)
		}
		token := sign(t, key, good())
		begin := time.Now()
		_, err = v.Identify(t.Context(), []string{"Bearer " + token}, nil)
		wantReason(t, err, caller.ReasonIssuerUnavailable, token)
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("it took %s, want 10s", took)
		}
	})
}

func TestAnswersOfAnIssuerThatMakeNoKeys(t *testing.T) {
	t.Parallel()
	const discovery, keys = "/.well-known/openid-configuration", "/keys"
	for _, tt := range []struct {
		name, path string
		status     int
		body       string
		want       string
	}{
		{"refused", discovery, http.StatusForbidden, "secret text", "answered 403"},
		{"another issuer", discovery, http.StatusOK, `{"issuer": "https://other.acme.example", "jwks_uri": "` + acme + `/keys"}`, "exactly like that"},
		{"keys over plain http", discovery, http.StatusOK, `{"issuer": "` + acme + `", "jwks_uri": "http://issuer.acme.example/keys"}`, "https://"},
		{"no address of keys", discovery, http.StatusOK, `{"issuer": "` + acme + `"}`, "not an address"},
		{"HTML", discovery, http.StatusOK, `<html>secret text</html>`, "not the JSON"},
		{"a redirect", discovery, http.StatusFound, "", "redirect"},
		{"keys that are HTML", keys, http.StatusOK, `<html>secret text</html>`, "not the JSON"},
		{"keys of 500", keys, http.StatusInternalServerError, "secret text", "answered 500"},
		{"no keys", keys, http.StatusOK, `{"keys": []}`, "no public key"},
		{"a shared secret", keys, http.StatusOK, `{"keys": [{"kty":"oct","kid":"k1","k":"c2VjcmV0"}]}`, "no public key"},
		{"keys of unknown kinds", keys, http.StatusOK, `{"keys": [{"kty":"XYZ","kid":"k1"}, 5, null]}`, "no public key"},
		{"endless keys", keys, http.StatusOK, `{"keys": [` + strings.Repeat(" ", 1<<20) + `]}`, "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, key := newIssuer(t)
			f.answer = func(path string) (int, string, bool) { return tt.status, tt.body, path == tt.path }
			token := sign(t, key, good())
			_, err := verifierFor(t, f).Identify(t.Context(), []string{"Bearer " + token}, nil)
			wantReason(t, err, caller.ReasonIssuerUnavailable, token)
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret text") {
				t.Errorf("error = %q, want %q in it and nothing of the answer", err, tt.want)
			}
		})
	}
}

func TestKeysOfOtherKindsDoNotHideTheGoodOne(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	encrypting := newECKey(t, "k1")
	encrypting.Use = "enc"
	f.show(encrypting, key)
	identify(t, verifierFor(t, f), sign(t, key, good()))
	token := sign(t, encrypting, good())
	_, err := verifierFor(t, f).Identify(t.Context(), []string{"Bearer " + token}, nil)
	wantReason(t, err, caller.ReasonBadSignature, token)
}

func TestIssuersChangeAndKeysStay(t *testing.T) {
	t.Parallel()
	f, key := newIssuer(t)
	v := verifierFor(t, f)
	token := sign(t, key, good())
	identify(t, v, token)
	if err := v.Trust([]caller.Issuer{{URL: acme, Audiences: []string{"other"}}}); err != nil {
		t.Fatal(err)
	}
	_, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil)
	wantReason(t, err, caller.ReasonWrongAudience, token)
	if err := v.Trust([]caller.Issuer{{URL: acme}}); err == nil {
		t.Error("an issuer without audience is trusted")
	}
	if err := v.Trust([]caller.Issuer{{URL: acme, Audiences: []string{audience}}}); err != nil {
		t.Fatal(err)
	}
	identify(t, v, token)
	if keys, _ := f.counts(); keys != 1 {
		t.Errorf("the keys were fetched %d times, want once", keys)
	}
	if err := v.Trust(nil); err != nil {
		t.Fatal(err)
	}
	_, err = v.Identify(t.Context(), []string{"Bearer " + token}, nil)
	wantReason(t, err, caller.ReasonUnknownIssuer, token)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// identify fails the test unless the token is good.
func identify(t *testing.T, v *caller.Verifier, token string) {
	t.Helper()
	if got, err := v.Identify(t.Context(), []string{"Bearer " + token}, nil); err != nil || got.JWT == nil {
		t.Fatalf("Identify = %+v, %v, want a JWT", got, err)
	}
}
