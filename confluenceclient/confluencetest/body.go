package confluencetest

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// body is a page's text in the forms that it is stored in. Pages of the new
// editor have ADF, older ones storage format; a fixture may give either or both.
type body struct {
	storage, adf *string
	generate     func() string // of generated sites: makes the storage format when it is asked for
	words        func() string // of generated sites: the text that the index holds
}

// representations are the forms that single reads give. Listings give the first
// two only (api-facts §5).
var representations = []string{"storage", "atlas_doc_format", "view", "export_view", "anonymous_export_view", "styled_view", "editor"}

// in returns the body in a representation. Storage is empty for pages that have
// ADF alone, as it is for pages of the new editor. The rendered forms are a
// modest rendering of what is stored: storage without its macros, or ADF's
// paragraphs.
func (b body) in(representation string) string {
	storage := b.storageFormat()
	switch {
	case representation == "storage":
		return storage
	case representation == "atlas_doc_format":
		if b.adf != nil {
			return *b.adf
		}
		return adfOf(plainText(storage))
	case storage == "" && b.adf != nil:
		return "<p>" + html.EscapeString(adfText(*b.adf)) + "</p>"
	}
	return rendered(storage)
}

func (b body) storageFormat() string {
	switch {
	case b.generate != nil:
		return b.generate()
	case b.storage != nil:
		return *b.storage
	}
	return ""
}

// text is what the search index knows of the body.
func (b body) text() string {
	switch {
	case b.words != nil:
		return b.words()
	case b.storage != nil && *b.storage != "":
		return plainText(*b.storage)
	case b.adf != nil:
		return adfText(*b.adf)
	}
	return ""
}

var (
	cdata      = regexp.MustCompile(`(?s)<!\[CDATA\[(.*?)\]\]>`)
	parameters = regexp.MustCompile(`(?s)<ac:parameter[^>]*>.*?</ac:parameter>`)
	anyTag     = regexp.MustCompile(`<[^>]*>`)
	macroTag   = regexp.MustCompile(`</?(ac|ri):[^>]*>`)
)

func rendered(storage string) string {
	storage = parameters.ReplaceAllString(storage, "")
	storage = cdata.ReplaceAllStringFunc(storage, func(s string) string {
		return "<pre>" + html.EscapeString(cdata.FindStringSubmatch(s)[1]) + "</pre>"
	})
	return macroTag.ReplaceAllString(storage, "")
}

func plainText(storage string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(rendered(storage), " "))), " ")
}

type adfNode struct {
	Type    string    `json:"type"`
	Version int       `json:"version,omitempty"`
	Text    string    `json:"text,omitempty"`
	Content []adfNode `json:"content,omitempty"`
}

func adfOf(text string) string {
	doc := adfNode{Type: "doc", Version: 1}
	if text != "" {
		doc.Content = []adfNode{{Type: "paragraph", Content: []adfNode{{Type: "text", Text: text}}}}
	}
	raw, _ := json.Marshal(doc) // strings and numbers always marshal
	return string(raw)
}

// adfText is the text nodes of a document; nothing if it is no document.
func adfText(adf string) string {
	var doc adfNode
	if json.Unmarshal([]byte(adf), &doc) != nil {
		return ""
	}
	var texts []string
	var walk func(adfNode)
	walk = func(n adfNode) {
		if n.Text != "" {
			texts = append(texts, n.Text)
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(doc)
	return strings.Join(texts, " ")
}
