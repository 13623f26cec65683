package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/fsnotify/fsnotify"
)

// secret is a token or client secret that may change while the program runs.
// Its methods may be called from many goroutines.
type secret struct {
	path    string
	current atomic.Pointer[string]
}

// Two waits of a watched secret.
const (
	// A writer that truncates and then writes makes two events; reading between
	// them would take half a token.
	settleTime = 100 * time.Millisecond
	// Some file systems, network ones above all, tell nobody of changes.
	rereadInterval = time.Minute
)

// fixedSecret never changes.
func fixedSecret(value string) *secret {
	s := &secret{}
	s.current.Store(&value)
	return s
}

// openSecret reads the secret in a file. Call watch to keep up with it.
func openSecret(path string) (*secret, error) {
	value, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	s := fixedSecret(value)
	s.path = path
	return s, nil
}

// value is the secret as it was last read.
func (s *secret) value() string { return *s.current.Load() }

// watch takes over each new content of the file until ctx is done. A content
// that cannot be a secret is logged and the one before stays in use. A fixed
// secret has nothing to watch.
//
// The folders are watched, not the file: editors and Kubernetes replace the
// file, or a link on the way to it, and a watch on it would stay with the old one.
func (s *secret) watch(ctx context.Context, log *slog.Logger) error {
	if s.path == "" {
		return nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", s.path, err)
	}
	folders := map[string]bool{filepath.Dir(s.path): true}
	if target, err := filepath.EvalSymlinks(s.path); err == nil {
		folders[filepath.Dir(target)] = true
	}
	for folder := range folders {
		if err := watcher.Add(folder); err != nil {
			return errors.Join(fmt.Errorf("watching %s: %w", folder, err), watcher.Close())
		}
	}
	go s.follow(ctx, watcher, log)
	return nil
}

func (s *secret) follow(ctx context.Context, watcher *fsnotify.Watcher, log *slog.Logger) {
	defer func() { _ = watcher.Close() }()
	reread := time.NewTicker(rereadInterval)
	defer reread.Stop()
	settled := time.NewTimer(0) // at once: the file may have changed before the watch began
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.Events:
			settled.Reset(settleTime)
		case err := <-watcher.Errors:
			log.WarnContext(ctx, "watching the secret's folder", "file", s.path, "error", err)
		case <-settled.C:
			s.reload(ctx, log)
		case <-reread.C:
			s.reload(ctx, log)
		}
	}
}

func (s *secret) reload(ctx context.Context, log *slog.Logger) {
	value, err := readSecret(s.path)
	switch {
	case err != nil:
		log.ErrorContext(ctx, "the secret cannot be read anew; the one before stays in use", "file", s.path, "error", err)
	case value != s.value():
		s.current.Store(&value)
		log.InfoContext(ctx, "the secret was changed and is in use", "file", s.path)
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
