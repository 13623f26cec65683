package markdown

import (
	"strings"

	"golang.org/x/net/html"
)

// readTolerantly reads source that is no XML with a tokenizer that accepts
// anything, so that the text survives. An end without a start is skipped; a
// start without an end lasts as long as what is around it.
func readTolerantly(source string, w *warnings) *element {
	// Space exports break up the end of a CDATA section this way.
	source = strings.ReplaceAll(source, "]] >", "]]>")
	tokens := html.NewTokenizer(strings.NewReader(source))
	tokens.AllowCDATA(true)
	b := newElementBuilder(w)
	open := make(map[string]int) // how many elements of a name are open
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return b.done()
		case html.TextToken:
			if content, found := strings.CutPrefix(string(tokens.Raw()), "<![CDATA["); found {
				b.write(strings.TrimSuffix(content, "]]>")) // in which nothing is a reference
				break
			}
			b.write(string(tokens.Text()))
		case html.SelfClosingTagToken:
			token := tokens.Token()
			b.start(token.Data, attributes(token.Attr, w))
			b.end()
		case html.StartTagToken:
			token := tokens.Token()
			tokens.NextIsNotRawText() // <title> and its like hold elements here
			b.start(token.Data, attributes(token.Attr, w))
			if voidElement(token.Data) {
				b.end()
				break
			}
			open[token.Data]++
		case html.EndTagToken:
			name, _ := tokens.TagName()
			for tag := string(name); open[tag] > 0; {
				last := b.names[len(b.names)-1]
				open[last]--
				b.end()
				if last == tag {
					break
				}
			}
		}
	}
}

func attributes(attrs []html.Attribute, w *warnings) []attribute {
	out := make([]attribute, len(attrs))
	for i, a := range attrs {
		out[i] = attribute{local: a.Key[strings.IndexByte(a.Key, ':')+1:], value: w.clean(a.Val)}
	}
	return out
}

// voidElement tells the elements that never have an end in HTML.
func voidElement(name string) bool {
	switch name {
	case "br", "hr", "img", "col", "wbr", "input", "meta", "link":
		return true
	}
	return false
}
