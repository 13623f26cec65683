package markdown

import (
	"maps"
	"slices"
	"testing"
)

// The benchmarks convert all real bodies of one format, once per round, and
// report megabytes of source per second and allocations per kilobyte.

func BenchmarkStorageToMarkdown(b *testing.B) {
	sources := slices.Collect(maps.Values(corpus(b, "pairs", "*.xml")))
	measure(b, sources, func(source string) { ParseStorage(source).Markdown(Resolver{}) })
}

func BenchmarkADFToMarkdown(b *testing.B) {
	sources := slices.Collect(maps.Values(corpus(b, "pairs", "*.json")))
	measure(b, sources, func(source string) {
		doc, err := ParseADF(source)
		if err != nil {
			b.Fatal(err)
		}
		doc.Markdown(Resolver{})
	})
}

func BenchmarkStorageToText(b *testing.B) {
	sources := slices.Collect(maps.Values(corpus(b, "pairs", "*.xml")))
	measure(b, sources, func(source string) { ParseStorage(source).Text(Resolver{}) })
}

func BenchmarkLargePage(b *testing.B) {
	source := corpus(b, "storage", "174-*.xml")["174-composite-xlarge.xml"]
	measure(b, []string{source}, func(source string) { ParseStorage(source).Markdown(Resolver{}) })
}

func measure(b *testing.B, sources []string, convert func(string)) {
	size := 0
	for _, source := range sources {
		size += len(source)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	allocations := testing.AllocsPerRun(1, func() {
		for _, source := range sources {
			convert(source)
		}
	})
	for b.Loop() {
		for _, source := range sources {
			convert(source)
		}
	}
	b.ReportMetric(allocations/(float64(size)/1024), "allocs/KB")
}
