package main

import (
	"log/slog"
	"os"
)

// audit is where decisions about who may read what are written, apart from the
// log, so that they can be kept longer and shown to fewer.
type audit struct {
	log  *slog.Logger // nil: nowhere
	file *os.File     // nil: none to close
}

// openAudit opens what --audit-log names. Lines are appended one write each, so
// that a file that others truncate or read on loses nothing.
func (c config) openAudit() (audit, error) {
	switch c.auditLog {
	case "":
		return audit{}, nil
	case "-":
		return audit{log: newLogger(os.Stdout, slog.LevelInfo)}, nil
	}
	file, err := os.OpenFile(c.auditLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return audit{}, c.at("BROKER_AUDIT_LOG", err)
	}
	return audit{log: newLogger(file, slog.LevelInfo), file: file}, nil
}

func (a audit) close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}
