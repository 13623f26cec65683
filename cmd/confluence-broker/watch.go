package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// A writer that truncates and then writes makes two events; reading between
	// them would take half a file.
	settleTime = 100 * time.Millisecond
	// Some file systems, network ones above all, tell nobody of changes.
	rereadInterval = time.Minute
	// Linux follows no more links either.
	maxLinks = 40
)

// watchFile calls reload at once, since the file may have changed before the
// watch began, and then for each change of what path leads to, until ctx is done.
//
// The folders are watched, not the file: editors and Kubernetes replace the
// file, or a link on the way to it, and a watch on it would stay with the old one.
func watchFile(ctx context.Context, path string, log *slog.Logger, reload func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", path, err)
	}
	if _, err := watchSteps(watcher, path); err != nil {
		return errors.Join(err, watcher.Close())
	}
	go followFile(ctx, watcher, path, log, reload)
	return nil
}

func followFile(ctx context.Context, watcher *fsnotify.Watcher, path string, log *slog.Logger, reload func()) {
	defer func() { _ = watcher.Close() }()
	reread := time.NewTicker(rereadInterval)
	defer reread.Stop()
	settled := time.NewTimer(0)
	defer settled.Stop()
	var steps []string
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			// Other files of these folders are nobody's business; in a busy folder
			// they would put the reading off for ever.
			if slices.ContainsFunc(steps, func(step string) bool { return event.Name == step || event.Name == filepath.Dir(step) }) {
				settled.Reset(settleTime)
			}
			continue
		case err := <-watcher.Errors:
			log.WarnContext(ctx, "watching the folders of a file", "file", path, "error", err)
			settled.Reset(settleTime) // events may have been lost
			continue
		case <-settled.C:
		case <-reread.C:
		}
		// The way may lead elsewhere now. It is watched before the file is read, so
		// that no change falls between.
		var err error
		if steps, err = watchSteps(watcher, path); err != nil {
			log.WarnContext(ctx, "a change of a file may be seen only after a minute", "file", path, "error", err)
		}
		reload()
	}
}

// watchSteps makes watcher watch the folders of the steps to path, and no others.
func watchSteps(watcher *fsnotify.Watcher, path string) (steps []string, err error) {
	if steps, err = stepsTo(path); err != nil {
		return steps, err
	}
	var folders []string
	for _, step := range steps {
		folder := filepath.Dir(step)
		folders = append(folders, folder)
		if addErr := watcher.Add(folder); addErr != nil {
			err = errors.Join(err, fmt.Errorf("watching %s: %w", folder, addErr))
		}
	}
	for _, folder := range watcher.WatchList() {
		if !slices.Contains(folders, folder) {
			_ = watcher.Remove(folder) // it may be gone
		}
	}
	return steps, err
}

// stepsTo is every link on the way to path, as the system follows them, and
// behind them the file itself, or the first thing on the way that is missing: a
// change of any of these can change what path leads to.
func stepsTo(path string) (steps []string, err error) {
	rest, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	root := filepath.VolumeName(rest) + string(filepath.Separator)
	folder, rest := root, strings.TrimPrefix(rest, root)
	for links := 0; ; {
		name, after, _ := strings.Cut(rest, string(filepath.Separator))
		step := filepath.Join(folder, name) // ".." too: folder is no link
		_, missing := os.Lstat(step)
		target, notLink := os.Readlink(step)
		switch {
		case missing != nil, notLink != nil && after == "":
			return append(steps, step), nil
		case notLink != nil:
			folder, rest = step, after
			continue
		}
		if links++; links > maxLinks {
			return steps, fmt.Errorf("%s leads through more than %d links", path, maxLinks)
		}
		steps = append(steps, step)
		if filepath.IsAbs(target) {
			folder, target = root, strings.TrimPrefix(target, root)
		}
		rest = strings.TrimRight(target+string(filepath.Separator)+after, string(filepath.Separator))
	}
}
