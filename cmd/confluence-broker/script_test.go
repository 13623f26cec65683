package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// This test binary plays the program when it is started under its name.
	testscript.Main(leakChecked{m}, map[string]func(){"confluence-broker": main})
}

// leakChecked fails a run that leaves a goroutine behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println("FAIL:", err)
		return 1
	}
	return code
}

// TestScripts runs the commands as people do; each script tells one story.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Values[started{}] = map[string]*process{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"awaits":   cmdAwaits,
			"demo":     cmdDemo,
			"exits":    cmdExits,
			"get":      cmdGet,
			"serve":    cmdServe,
			"simulate": cmdSimulate,
			"stop":     cmdStop,
		},
	})
}

// cmdExits is `exits CODE PROGRAM ARGS...`: a program that is to end so.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s ended with %d, want %s", args[1], code, args[0])
	}
}

// cmdGet is `get URL`: status and body of an HTTP answer, on stdout.
func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	fmt.Fprintln(ts.Stdout(), resp.Status)
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

// cmdSimulate is `simulate ARGS...`: a simulator on a free port, with the
// variables set that it prints.
func cmdSimulate(ts *testscript.TestScript, _ bool, args []string) {
	p := start(ts, "simulate", append([]string{"simulate", "--listen", "127.0.0.1:0"}, args...)...)
	for line := range strings.Lines(p.await(ts, "CONFLUENCE_MEDIA_HOSTS=")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			ts.Setenv(name, value)
		}
	}
}

// cmdServe is `serve ARGS...`: a broker on free ports, with $BROKER_ADDRESS and
// $ADMIN set to them.
func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	setAddresses(ts, start(ts, "serve", append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, args...)...))
}

// cmdDemo is `demo`: the demo on free ports, with the same variables set.
func cmdDemo(ts *testscript.TestScript, _ bool, _ []string) {
	setAddresses(ts, start(ts, "demo", "demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"))
}

func setAddresses(ts *testscript.TestScript, p *process) {
	for line := range strings.Lines(p.await(ts, `"msg":"serving"`)) {
		var record struct {
			Msg, Address string
			Admin        string `json:"admin_address"`
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.Msg == "serving" {
			ts.Setenv("BROKER_ADDRESS", record.Address)
			ts.Setenv("ADMIN", record.Admin)
		}
	}
}

// cmdAwaits is `awaits NAME WORDS`: waits until a started program prints them.
func cmdAwaits(ts *testscript.TestScript, _ bool, args []string) {
	find(ts, args[0]).await(ts, args[1])
}

// cmdStop is `stop NAME`: a started program is told to end, has to end well,
// and what it printed is on stdout.
func cmdStop(ts *testscript.TestScript, _ bool, args []string) {
	p := find(ts, args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.ended
	_, err := io.WriteString(ts.Stdout(), p.text())
	ts.Check(err)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("%s ended with %d, want 0", args[0], code)
	}
}

// started is the key under which a script keeps the programs that it started.
type started struct{}

func find(ts *testscript.TestScript, name string) *process {
	p := ts.Value(started{}).(map[string]*process)[name]
	if p == nil {
		ts.Fatalf("%s was not started", name)
	}
	return p
}

// process is a started program and all that it printed so far, on stdout and
// stderr together.
type process struct {
	cmd     *exec.Cmd
	ended   chan struct{}
	mu      sync.Mutex
	changed *sync.Cond
	printed strings.Builder
	over    bool
}

// start runs the program until it is stopped or the script ends.
func start(ts *testscript.TestScript, name string, args ...string) *process {
	p := &process{cmd: exec.Command("confluence-broker", args...), ended: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	p.cmd.Dir, p.cmd.Env = ts.Getenv("WORK"), environ(ts)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	ts.Check(p.cmd.Start())
	ts.Value(started{}).(map[string]*process)[name] = p
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ProcessState tells
		p.mu.Lock()
		defer p.mu.Unlock()
		p.over = true
		p.changed.Broadcast()
	}()
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		ts.Logf("[%s]\n%s", name, p.text())
	})
	return p
}

// environ is the script's environment, as far as the program heeds it.
func environ(ts *testscript.TestScript) []string {
	names := []string{"HOME", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME", "OTEL_TRACES_EXPORTER"}
	for _, s := range slices.Concat(upstreamSettings(), brokerSettings(), callerSettings()) {
		names = append(names, s.env)
	}
	var env []string
	for _, name := range names {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

func (p *process) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed.Broadcast()
	return p.printed.Write(data)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.String()
}

// await returns all that was printed as soon as a whole line has the words in it.
func (p *process) await(ts *testscript.TestScript, words string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		_, behind, found := strings.Cut(p.printed.String(), words)
		if found && strings.Contains(behind, "\n") {
			return p.printed.String()
		}
		if p.over {
			ts.Fatalf("the program ended without saying %q:\n%s", words, p.printed.String())
		}
		p.changed.Wait()
	}
}
