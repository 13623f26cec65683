package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/confluence-broker/confluence-broker/markdown"
)

// pairs is where real bodies lie beside the repository, if they do. They are
// not ours to commit.
const pairs = "../shared/corpus/pairs/*.xml"

// words compares the conversion to Markdown with turndown and its plugin for
// Confluence, on the same bodies, in turn. turndown is the path of turndown.mjs
// with its packages installed; empty where there is no Node.
func words(ctx context.Context, turndown string, benchtime time.Duration, rounds int) error {
	files, err := filepath.Glob(pairs)
	if err != nil || len(files) == 0 {
		fmt.Printf("\nMarkdown: not measured, as %s is not there\n", pairs)
		return err
	}
	var bodies []string
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		bodies = append(bodies, string(body))
	}
	var ours, theirs []float64
	var allocs float64
	for range rounds {
		var speed float64
		speed, allocs = convertAll(bodies, benchtime)
		ours = append(ours, speed)
		if turndown == "" {
			continue
		}
		if speed, err = runTurndown(ctx, turndown, benchtime, files); err != nil {
			return err
		}
		theirs = append(theirs, speed)
	}
	fmt.Printf("\nMarkdown of %d bodies in storage format, one processor\n\n", len(files))
	fmt.Printf("package markdown  %.1f MB/s, %.0f allocations per KB\n", median(ours), allocs)
	if turndown == "" {
		fmt.Println("turndown          not measured: no Node 20 with npm on this machine")
		return nil
	}
	fmt.Printf("turndown          %.1f MB/s, so ours is %.1f × turndown\n", median(theirs), median(ours)/median(theirs))
	return nil
}

// convertAll returns megabytes a second and allocations per kilobyte of input.
func convertAll(bodies []string, benchtime time.Duration) (speed, allocsPerKB float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, bytes := time.Now(), 0
	for bytes == 0 || time.Since(begin) < benchtime {
		for _, body := range bodies {
			markdown.ParseStorage(body).Markdown(markdown.Resolver{})
			bytes += len(body)
		}
	}
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	return float64(bytes) / took.Seconds() / 1e6, float64(after.Mallocs-before.Mallocs) / (float64(bytes) / 1e3)
}

func runTurndown(ctx context.Context, script string, benchtime time.Duration, files []string) (float64, error) {
	seconds := strconv.FormatFloat(benchtime.Seconds(), 'f', -1, 64)
	var paths []string
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			return 0, err
		}
		paths = append(paths, path)
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{script, seconds}, paths...)...)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("turndown: %w", err)
	}
	var result struct{ MegabytesPerSecond float64 }
	err = json.Unmarshal(output, &result)
	return result.MegabytesPerSecond, err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
