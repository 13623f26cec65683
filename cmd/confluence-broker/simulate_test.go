package main

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// startSimulate runs the command in this process until the test ends, and
// returns what it printed: the lines, the variables in them, and the address for
// orders.
func startSimulate(t *testing.T, flags ...string) (lines string, variables map[string]string, control string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var stderr strings.Builder
	ended := make(chan int)
	go func() {
		args := append([]string{"simulate", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"}, flags...)
		code := run(ctx, args, environment{getenv: func(string) string { return "" }, stdout: write, stderr: &stderr})
		_ = write.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("simulate ended with %d: %s", code, stderr.String())
		}
	})
	variables = map[string]string{}
	for scan := bufio.NewScanner(read); scan.Scan(); {
		lines += scan.Text() + "\n"
		if address, found := strings.CutPrefix(scan.Text(), "# control: "); found {
			control = address
		}
		if name, value, found := strings.Cut(scan.Text(), "="); found && !strings.HasPrefix(name, "#") {
			variables[name] = value
		}
		if strings.HasPrefix(scan.Text(), "CONFLUENCE_MEDIA_HOSTS=") {
			break
		}
	}
	return lines, variables, control
}

// exchange sends a request, with the credential in the variables if there are
// any, and returns status and body.
func exchange(t *testing.T, method, url, body string, variables map[string]string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if variables != nil {
		req.SetBasicAuth(variables["CONFLUENCE_EMAIL"], variables["CONFLUENCE_TOKEN"])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func gatewayPath(variables map[string]string, path string) string {
	return variables["CONFLUENCE_GATEWAY_URL"] + "/ex/confluence/" + variables["CONFLUENCE_CLOUD_ID"] + path
}

func TestSimulateTakesOrdersWhileItRuns(t *testing.T) {
	t.Parallel()
	_, variables, control := startSimulate(t)
	page := gatewayPath(variables, "/wiki/api/v2/pages/1001")
	steps := []struct {
		method, path, body string // empty path: nothing is ordered
		ordered, page      int
	}{
		{"", "", "", 0, http.StatusOK},
		{"POST", "/faults", "route=/wiki/api/v2/pages/{id},status=503", http.StatusNoContent, http.StatusServiceUnavailable},
		{"DELETE", "/faults", "", http.StatusNoContent, http.StatusOK},
		{"POST", "/faults", "status=9000", http.StatusBadRequest, http.StatusOK},
		{"POST", "/revoke/nobody", "", http.StatusNotFound, http.StatusOK},
		{"POST", "/revoke/default", "", http.StatusNoContent, http.StatusNotFound},
	}
	for _, s := range steps {
		if s.path != "" {
			if got, text := exchange(t, s.method, control+s.path, s.body, nil); got != s.ordered {
				t.Errorf("%s %s %s = %d %s, want %d", s.method, s.path, s.body, got, text, s.ordered)
			}
		}
		if got, _ := exchange(t, http.MethodGet, page, "", variables); got != s.page {
			t.Errorf("after %s %s %s the page's status = %d, want %d", s.method, s.path, s.body, got, s.page)
		}
	}
	_, log := exchange(t, http.MethodGet, control+"/requests", "", nil)
	if got := strings.Count(log, "\n"); got != len(steps) {
		t.Errorf("the log has %d lines, want %d:\n%s", got, len(steps), log)
	}
	if strings.Contains(log, variables["CONFLUENCE_TOKEN"]) {
		t.Error("the log shows the token")
	}
}

func TestSimulateShowsItsQuirksAndLimits(t *testing.T) {
	t.Parallel()
	_, variables, _ := startSimulate(t, "--rate-limit", "1", "--quirk", "no-link-header", "--quirk", "old-content-routes", "--token", "reader")
	if got, text := exchange(t, http.MethodGet, gatewayPath(variables, "/wiki/rest/api/content/1001"), "", variables); got != http.StatusOK {
		t.Errorf("the old route's status = %d %s, want 200", got, text)
	}
	for range 1000 { // only one a second may pass
		if got, _ := exchange(t, http.MethodGet, gatewayPath(variables, "/wiki/api/v2/spaces"), "", variables); got == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("a thousand requests were answered, with a limit of one in a second")
}

func TestSimulateWaitsAsItsFlagsSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulator, err := simulateFlags{latency: time.Second, jitter: time.Second}.simulator()
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		resp, err := (&http.Client{Transport: simulator.Transport()}).Get(confluencetest.SiteURL + "/_edge/tenant_info")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := time.Since(begin); got < time.Second || got >= 2*time.Second {
			t.Errorf("the answer took %v, want a second and a part of one", got)
		}
	})
}

// quotingSite has credentials with signs in them that mean something to a shell.
const quotingSite = `-- site --
cloud-id: 11112222-3333-4444-5555-666677778888
-- account broker --
id: 712020:0b0b0b0b-0000-4000-8000-000000000001
email: o'neill@acme.example
name: Broker
-- token first --
account: broker
secret: ATSTT3xFf $HOME "; exit 1 #=D0C50001
scopes: read:page:confluence
-- client other --
account: broker
id: an id
secret: it's $secret
scopes: read:page:confluence
`

func TestSimulatePrintsLinesForAShell(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell on this machine")
	}
	quoting := filepath.Join(t.TempDir(), "quoting.txtar")
	if err := os.WriteFile(quoting, []byte(quotingSite), 0o600); err != nil {
		t.Fatal(err)
	}
	const token = "ATSTT3xFfSIMULATED-not-a-real-token-default=D0C50001"
	tests := []struct {
		name   string
		flags  []string
		want   map[string]string
		secret string // in the file that the comment makes
	}{
		{
			name: "basic by default",
			want: map[string]string{"AUTH": "basic", "EMAIL": "broker@serviceaccount.acme.example", "TOKEN": token},
		},
		{
			name: "bearer needs no e-mail address", flags: []string{"--auth", "bearer"},
			want: map[string]string{"AUTH": "bearer", "EMAIL": "", "TOKEN": token},
		},
		{
			name: "oauth has a client instead of a token", flags: []string{"--auth", "oauth"},
			want:   map[string]string{"AUTH": "oauth", "EMAIL": "", "TOKEN": "", "OAUTH_CLIENT_ID": "simulated-client-id"},
			secret: "ATOAsimulated-not-a-real-client-secret",
		},
		{
			name: "signs of the shell are taken as they are", flags: []string{"--site", quoting},
			want: map[string]string{"AUTH": "basic", "EMAIL": "o'neill@acme.example", "TOKEN": `ATSTT3xFf $HOME "; exit 1 #=D0C50001`},
		},
		{
			name: "so they are in a client of the site's own", flags: []string{"--site", quoting, "--auth", "oauth", "--token", "other"},
			want:   map[string]string{"AUTH": "oauth", "EMAIL": "", "TOKEN": "", "OAUTH_CLIENT_ID": "an id"},
			secret: "it's $secret",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lines, _, _ := startSimulate(t, tt.flags...)
			names := slices.Sorted(maps.Keys(tt.want))
			script := "CONFLUENCE_EMAIL=stale CONFLUENCE_TOKEN=stale\n" + strings.Replace(lines, "#   ", "", 1)
			want := ""
			for _, name := range names {
				script += `printf '%s\n' "$CONFLUENCE_` + name + "\"\n"
				want += tt.want[name] + "\n"
			}
			if tt.secret != "" {
				script += `cat "$CONFLUENCE_OAUTH_CLIENT_SECRET_FILE"`
			}
			cmd := exec.CommandContext(t.Context(), shell, "-euc", script)
			cmd.Dir = t.TempDir()
			got, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, got)
			}
			if diff := cmp.Diff(want+tt.secret, string(got)); diff != "" {
				t.Errorf("the shell's %v (-want +got):\n%s", names, diff)
			}
		})
	}
}
