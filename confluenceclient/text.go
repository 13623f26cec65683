package confluenceclient

import (
	"strings"

	"golang.org/x/net/html"
)

var highlightMarks = strings.NewReplacer("@@@hl@@@", "", "@@@endhl@@@", "")

// plainText turns the title or excerpt of a search row, which is HTML-escaped
// text with highlight marks and now and then a tag, into plain text.
func plainText(escaped string) string {
	escaped = highlightMarks.Replace(escaped)
	var text strings.Builder
	for tokens := html.NewTokenizer(strings.NewReader(escaped)); tokens.Next() != html.ErrorToken; {
		if token := tokens.Token(); token.Type == html.TextToken {
			text.WriteString(token.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
