package markdown

import "strings"

// maxFlats bounds how deep texts that hold nothing else nest, since each is
// written into the one around it.
const maxFlats = 8

// flat returns what fill adds as plain text, for a place that holds nothing else.
func (f *flow) flat(fill func(*flow)) string {
	inner := newFlow()
	inner.inline, inner.flats = true, f.flats+1
	inner.warnings, inner.referenceSet = f.warnings, f.referenceSet
	fill(inner)
	doc := inner.document()
	f.warnings, f.referenceSet = inner.warnings, inner.referenceSet
	return strings.TrimSuffix(doc.Text(Resolver{}).Text, "\n")
}

func (f *flow) flattened(construct string) {
	f.add(Flattened, construct, "what is more than text was written as plain text")
}
