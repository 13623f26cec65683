package service

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/markdown"
)

const (
	inStorage  = brokerv1.BodyFormat_BODY_FORMAT_STORAGE
	inMarkdown = brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN
)

func keptConversions(t *testing.T, maxBytes int64) *conversions {
	t.Helper()
	c, err := newConversions(maxBytes, metricnoop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// convertOnce puts a body into words, and tells whether it was parsed for that.
func convertOnce(t *testing.T, c *conversions, body string, format brokerv1.BodyFormat, resolver markdown.Resolver) (text string, parsed bool) {
	t.Helper()
	r, err := c.read(inStorage, body)
	if err != nil {
		t.Fatal(err)
	}
	result, err := c.write(t.Context(), r, format, resolver)
	if err != nil {
		t.Fatal(err)
	}
	return result.Text, r.doc != nil
}

func TestWordsAreMadeOnceOfTheSameBodyAndNames(t *testing.T) {
	t.Parallel()
	const body = `<p>by <ac:link><ri:user ri:account-id="712020:ada"/></ac:link></p>`
	ada := markdown.Resolver{Users: map[string]string{"712020:ada": "Ada"}}
	c := keptConversions(t, 1<<20)
	for _, step := range []struct {
		name     string
		body     string
		format   brokerv1.BodyFormat
		resolver markdown.Resolver
		want     string
		parses   bool
	}{
		{"the first", body, inMarkdown, ada, "Ada", true},
		{"the same", body, inMarkdown, ada, "Ada", false},
		{"the same in text", body, brokerv1.BodyFormat_BODY_FORMAT_TEXT, ada, "Ada", true},
		{"of a person with a new name", body, inMarkdown, markdown.Resolver{Users: map[string]string{"712020:ada": "Lady Lovelace"}}, "Lady Lovelace", true},
		{"of a person whom this caller may not see", body, inMarkdown, markdown.Resolver{}, "712020:ada", true},
		{"of another page", body, inMarkdown, markdown.Resolver{Users: ada.Users, PageID: "2"}, "Ada", true},
		{"of a new version", body + "<p>more</p>", inMarkdown, ada, "more", true},
		{"the first again", body, inMarkdown, ada, "Ada", false},
	} {
		text, parsed := convertOnce(t, c, step.body, step.format, step.resolver)
		if !strings.Contains(text, step.want) || parsed != step.parses {
			t.Errorf("%s: %q, parsed: %v; want %q, %v", step.name, text, parsed, step.want, step.parses)
		}
		if step.want == "712020:ada" && strings.Contains(text, "Ada") {
			t.Errorf("%s: %q shows the name", step.name, text)
		}
	}
}

func TestWithoutMemoryForThemWordsAreMadeEachTime(t *testing.T) {
	t.Parallel()
	c := keptConversions(t, -1)
	for range 2 {
		if text, parsed := convertOnce(t, c, "<p>x</p>", inMarkdown, markdown.Resolver{}); text != "x\n" || !parsed {
			t.Errorf("%q, parsed: %v", text, parsed)
		}
	}
}

func TestWordsTakeNoMoreMemoryThanTheySay(t *testing.T) {
	const limit = 4 << 20
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	c := keptConversions(t, limit)
	before := heap()
	for i := range 6000 {
		convertOnce(t, c, fmt.Sprintf("<p>%d %s</p><p><a href=\"https://acme.example/%d\">x</a></p>", i, strings.Repeat("word ", 100), i), inMarkdown, markdown.Resolver{})
	}
	c.entries.CleanUp()
	weight, grown := int64(c.entries.WeightedSize()), heap()-before
	if weight > limit || weight < limit/2 || grown > weight*11/10 || grown < weight/2 {
		t.Errorf("the heap grew by %d bytes, the cache says %d of %d", grown, weight, limit)
	}
	runtime.KeepAlive(c)
}
