package service

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/maypok86/otter/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/markdown"
)

// conversions remembers what bodies refer to and the words that were made of
// them. Both are functions of what goes in, so its keys are digests of that: of
// the body, and for words of all names and titles that stand in them. So no word
// outlives what it was made of, and a caller from whom a title is hidden never
// meets words that show it. It is safe for concurrent use.
type conversions struct {
	entries *otter.Cache[conversionKey, any] // of outline and markdown.Result; nil: nothing is kept
	lookups metric.Int64Counter
}

type digest [sha256.Size]byte

// conversionKey names what came of a body.
type conversionKey struct {
	body   digest              // of the text and what it is in
	format brokerv1.BodyFormat // UNSPECIFIED: an outline
	names  digest
}

// outline is what a body is about, as far as it decides what is looked up.
type outline struct {
	refs  markdown.References
	empty bool
}

// reading is a body on its way into words. It is parsed when it must be.
type reading struct {
	outline
	text   string
	source brokerv1.BodyFormat
	body   digest
	doc    *markdown.Document // nil: not parsed yet
}

func newConversions(maxBytes int64, meters metric.MeterProvider) (*conversions, error) {
	c := &conversions{}
	if maxBytes >= 0 {
		c.entries = otter.Must(&otter.Options[conversionKey, any]{
			MaximumWeight: uint64(maxBytes),
			Weigher:       func(_ conversionKey, value any) uint32 { return uint32(min(conversionSize(value), math.MaxUint32)) },
		})
	}
	var err error
	c.lookups, err = meters.Meter("github.com/confluence-broker/confluence-broker/service").Int64Counter("confluence_broker.cache.lookups",
		metric.WithUnit("{lookup}"), metric.WithDescription("Answers by the cache they were looked for in and where they came from."))
	return c, err
}

// read returns what a body refers to. Only ADF can fail: it is no JSON then.
func (c *conversions) read(source brokerv1.BodyFormat, text string) (*reading, error) {
	r := &reading{text: text, source: source, body: sha256.Sum256([]byte(source.String() + " " + text))}
	if known, ok := c.get(conversionKey{body: r.body}).(outline); ok {
		r.outline = known
		return r, nil
	}
	if err := r.parse(); err != nil {
		return nil, err
	}
	r.outline = outline{refs: r.doc.References(), empty: r.doc.Empty()}
	c.put(conversionKey{body: r.body}, outline{refs: ownReferences(r.refs), empty: r.empty})
	return r, nil
}

func (r *reading) parse() (err error) {
	if r.source == brokerv1.BodyFormat_BODY_FORMAT_STORAGE {
		r.doc = markdown.ParseStorage(r.text)
	} else if r.doc, err = markdown.ParseADF(r.text); err != nil {
		err = &confluenceclient.Error{Cause: confluenceclient.CauseBadResponse, Message: "Confluence's ADF is not a JSON document", Err: err}
	}
	return err
}

// write puts a body into words. The result is not the caller's to change.
func (c *conversions) write(ctx context.Context, r *reading, format brokerv1.BodyFormat, resolver markdown.Resolver) (markdown.Result, error) {
	key := conversionKey{body: r.body, format: format, names: fingerprint(resolver)}
	known, ok := c.get(key).(markdown.Result)
	c.count(ctx, ok)
	if ok {
		return known, nil
	}
	if r.doc == nil {
		if err := r.parse(); err != nil {
			return markdown.Result{}, err
		}
	}
	write := r.doc.Markdown
	if format == brokerv1.BodyFormat_BODY_FORMAT_TEXT {
		write = r.doc.Text
	}
	result := write(resolver)
	c.put(key, ownResult(result))
	return result, nil
}

// fingerprint is a digest of everything that a resolver knows. fmt sorts the keys
// of maps, and quotes each text.
func fingerprint(resolver markdown.Resolver) (sum digest) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%#v", resolver)
	h.Sum(sum[:0])
	return sum
}

func (c *conversions) get(key conversionKey) any {
	if c.entries == nil {
		return nil
	}
	value, _ := c.entries.GetIfPresent(key)
	return value
}

func (c *conversions) put(key conversionKey, value any) {
	if c.entries != nil {
		c.entries.Set(key, value)
	}
}

func (c *conversions) count(ctx context.Context, hit bool) {
	source := confluenceclient.SourceMiss
	if hit {
		source = confluenceclient.SourceHit
	}
	c.lookups.Add(ctx, 1, metric.WithAttributes(
		attribute.String("confluence_broker.cache.name", "words"), attribute.String("confluence_broker.cache.outcome", string(source))))
}
