// Command bench tells what the broker costs, as ratios.
//
// One process holds everything: the simulator in Confluence's place, the broker
// with its real client, and what it is measured against: bare gRPC sending the
// same bytes, a direct HTTP call, and a reverse proxy that does nothing but add
// the credentials. All talk over loopback sockets and share the machine, so
// only ratios mean anything, and only those within one run. Rounds are
// interleaved, so that a slow moment hits all; the table shows medians.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

func main() {
	testing.Init()
	benchtime := flag.Duration("benchtime", time.Second, "how long each measurement runs")
	rounds := flag.Int("rounds", 5, "how many times each is measured")
	turndown := flag.String("turndown", "", "`PATH` of turndown.mjs with its packages installed; empty leaves it out")
	flag.Parse()
	err := run(context.Background(), *benchtime, *rounds)
	if err == nil {
		err = words(context.Background(), *turndown, *benchtime, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, benchtime time.Duration, rounds int) error {
	if err := flag.Set("test.benchtime", benchtime.String()); err != nil {
		return err
	}
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for _, g := range []group{w.pageGroup(), w.fileGroup()} {
		if err := g.measure(rounds); err != nil {
			return err
		}
		if err := g.print(); err != nil {
			return err
		}
	}
	return nil
}

// group is a set of things that do the same work.
type group struct {
	title     string
	scenarios []*scenario
}

// scenario is one thing to measure. Its times are those of one call, by round.
type scenario struct {
	name    string
	against []string // names of scenarios before it
	call    func(context.Context) error
	times   []float64 // seconds
	allocs  int64     // of the whole process, client and servers together
}

// callers is how many calls are under way at once, for each processor.
const callers = 8

func (g group) measure(rounds int) error {
	for range rounds {
		for _, s := range g.scenarios {
			if err := s.call(context.Background()); err != nil { // also warms up
				return fmt.Errorf("%s: %w", s.name, err)
			}
			var failure error
			var first sync.Once // many calls may fail at the same time
			result := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(callers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := s.call(b.Context()); err != nil {
							b.Error(err)
							first.Do(func() { failure = err })
							return
						}
					}
				})
			})
			if result.N == 0 || failure != nil {
				return fmt.Errorf("%s: failed while measured: %w", s.name, failure)
			}
			s.times = append(s.times, result.T.Seconds()/float64(result.N))
			s.allocs = result.AllocsPerOp()
		}
	}
	return nil
}

func (s *scenario) median() float64 { return median(s.times) }

func (g group) print() error {
	medians := map[string]float64{}
	for _, s := range g.scenarios {
		medians[s.name] = s.median()
	}
	fmt.Printf("\n%s\n\n", g.title)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tµs a call\tspread\tallocs\tratio")
	for _, s := range g.scenarios {
		spread := 100 * (slices.Max(s.times) - slices.Min(s.times)) / s.median()
		ratios := ""
		for _, base := range s.against {
			ratios += fmt.Sprintf("%.2f × %s   ", s.median()/medians[base], base)
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.0f %%\t%d\t%s\n", s.name, s.median()*1e6, spread, s.allocs, ratios)
	}
	return table.Flush()
}
