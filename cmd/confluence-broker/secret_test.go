package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// logLines hands each record's message to the test, which waits for it instead
// of sleeping.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	var record struct{ Msg string }
	if err := json.Unmarshal(bytes.TrimSpace(p), &record); err != nil {
		return 0, err
	}
	l <- record.Msg
	return len(p), nil
}

func watched(t *testing.T, path string) (*secret, logLines) {
	t.Helper()
	s, err := openSecret(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(logLines, 100)
	if err := s.watch(t.Context(), slog.New(slog.NewJSONHandler(lines, nil))); err != nil {
		t.Fatal(err)
	}
	return s, lines
}

// await reads messages up to one with the words in it.
func await(t *testing.T, lines logLines, words string) {
	t.Helper()
	giveUp := time.After(time.Minute) // ends a test that would hang; nothing is measured by it
	for {
		select {
		case line := <-lines:
			if strings.Contains(line, words) {
				return
			}
		case <-giveUp:
			t.Fatalf("no record says %q", words)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestANewTokenInTheFileIsUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "first\n")
	s, lines := watched(t, path)
	if got := s.value(); got != "first" {
		t.Fatalf("token = %q, want the one in the file", got)
	}
	write(t, path, "second\r\n")
	await(t, lines, "was changed")
	if got := s.value(); got != "second" {
		t.Errorf("token = %q, want the new one", got)
	}
}

func TestATokenThatIsMovedIntoPlaceIsUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	write(t, path, "first")
	s, lines := watched(t, path)
	write(t, filepath.Join(dir, "new"), "second")
	if err := os.Rename(filepath.Join(dir, "new"), path); err != nil {
		t.Fatal(err)
	}
	await(t, lines, "was changed")
	if got := s.value(); got != "second" {
		t.Errorf("token = %q, want the new one", got)
	}
}

// Kubernetes mounts token -> ..data/token and ..data -> a dated folder, and
// swaps the latter.
func TestASwappedLinkOnTheWayToTheTokenIsFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, path := filepath.Join(dir, "..data"), filepath.Join(dir, "token")
	for folder, token := range map[string]string{"..2026_01": "first", "..2026_02": "second"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, folder, "token"), token)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	link("..2026_01", data)
	link(filepath.Join("..data", "token"), path)
	s, lines := watched(t, path)
	link("..2026_02", data+"_tmp")
	if err := os.Rename(data+"_tmp", data); err != nil {
		t.Fatal(err)
	}
	await(t, lines, "was changed")
	if got := s.value(); got != "second" {
		t.Errorf("token = %q, want the new one", got)
	}
}

func TestEveryLinkOnTheWayIsWatchedAlsoOneThatIsNew(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"the first link", "a link in the middle", "the last link", "a folder that is a link", "a link within a link's folder"} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			for _, folder := range []string{"a", "b", "c", "old", "new"} {
				if err := os.Mkdir(at(folder), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			swap := func(target, name string) {
				t.Helper()
				if err := errors.Join(os.Symlink(target, at(name+"_tmp")), os.Rename(at(name+"_tmp"), at(name))); err != nil {
					t.Fatal(err)
				}
			}
			write(t, at("old/token"), "first")
			write(t, at("new/token"), "second")
			// a/token ▸ b/token ▸ c/token ▸ folder/token, where folder ▸ current ▸ old
			swap("../b/token", "a/token")
			swap(at("c/token"), "b/token")
			swap("../folder/token", "c/token")
			swap("current", "folder")
			swap("old", "current")
			s, lines := watched(t, at("a/token"))
			switch change {
			case "the first link":
				swap("../new/token", "a/token")
			case "a link in the middle":
				swap("../new/token", "b/token")
			case "the last link":
				swap("../new/token", "c/token")
			case "a folder that is a link":
				swap("new", "folder")
			case "a link within a link's folder":
				swap("new", "current")
			}
			await(t, lines, "was changed")
			if got := s.value(); got != "second" {
				t.Errorf("token = %q, want the new one", got)
			}
			write(t, at("new/token"), "third") // in a folder that was not on the way at first
			await(t, lines, "was changed")
			if got := s.value(); got != "third" {
				t.Errorf("token = %q, want the newest", got)
			}
		})
	}
}

func TestAFolderThatIsMovedIntoPlaceIsWatched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.Mkdir(at("secrets"), 0o700), os.Mkdir(at("next"), 0o700)); err != nil {
		t.Fatal(err)
	}
	write(t, at("secrets/token"), "first")
	write(t, at("next/token"), "second")
	s, lines := watched(t, at("secrets/token"))
	if err := os.Rename(at("secrets"), at("past")); err != nil {
		t.Fatal(err)
	}
	await(t, lines, "stays in use")
	if err := os.Rename(at("next"), at("secrets")); err != nil {
		t.Fatal(err)
	}
	await(t, lines, "was changed")
	if got := s.value(); got != "second" {
		t.Errorf("token = %q, want the new one", got)
	}
}

func TestABusyFolderDoesNotPutTheReadingOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	write(t, path, "first")
	s, lines := watched(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() {
		for ctx.Err() == nil {
			write(t, filepath.Join(dir, "other"), "x")
		}
	})
	defer busy.Wait()
	defer stop()
	write(t, path, "second")
	await(t, lines, "was changed")
	if got := s.value(); got != "second" {
		t.Errorf("token = %q, want the new one", got)
	}
}

func TestLinksThatGoRoundInACircleAreAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := errors.Join(os.Symlink("b", filepath.Join(dir, "a")), os.Symlink("a", filepath.Join(dir, "b"))); err != nil {
		t.Fatal(err)
	}
	if steps, err := stepsTo(filepath.Join(dir, "a")); err == nil {
		t.Errorf("stepsTo = %q, want an error", steps)
	}
}

func TestABadNewTokenKeepsTheOldOneAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "blank": " \n", "two lines": "a\nb", "control characters": "a\x00b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			write(t, path, "first")
			s, lines := watched(t, path)
			write(t, path, content)
			await(t, lines, "stays in use")
			if got := s.value(); got != "first" {
				t.Errorf("token = %q, want the old one", got)
			}
			write(t, path, "second")
			await(t, lines, "was changed")
		})
	}
}

func TestARemovedTokenFileKeepsTheToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "first")
	s, lines := watched(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	await(t, lines, "stays in use")
	if got := s.value(); got != "first" {
		t.Errorf("token = %q, want the old one", got)
	}
}

func TestAFileWithoutATokenIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "\n\n", "secret and more"} {
		path := filepath.Join(t.TempDir(), "token")
		write(t, path, content)
		_, err := openSecret(path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("content %q: error = %v, want one that names the file", content, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret and") {
			t.Errorf("the error shows the content: %v", err)
		}
	}
}

func TestAFixedTokenNeedsNoWatch(t *testing.T) {
	t.Parallel()
	s := fixedSecret("t")
	if err := s.watch(context.Background(), slog.New(slog.DiscardHandler)); err != nil || s.value() != "t" {
		t.Errorf("watch = %v, token = %q", err, s.value())
	}
}
