package markdown

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the reader of XML makes of a source is what encoding/xml makes of it.
func TestXMLIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"storage", "pairs"} {
		for name, source := range corpus(t, folder, "*.xml") {
			t.Run(folder+"/"+name, func(t *testing.T) {
				t.Parallel()
				readsAsJudged(t, source)
			})
		}
	}
}

func TestOddXMLIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		"", "x", "<a/>", "<a></a>", "<a ></a >", "<a\n/>", "<a b='c\"d' e:f = \"g'h\"/>", "<a b=\"x\r\ny\"/>", "a\r\nb\rc", "&amp;&lt;&gt;&quot;&apos;",
		"&nbsp;&eacute;&unknown;&;&&#;&#x;&#65;&#x41;&#X41;&#0065;&#1114112;&#xD800;&#99999999999999999999;", "AT&T a&b;c & d", "&amp;lt;",
		"<a><![CDATA[<b>&amp;]]</b>]]>x<![CDATA[]]></a>", "<a><![CDATA[a]]]]><![CDATA[>b]]></a>", "<a><!-- <b> - --></a>", "<?xml version='1.0'?><a/>",
		"<!DOCTYPE a [<!ENTITY b \"<c>]>\"> <!ENTITY d '>'>]><a>&b;</a>", "<ä:ö ü='ß'/>", "<a.b-c_d:e/>", "a<b>c<d/>e</b>f",
		"<a", "<a b", "<a b=", "<a b='", "<a b='c", "<a b='<'/>", "<a/", "</a>", "<a></b>", "<a>", "<a><![CDATA[x</a>", "<a><!-- x</a>", "<", "< a/>", "</", "</ a>",
		"<1/>", "<-a/>", "<a b='c'", "<a 1='b'/>", "<![CDAT[x]]>", "<?x", "<!DOCTYPE a [", "a < b", "<a></a", "<a></a b>", "<a/ >", "<×/>", "&#13;",
	} {
		readsAsJudged(t, source)
	}
}

// readsAsJudged compares the two readers. encoding/xml is stricter in what shows
// nothing or does no harm, and there its word does not count.
func readsAsJudged(t *testing.T, source string) {
	t.Helper()
	got, err := readXML(source, &warnings{})
	want, judge := judgedXML(source)
	if judge != nil && tooStrict(judge) {
		return
	}
	if (err == nil) != (judge == nil) {
		t.Errorf("%q: %v, want %v", source, err, judge)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(element{}, attribute{}), cmp.Transformer("attrs", withoutEmpty[attribute]), cmp.Transformer("children", withoutEmpty[*element])); judge == nil && diff != "" {
		t.Errorf("%q (-encoding/xml +ours):\n%s", source, diff)
	}
}

func withoutEmpty[T any](list []T) map[int]T {
	m := make(map[int]T)
	for i, v := range list {
		m[i] = v
	}
	return m
}

func tooStrict(err error) bool {
	for _, part := range []string{"unescaped ]]>", "illegal character code", "not allowed in comments", "unsupported version"} {
		if strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}

// judgedXML reads XML with encoding/xml.
func judgedXML(source string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(source))
	d.Strict, d.Entity = false, xml.HTMLEntity // for unknown entities
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	b := newElementBuilder(&warnings{})
	name := func(n xml.Name) string { return strings.TrimPrefix(n.Space+":"+n.Local, ":") }
	for {
		from := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !knownName(name(token.Name)) {
				b.write(source[from:d.InputOffset()])
				b.tags = append(b.tags, tag{name: name(token.Name)})
				break
			}
			attrs := make([]attribute, len(token.Attr))
			for i, a := range token.Attr {
				attrs[i] = attribute{local: a.Name.Local, value: a.Value}
			}
			b.start(name(token.Name), attrs)
		case xml.EndElement:
			if n := len(b.tags); n == 0 || b.tags[n-1].name != name(token.Name) {
				return nil, errors.New("wrong nesting")
			}
			if !knownName(name(token.Name)) {
				b.write(source[from:d.InputOffset()])
			}
			b.end()
		case xml.CharData:
			b.write(string(token))
		}
	}
	if len(b.tags) > 0 {
		return nil, errors.New("not closed")
	}
	return b.done(), nil
}
