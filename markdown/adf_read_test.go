package markdown

import (
	"strings"
	"testing"
)

func TestADFNestedBeyondWhatJSONReadersTakeKeepsItsText(t *testing.T) {
	t.Parallel()
	const depth = 12_000
	for name, source := range map[string]string{
		"nodes": strings.Repeat(`{"type":"blockquote","content":[`, depth) + `{"type":"p","content":[{"type":"text","text":"de"},{"type":"text","text":"ep"}]},{"type":"text","text":"down"}` + strings.Repeat(`]}`, depth),
		"lists": strings.Repeat(`[`, depth) + `{"type":"text","text":"deep"},{"type":"text","text":" down"}` + strings.Repeat(`]`, depth),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := ParseADF(source)
			if err != nil {
				t.Fatal(err)
			}
			if text := doc.Text(Resolver{}).Text; text != "deep down\n" {
				t.Errorf("the text is %q, want deep down", text)
			}
			if !strings.Contains(warningLines(doc.warnings.list), string(LimitExceeded)) {
				t.Errorf("no warning tells of the limit: %v", doc.warnings.list)
			}
		})
	}
}

func TestADFOfWhichNothingCanBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "\uFEFF", "text", `"text"`, "5", "null", "{", `{"type":"doc","con`, `{"type":"doc","content":[`, "<p>x</p>"} {
		if _, err := ParseADF(source); err == nil {
			t.Errorf("%q was read", source)
		}
	}
}
