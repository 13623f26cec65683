package confluenceclient

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What one caller is refused must not cost all others what they share, and a token
// that lost a right must not go on with what it got by it.
func TestARefusalEmptiesOnlyWhatItIsAbout(t *testing.T) {
	t.Parallel()
	search := func(text string) func(context.Context, *Client, Tolerance) error {
		return func(ctx context.Context, c *Client, want Tolerance) error {
			_, err := c.Search(ctx, SearchRequest{CQL: "text ~ " + text, Limit: 1, Tolerance: want})
			return err
		}
	}
	children := func(parent ContentType) func(context.Context, *Client, Tolerance) error {
		return func(ctx context.Context, c *Client, want Tolerance) error {
			_, err := c.Children(ctx, ChildrenRequest{ParentType: parent, ParentID: "1", Limit: 1, Tolerance: want})
			return err
		}
	}
	page := func(id string) func(context.Context, *Client, Tolerance) error {
		return func(ctx context.Context, c *Client, want Tolerance) error {
			_, err := c.Page(ctx, id, PageOptions{Format: FormatStorage, MaxAge: want.MaxAge})
			return err
		}
	}
	denied, missing := reply(403, `{"message":"Not permitted"}`), reply(401, scopeRefusal)
	living, shut := reply(200, `{"type":"known"}`), reply(403, notPermitted)
	tests := []struct {
		name            string
		refused, other  func(context.Context, *Client, Tolerance) error
		answer, control *http.Response
		kept            bool // of other
	}{
		{"one search", search("a"), search("b"), denied, living, true},
		{"one page", page("1"), page("2"), denied, living, true},
		{"one parent", children(TypePage), children(TypeFolder), denied, living, true},
		{"the scope of folders, for pages", children(TypeFolder), children(TypePage), missing, living, true},
		{"the scope of searches", search("a"), search("b"), missing, living, false},
		{"the scope of pages", page("1"), page("2"), missing, living, false},
		{"the account, for searches", search("a"), search("b"), denied, shut, false},
		{"the account, for pages", page("1"), page("2"), denied, shut, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var refusing atomic.Bool
				w := &wiki{version: map[string]int{}}
				client, u := newTestClient(t, func(req *http.Request) *http.Response {
					switch path := req.URL.Path; {
					case !refusing.Load() && strings.Contains(path, "/pages/"):
						return answerAny(w, req)
					case !refusing.Load():
						return reply(200, `{"results":[]}`)
					case strings.HasSuffix(path, "/user/current"):
						return tt.control
					case strings.HasSuffix(path, "/audit"):
						return missing
					}
					return tt.answer
				})
				cached := Tolerance{MaxAge: time.Hour}
				for _, read := range []func(context.Context, *Client, Tolerance) error{tt.refused, tt.other} {
					if err := read(t.Context(), client, cached); err != nil {
						t.Fatal(err)
					}
				}
				refusing.Store(true)
				time.Sleep(verdictAge)
				if err := tt.refused(t.Context(), client, Tolerance{}); err == nil {
					t.Error("what is refused was answered")
				}
				if err := tt.refused(t.Context(), client, cached); err == nil {
					t.Error("what was refused is still served")
				}
				before := len(u.requests)
				if err := tt.other(t.Context(), client, cached); (err == nil) != tt.kept || (len(u.requests) == before) != tt.kept {
					t.Errorf("the other: %v after %d requests, want it kept: %v", err, len(u.requests)-before, tt.kept)
				}
			})
		})
	}
}

// answerAny answers for pages, and for their children with none.
func answerAny(w *wiki, req *http.Request) *http.Response {
	if strings.HasSuffix(req.URL.Path, "children") {
		return reply(200, `{"results":[]}`)
	}
	return w.answer(req)
}
