package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/confluence-broker/confluence-broker/policy"
)

// policyFile is a policy that may change while the program runs. value may be
// called from many goroutines; a call should ask once, and keep what it got.
type policyFile struct {
	path      string
	current   atomic.Pointer[policy.Policy]
	loaded    atomic.Int64 // when current was read, in Unix seconds
	complaint atomic.Value // string: what is wrong with the file as it is now; empty: nothing
	text      string       // what current was read from; reload's own
}

// openPolicy reads the policy that is set, or without one is policy.Open. Call
// watch to keep up with the file.
func (c config) openPolicy() (*policyFile, error) {
	f := &policyFile{path: c.policyFile}
	f.complaint.Store("")
	if f.path == "" {
		f.current.Store(policy.Open())
		return f, nil
	}
	p, text, err := readPolicy(f.path)
	if err != nil {
		return nil, c.at("BROKER_POLICY_FILE", err)
	}
	f.use(p, text)
	return f, nil
}

// value is the last policy that was good.
func (f *policyFile) value() *policy.Policy { return f.current.Load() }

func (f *policyFile) use(p *policy.Policy, text string) {
	f.text = text
	f.current.Store(p)
	f.loaded.Store(time.Now().Unix())
	f.complaint.Store("")
}

// watch takes over each new policy until ctx is done, once adopt has agreed,
// which puts up what has to be there before the policy holds. One with faults is
// logged, and the one before stays in use. Without a file there is nothing to
// watch.
func (f *policyFile) watch(ctx context.Context, log *slog.Logger, adopt func(*policy.Policy) error) error {
	if f.path == "" {
		return nil
	}
	return watchFile(ctx, f.path, log, func() { f.reload(ctx, log, adopt) })
}

func (f *policyFile) reload(ctx context.Context, log *slog.Logger, adopt func(*policy.Policy) error) {
	p, text, err := readPolicy(f.path)
	if err == nil && text == f.text {
		f.loaded.Store(time.Now().Unix())
		f.complaint.Store("")
		return
	}
	if err == nil {
		err = adopt(p)
	}
	if err != nil {
		// The file is looked at each minute, and the same faults are said once.
		if f.complaint.Swap(err.Error()) != err.Error() {
			log.ErrorContext(ctx, "the policy file has faults; the policy before stays in use", "file", f.path,
				"faults", strings.Split(err.Error(), "\n"))
		}
		return
	}
	f.use(p, text)
	log.InfoContext(ctx, "the policy was changed and is in use", "file", f.path, "callers", len(p.Callers()))
}

// measure shows how old the policy is, and whether it is the one in the file.
func (f *policyFile) measure(meters metric.MeterProvider) error {
	if f.path == "" {
		return nil
	}
	meter := meters.Meter("github.com/confluence-broker/confluence-broker/cmd/confluence-broker")
	loaded, loadedErr := meter.Int64ObservableGauge("confluence_broker.policy.loaded", metric.WithUnit("s"),
		metric.WithDescription("When the policy file was last read and found good, in Unix time."))
	refused, refusedErr := meter.Int64ObservableGauge("confluence_broker.policy.refused",
		metric.WithDescription("1 while the policy file has faults and the policy before is in use, else 0."))
	if err := errors.Join(loadedErr, refusedErr); err != nil {
		return err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(loaded, f.loaded.Load())
		o.ObserveInt64(refused, map[bool]int64{true: 1}[f.complaint.Load() != ""])
		return nil
	}, loaded, refused)
	return err
}
