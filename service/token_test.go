package service

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func TestEachWayToHaveABadTokenHasOneReasonInEveryRPC(t *testing.T) {
	t.Parallel()
	with := func(change func(email, token string) (string, string)) func(*setup) {
		return func(s *setup) {
			s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
				return basic(change(sim.Email, sim.Token))
			}
		}
	}
	tests := []struct {
		name, reason string
		change       func(*setup)
	}{
		{"revoked", "UPSTREAM_TOKEN_REJECTED", withToken("revoked")},
		{"expired", "UPSTREAM_TOKEN_REJECTED", withToken("expired")},
		{"of an account without Confluence", "UPSTREAM_FORBIDDEN", withToken("no-access")},
		{"cut short when pasted", "UPSTREAM_TOKEN_REJECTED", with(func(email, token string) (string, string) {
			return email, token[:strings.LastIndexByte(token, '=')]
		})},
		{"of another account", "UPSTREAM_TOKEN_REJECTED", with(func(_, token string) (string, string) { return "ada@acme.example", token })},
		{"for another cloud ID", "UPSTREAM_MISROUTED", func(s *setup) {
			s.client.CloudID = "99999999-2222-3333-4444-555555555555"
			s.simulator = append(s.simulator, confluencetest.Allow("the gateway has no such path")) // that is the point
		}},
	}
	for _, test := range tests {
		for rpc, call := range calls() {
			t.Run(test.name+" in "+rpc, func(t *testing.T) {
				t.Parallel()
				b := newBroker(t, test.change)
				info := failedAs(t, call(t.Context(), b), codes.FailedPrecondition, test.reason)
				if info.GetMetadata()["remedy"] == "" {
					t.Errorf("metadata %v has no remedy", info.GetMetadata())
				}
				if host, path := info.GetMetadata()["host"], info.GetMetadata()["path"]; test.reason == "UPSTREAM_MISROUTED" &&
					(host != "api.acme.example" || !strings.HasPrefix(path, "/ex/confluence/99999999-") || strings.Contains(path, "?")) {
					t.Errorf("host %q and path %q do not tell where the request went", host, path)
				}
			})
		}
	}
}

func TestMissingScopesAreNamedForEachRPC(t *testing.T) {
	t.Parallel()
	all := calls()
	byTitle := func(ctx context.Context, b *broker) error {
		_, err := b.GetPage(ctx, byTitle("DOC", "Run Book"))
		return err
	}
	children := func(ctx context.Context, b *broker) error {
		_, err := b.ListChildren(ctx, &brokerv1.ListChildrenRequest{ParentId: "5005", ParentType: brokerv1.ContentType_CONTENT_TYPE_FOLDER})
		return err
	}
	tests := []struct {
		token, rpc        string
		call              func(context.Context, *broker) error
		granular, classic string
	}{
		{"without-page", "GetPage", all["GetPage"], "read:page:confluence", ""},
		{"classic", "GetPage", all["GetPage"], "read:page:confluence", ""},
		{"without-space", "GetPage", byTitle, "read:space:confluence", ""},
		{"without-hierarchy", "ListChildren", children, "read:hierarchical-content:confluence", ""},
		{"classic", "ListChildren", all["ListChildren"], "read:hierarchical-content:confluence", ""},
		{"without-search", "Search", all["Search"], "read:content-details:confluence", "search:confluence"},
		{"without-attachment", "GetAttachment", all["GetAttachment"], "read:attachment:confluence", ""},
	}
	for _, test := range tests {
		t.Run(test.rpc+" "+test.token, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, withToken(test.token))
			err := test.call(t.Context(), b)
			got := failedAs(t, err, codes.FailedPrecondition, "UPSTREAM_SCOPE_MISSING").GetMetadata()
			if got["rpc"] != test.rpc || got["granular_scopes"] != test.granular || got["classic_scopes"] != test.classic ||
				!strings.HasPrefix(got["endpoint"], "GET /wiki/") || got["remedy"] == "" {
				t.Errorf("metadata = %v", got)
			}
			if text := status.Convert(err).Message(); !strings.Contains(text, test.granular) {
				t.Errorf("%q does not name the scope", text)
			}
		})
	}
}

func TestEitherFamilyOfScopesAndEachSchemeReads(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*setup){
		"mixed scopes":  withToken("mixed"),
		"a user":        withToken("user"),
		"unscoped":      withToken("unscoped"),
		"a line's end":  func(s *setup) { withSecret(s, confluenceclient.SchemeBasic, "\n") },
		"bearer":        func(s *setup) { withSecret(s, confluenceclient.SchemeBearer, "") },
		"range ignored": func(s *setup) { s.simulator = append(s.simulator, confluencetest.With(confluencetest.RangeIgnored)) },
		"client credentials": func(s *setup) {
			s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
				id, secret := sim.ClientNamed("broker")
				return confluenceclient.Credentials{
					Scheme: confluenceclient.SchemeOAuth, ClientID: id, Secret: func() string { return secret }, TokenURL: confluencetest.AuthURL,
				}
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, change)
			for rpc, call := range calls() {
				if err := call(t.Context(), b); err != nil {
					t.Errorf("%s: %v", rpc, err)
				}
			}
			_, data, _, err := b.download(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: "att77", Offset: 1, MaxBytes: 3})
			if err != nil || string(data) != "PDF" {
				t.Errorf("part of a file = %q, %v", data, err)
			}
		})
	}
}

func withSecret(s *setup, scheme confluenceclient.Scheme, tail string) {
	s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
		return confluenceclient.Credentials{Scheme: scheme, Email: sim.Email, Secret: func() string { return sim.Token + tail }}
	}
}

func TestChildrenWithoutTheirScopeArePagesWithAWarning(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withToken("without-hierarchy"))
	got, warnings := walkChildren(t.Context(), t, b, &brokerv1.ListChildrenRequest{ParentId: "1000", PageSize: 1})
	if want := "[1001 1002]"; fmt.Sprint(got) != want {
		t.Errorf("children = %v, want %s", got, want)
	}
	if len(warnings) == 0 || warnings[0].GetCode() != brokerv1.WarningCode_WARNING_CODE_LISTING_INCOMPLETE ||
		!strings.Contains(warnings[0].GetMessage(), "read:hierarchical-content:confluence") {
		t.Errorf("warnings = %v, want LISTING_INCOMPLETE that names the scope", warnings)
	}
}

func TestATokenRevokedWhileTheBrokerRunsIsNoMissingPage(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	if _, err := b.GetPage(t.Context(), byID("1001")); err != nil {
		t.Fatal(err)
	}
	b.sim.RevokeToken("default")
	_, err := b.GetPage(t.Context(), byID("1005"))
	failedAs(t, err, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED")
}

// During a rotation the broker holds two tokens. Neither may be seen, whatever
// becomes of them.
func TestNeitherTokenOfARotationIsSeen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var inFile atomic.Pointer[string]
		var told atomic.Int32
		b := newBroker(t, func(s *setup) {
			s.credentials = func(sim *confluencetest.Simulator) confluenceclient.Credentials {
				first := sim.Token
				inFile.Store(&first)
				return confluenceclient.Credentials{Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return *inFile.Load() }}
			}
			s.client.OnToken = func(event confluenceclient.TokenEvent) {
				told.Add(1)
				if strings.Contains(event.Message, "=D0C5") {
					t.Errorf("the event shows a token: %s", event.Message)
				}
			}
		})
		credentials := func(name string) confluenceclient.Credentials {
			return basic(b.sim.Email, b.sim.TokenNamed(name).Token)
		}
		for _, name := range []string{"revoked", "reader"} {
			next := b.sim.TokenNamed(name).Token
			inFile.Store(&next)
			for range 2 {
				if _, err := b.GetPage(t.Context(), byID("1001")); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			b.checkSecrets(t, credentials(name))
		}
		b.sim.RevokeToken("reader")
		time.Sleep(6 * time.Second) // the proof that it lived has aged
		dead := b.sim.TokenNamed("revoked").Token
		inFile.Store(&dead)
		_, err := b.GetPage(t.Context(), byID("404404"))
		failedAs(t, err, codes.FailedPrecondition, "UPSTREAM_TOKEN_REJECTED")
		if text := status.Convert(err).Message(); !strings.Contains(text, "neither the token in use nor the new one") {
			t.Errorf("%q does not say that both tokens are refused", text)
		}
		if told.Load() < 4 {
			t.Errorf("%d events told, want the fate of each token", told.Load())
		}
		for _, name := range []string{"default", "revoked", "reader"} {
			b.checkSecrets(t, credentials(name))
		}
	})
}
