package markdown

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are bodies of about a mebibyte that aim at one weakness each.
func hostile() map[string]string {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	return map[string]string{
		"deep lists":                     fill("<ul><li>a") + "",
		"deep quotes":                    strings.Repeat("<blockquote>x", 30_000) + strings.Repeat("</blockquote>", 30_000),
		"deep emphasis":                  strings.Repeat("<strong><em>x", 30_000) + strings.Repeat("</em></strong>", 30_000),
		"deep tables":                    strings.Repeat("<table><tr><td>x", 20_000) + strings.Repeat("</td></tr></table>", 20_000),
		"nested comment markers":         strings.Repeat(`<ac:inline-comment-marker ac:ref="r">x`, 8_000) + strings.Repeat("</ac:inline-comment-marker>", 8_000),
		"huge spans":                     `<table><tr><td rowspan="1000000000" colspan="1000000000">` + strings.Repeat("x", size/2) + "</td></tr>" + strings.Repeat("<tr><td>y</td></tr>", 20_000) + "</table>",
		"wide row and many rows":         "<table><tr>" + strings.Repeat(`<td rowspan="65000">a</td>`, 20_000) + "</tr>" + strings.Repeat("<tr/>", 100_000) + "</table>",
		"many breaks":                    "<p>a" + fill("<br/>") + "b</p>",
		"many looks":                     "<p>" + fill("<b>a</b>b<i>c</i>") + "</p>",
		"long link target, many runs":    `<p><ac:link><ri:page ri:content-title="` + strings.Repeat("t", size/2) + `"/><ac:link-body>` + strings.Repeat("a<b>b</b>", 50_000) + "</ac:link-body></ac:link></p>",
		"many addresses":                 "<p>" + fill("http://a") + "</p>",
		"many ampersands":                "<p>" + fill("&amp;a") + "<b>x</b></p>",
		"many specials":                  "<p>" + fill("*_`[]&lt;~!|") + "</p>",
		"many backticks":                 "<pre>" + fill("`") + "</pre>",
		"many macros":                    fill(`<ac:structured-macro ac:name="x"/>`),
		"many different macros":          manyMacros(20_000),
		"code in code":                   "<pre>" + strings.Repeat(`<ac:structured-macro ac:name="code"><ac:plain-text-body>`, 90) + strings.Repeat("x", size) + strings.Repeat("</ac:plain-text-body></ac:structured-macro>", 90) + "</pre>",
		"many copies of formulas":        "<p>" + fill(`<span class="katex-html">x</span>`) + "</p>",
		"many atoms in code":             "<pre>" + fill(`x<ac:emoticon ac:name="smile"/>`) + "</pre>",
		"code with mail addresses":       "<p>" + fill(`x<code>a@b.c</code>`) + "</p>",
		"many unclosed elements":         fill("<p><b>x"),
		"many comments without an end":   "<p>x" + fill("<!--") + fill("<!DOCTYPE x [") + fill("<?x "),
		"many broken tags":               "<p>" + fill(`<a b="`) + fill(`<a b='`) + fill("<a b=") + fill("<") + fill("</"),
		"many words that look like tags": "<p>" + fill("List<T>") + "<b>",
		"many wrong ends":                "<p>" + fill("</b>") + "x</p>",
		"an entity bomb":                 `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "&a;&a;&a;">]><p>` + fill("&b;") + "</p>",
		"an unclosed CDATA section":      "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[" + fill("x\n"),
		"broken UTF-8":                   "<p>" + fill("a\xff\xc3") + "</p>",
		"control characters":             "<p>" + fill("a\x00\x1b&#1;") + "</p>",
		"many links in one cell":         "<table><tr><td>" + fill(`<a href="https://a.example">x</a>`) + "</td></tr></table>",
	}
}

func manyMacros(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`<ac:structured-macro ac:name="m` + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + `"/>`)
	}
	return b.String()
}

// Memory is counted rather than time, since machines differ: what is quadratic
// in time here would allocate without bound, or run into the test's limit.
func TestHostileBodiesCostNoMoreThanTheirSize(t *testing.T) {
	for name, source := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			doc := ParseStorage(source)
			result, plain := doc.Markdown(Resolver{}), doc.Text(Resolver{})
			runtime.ReadMemStats(&after)
			if !utf8.ValidString(result.Text) || !utf8.ValidString(plain.Text) {
				t.Error("the output is no valid UTF-8")
			}
			const most = 64 << 20
			if len(result.Text) > most {
				t.Errorf("%d bytes became %d of Markdown, more than %d", len(source), len(result.Text), most)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 3<<30 {
				t.Errorf("%d bytes took %d of memory in all", len(source), used)
			}
			if len(result.Warnings) > maxWarnings+10 {
				t.Errorf("%d warnings", len(result.Warnings))
			}
		})
	}
}

func TestLimitsAreNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   Code
	}{
		"nesting":            {strings.Repeat("<blockquote><p>x</p>", 60) + strings.Repeat("</blockquote>", 60), LimitExceeded},
		"spans":              {`<table><tr><td colspan="900" rowspan="900">x</td></tr>` + strings.Repeat("<tr><td>y</td></tr>", 900) + "</table>", LimitExceeded},
		"control characters": {"<p>a\x00b</p>", CharactersReplaced},
		"broken UTF-8":       {"<p>a\xffb</p>", CharactersReplaced},
		"broken nesting":     {"<p><b>x</p>", Malformed},
		"unclosed CDATA":     {"<p>x</p><ac:plain-text-body><![CDATA[y", Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := ParseStorage(test.source).Markdown(Resolver{})
			if !slices.ContainsFunc(result.Warnings, func(w Warning) bool { return w.Code == test.want }) {
				t.Errorf("warnings = %v, want one of %s", result.Warnings, test.want)
			}
			if result.Text == "" {
				t.Error("the text is lost")
			}
		})
	}
}

func TestADFThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "null", `"text"`, "<p>x</p>", `{"type":"doc"`, "12"} {
		if doc, err := ParseADF(source); err == nil {
			t.Errorf("ParseADF(%q) = %v, want an error", source, doc)
		}
	}
}

func TestDeepADFKeepsItsText(t *testing.T) {
	t.Parallel()
	const depth = 2000
	source := strings.Repeat(`{"type":"blockquote","content":[`, depth) + `{"type":"paragraph","content":[{"type":"text","text":"deep"}]}` + strings.Repeat("]}", depth)
	doc, err := ParseADF(source)
	if err != nil {
		t.Fatal(err)
	}
	if result := doc.Markdown(Resolver{}); !strings.Contains(result.Text, "deep") || len(result.Warnings) == 0 {
		t.Errorf("Markdown = %q, warnings %v; want the text and a warning", result.Text, result.Warnings)
	}
}

func TestConstructsThatAreNamedGoOnCountingBeyondTheLimit(t *testing.T) {
	t.Parallel()
	var w warnings
	for i := range maxWarnings + 5 {
		w.add(Unsupported, strconv.Itoa(i), "")
	}
	w.add(Unsupported, "0", "")
	if got, want := w.list[0].Count, 2; got != want {
		t.Errorf("the first construct counts %d, want %d", got, want)
	}
	if got, want := w.list[maxWarnings].Count, 5; got != want {
		t.Errorf("constructs without a name count %d, want %d", got, want)
	}
}

func TestCellsThatCoverTooManyColumnsAreNamed(t *testing.T) {
	t.Parallel()
	storage := ParseStorage(`<table><tr><td colspan="5000">x</td></tr></table>`)
	adf, err := ParseADF(`{"type":"table","content":[{"type":"tableRow","content":[{"type":"tableCell","attrs":{"colspan":5000}}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []*Document{storage, adf} {
		if got, want := warningLines(doc.Markdown(Resolver{}).Warnings), "LIMIT_EXCEEDED \"colspan\" 1\n"; got != want {
			t.Errorf("the warnings are %q, want %q", got, want)
		}
	}
}
