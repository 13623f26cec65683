package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// secret is a token or client secret that may change while the program runs.
// Its methods may be called from many goroutines.
type secret struct {
	path    string
	current atomic.Pointer[content]
}

// content is what a secret was at some time.
type content struct {
	value string
	since time.Time // of the file's change, or of this program's start
}

// fixedSecret never changes.
func fixedSecret(value string) *secret {
	s := &secret{}
	s.current.Store(&content{value: value, since: time.Now()})
	return s
}

// openSecret reads the secret in a file. Call watch to keep up with it.
func openSecret(path string) (*secret, error) {
	value, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s := &secret{path: path}
	s.current.Store(&content{value: value, since: file.ModTime()})
	return s, nil
}

// value is the secret as it was last read.
func (s *secret) value() string { return s.current.Load().value }

// since is when that came to be.
func (s *secret) since() time.Time { return s.current.Load().since }

// watch takes over each new content of the file until ctx is done; whether that
// is fit for use is the client's to find out. A content that cannot be a secret is
// logged and the one before stays. A fixed
// secret has nothing to watch.
func (s *secret) watch(ctx context.Context, log *slog.Logger) error {
	if s.path == "" {
		return nil
	}
	return watchFile(ctx, s.path, log, func() { s.reload(ctx, log) })
}

func (s *secret) reload(ctx context.Context, log *slog.Logger) {
	value, err := readSecret(s.path)
	switch {
	case err != nil:
		log.ErrorContext(ctx, "the secret cannot be read anew; the one before stays in use", "file", s.path, "error", err)
	case value != s.value():
		s.current.Store(&content{value: value, since: time.Now()})
		log.InfoContext(ctx, "the secret was changed; it takes the place of the one in use as soon as Confluence has accepted it", "file", s.path)
	}
}

// readSecret returns the file's content without white space around it, which
// editors and echo leave behind. No error quotes the content.
func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	if value == "" {
		return "", fmt.Errorf("%s is empty; it must hold the token", path)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return "", fmt.Errorf("%s must hold the token alone, on one line", path)
	}
	return value, nil
}
