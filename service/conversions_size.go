package service

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/confluence-broker/confluence-broker/markdown"
)

// What is taken out of a body is mostly a part of its text, and keeps all of it in
// memory as long as it is there itself. What is remembered has texts of its own,
// so that it takes what it says.

func ownReferences(refs markdown.References) markdown.References {
	own := func(texts []string) []string {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = strings.Clone(texts[i])
		}
		return texts
	}
	page := func(ref markdown.PageRef) markdown.PageRef {
		ref.ID, ref.SpaceKey = strings.Clone(ref.ID), strings.Clone(ref.SpaceKey)
		ref.Title, ref.PostingDay = strings.Clone(ref.Title), strings.Clone(ref.PostingDay)
		return ref
	}
	refs.Spaces, refs.Accounts, refs.JiraKeys, refs.Addresses = own(refs.Spaces), own(refs.Accounts), own(refs.JiraKeys), own(refs.Addresses)
	refs.Pages, refs.Attachments, refs.Comments = slices.Clone(refs.Pages), slices.Clone(refs.Attachments), slices.Clone(refs.Comments)
	for i, ref := range refs.Pages {
		refs.Pages[i] = page(ref)
	}
	for i, ref := range refs.Attachments {
		ref.FileName, ref.FileID, ref.Page = strings.Clone(ref.FileName), strings.Clone(ref.FileID), page(ref.Page)
		refs.Attachments[i] = ref
	}
	for i, ref := range refs.Comments {
		ref.Ref, ref.Text = strings.Clone(ref.Ref), strings.Clone(ref.Text)
		refs.Comments[i] = ref
	}
	return refs
}

func ownResult(result markdown.Result) markdown.Result {
	result.Text, result.Warnings = strings.Clone(result.Text), slices.Clone(result.Warnings)
	for i, w := range result.Warnings {
		w.Construct, w.Message = strings.Clone(w.Construct), strings.Clone(w.Message)
		result.Warnings[i] = w
	}
	return result
}

// conversionSize is about what an entry takes.
func conversionSize(value any) int {
	const entry = 320 // key, node and table
	switch v := value.(type) {
	case markdown.Result:
		size := entry + int(unsafe.Sizeof(v)) + len(v.Text)
		for _, w := range v.Warnings {
			size += int(unsafe.Sizeof(w)) + len(w.Construct) + len(w.Message)
		}
		return size
	case outline:
		return entry + int(unsafe.Sizeof(v)) + referencesSize(v.refs)
	}
	return entry
}

func referencesSize(refs markdown.References) (size int) {
	page := func(ref markdown.PageRef) int {
		return len(ref.ID) + len(ref.SpaceKey) + len(ref.Title) + len(ref.PostingDay)
	}
	for _, ref := range refs.Pages {
		size += int(unsafe.Sizeof(ref)) + page(ref)
	}
	for _, ref := range refs.Attachments {
		size += int(unsafe.Sizeof(ref)) + len(ref.FileName) + len(ref.FileID) + page(ref.Page)
	}
	for _, ref := range refs.Comments {
		size += int(unsafe.Sizeof(ref)) + len(ref.Ref) + len(ref.Text)
	}
	for _, texts := range [][]string{refs.Spaces, refs.Accounts, refs.JiraKeys, refs.Addresses} {
		for _, text := range texts {
			size += int(unsafe.Sizeof(text)) + len(text)
		}
	}
	return size
}
