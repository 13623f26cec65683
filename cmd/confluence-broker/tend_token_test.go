package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func TestTheTokensEndIsWarnedOfOnceAtEachStage(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		left time.Duration // at the start
		want []string      // levels and days, in the order of the log
	}{
		"from afar":         {40 * day, []string{"WARN 30", "WARN 7", "ERROR"}},
		"within 30 days":    {20 * day, []string{"WARN 20", "WARN 7", "ERROR"}},
		"within 7 days":     {3 * day, []string{"WARN 3", "ERROR"}},
		"after the end":     {-day, []string{"ERROR"}},
		"without a setting": {0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				log := slog.New(slog.NewTextHandler(&out, nil))
				var expires time.Time
				if test.left != 0 {
					expires = time.Now().Add(test.left)
				}
				var w expiryWarnings
				for range 45 * 24 {
					w.look(t.Context(), expires, log)
					time.Sleep(time.Hour)
				}
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				if out.Len() == 0 {
					lines = nil
				}
				if len(lines) != len(test.want) {
					t.Fatalf("log:\n%s\nwant %q", &out, test.want)
				}
				for i, want := range test.want {
					level, days, _ := strings.Cut(want, " ")
					if !strings.Contains(lines[i], "level="+level) || (days != "" && !strings.Contains(lines[i], "days_left="+days)) {
						t.Errorf("line %d = %s, want %s", i, lines[i], want)
					}
				}
			})
		})
	}
}

func TestAfterAChangeTheEndIsNotKnownAnyMoreAndThatIsSaid(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var w expiryWarnings
	for _, expires := range []time.Time{time.Now().Add(time.Hour * 24 * 300), {}, {}} {
		w.look(t.Context(), expires, log)
	}
	if got := strings.Count(out.String(), "CONFLUENCE_TOKEN_EXPIRES"); got != 1 {
		t.Errorf("said %d times, want once:\n%s", got, &out)
	}
}

func TestEachFateOfATokenHasItsLevel(t *testing.T) {
	t.Parallel()
	for kind, level := range map[confluenceclient.TokenEventKind]string{
		confluenceclient.TokenReplaced: "INFO", confluenceclient.TokenRestored: "INFO", confluenceclient.TokenUntried: "WARN",
		confluenceclient.TokenRefused: "ERROR", confluenceclient.TokenRejected: "ERROR",
	} {
		var out bytes.Buffer
		tokenLog(slog.New(slog.NewTextHandler(&out, nil)))(confluenceclient.TokenEvent{Kind: kind, Message: "m"})
		if !strings.Contains(out.String(), "level="+level) {
			t.Errorf("%s: %s, want %s", kind, &out, level)
		}
	}
}
