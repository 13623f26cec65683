package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// auditFile gets a line for each decision about who may read what, apart from
// the log, so that it can be kept longer and shown to fewer. A file that was
// renamed, as rotations do, is left, and a new one begun at its path.
//
// A line that cannot be written is counted and complained of, and the call goes
// on: a full disk is no reason to stop everybody's reading.
type auditFile struct {
	path string
	log  *slog.Logger
	lost metric.Int64Counter

	mu         sync.Mutex
	file       *os.File
	complained time.Time
}

// auditComplaints is how often lost lines are complained of.
const auditComplaints = time.Minute

// openAudit opens what --audit-log names; nil: nothing. close closes it.
func (c config) openAudit(log *slog.Logger, meters metric.MeterProvider) (audit *slog.Logger, closer io.Closer, err error) {
	switch c.auditLog {
	case "":
		return nil, io.NopCloser(nil), nil
	case "-":
		return newLogger(os.Stdout, slog.LevelInfo), io.NopCloser(nil), nil
	}
	f := &auditFile{path: c.auditLog, log: log}
	f.lost, err = meters.Meter("github.com/confluence-broker/confluence-broker/cmd/confluence-broker").Int64Counter("confluence_broker.audit.lost",
		metric.WithUnit("{line}"), metric.WithDescription("Lines of the audit log that could not be written."))
	if err != nil {
		return nil, nil, err
	}
	if err := f.open(); err != nil {
		return nil, nil, usageError(c.at("BROKER_AUDIT_LOG", err))
	}
	return newLogger(f, slog.LevelInfo), f, nil
}

func (f *auditFile) open() (err error) {
	f.file, err = os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

// Write appends one line, in one write, so that whoever reads or truncates the
// file at the same time meets whole lines.
func (f *auditFile) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.follow(); err != nil {
		return 0, f.complain(err)
	}
	n, err := f.file.Write(line)
	return n, f.complain(err)
}

// follow begins a new file where the path does not lead to this one any more.
func (f *auditFile) follow() error {
	now, err := os.Stat(f.path)
	if err == nil && f.file != nil {
		var here os.FileInfo
		if here, err = f.file.Stat(); err == nil && os.SameFile(now, here) {
			return nil
		}
	}
	_ = f.Close()
	return f.open()
}

func (f *auditFile) complain(err error) error {
	if err == nil {
		return nil
	}
	f.lost.Add(context.Background(), 1)
	if time.Since(f.complained) >= auditComplaints {
		f.complained = time.Now()
		f.log.Error("the audit log cannot be written, and lines are lost; confluence_broker_audit_lost_total counts them", "file", f.path, "error", err)
	}
	return err
}

// Close closes the file.
func (f *auditFile) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
