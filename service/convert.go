package service

import (
	"context"
	"strings"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/markdown"
)

// isWords tells whether the broker makes the format itself.
func isWords(format brokerv1.BodyFormat) bool {
	return format == brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN || format == brokerv1.BodyFormat_BODY_FORMAT_TEXT
}

// words is a page whose body has been read for conversion.
type words struct {
	page   *confluenceclient.Page
	source brokerv1.BodyFormat // what the body is in
	doc    *markdown.Document
}

// readWords reads a page's storage format and, where that shows nothing, its
// ADF: pages made in the new editor have been seen with text there alone.
// Rendered views are never a source: they lose what authors wrote.
func (s *service) readWords(ctx context.Context, id string, opts confluenceclient.PageOptions) (words, error) {
	opts.Format = confluenceclient.FormatStorage
	page, err := s.client.Page(ctx, id, opts)
	if err != nil {
		return words{}, err
	}
	w := words{page: page, source: brokerv1.BodyFormat_BODY_FORMAT_STORAGE, doc: markdown.ParseStorage(page.Body)}
	if !w.doc.Empty() {
		return w, nil
	}
	opts.Format = confluenceclient.FormatADF
	page, err = s.client.Page(ctx, id, opts)
	if err != nil {
		return words{}, err
	}
	if strings.TrimSpace(page.Body) == "" {
		return w, nil
	}
	doc, err := markdown.ParseADF(page.Body)
	if err != nil {
		return words{}, &confluenceclient.Error{Cause: confluenceclient.CauseBadResponse, Message: "Confluence's ADF is not a JSON document", Err: err}
	}
	return words{page: page, source: brokerv1.BodyFormat_BODY_FORMAT_ADF, doc: doc}, nil
}

// convert puts the body into words, and tells what they lack and refer to.
func (s *service) convert(ctx context.Context, w words, format brokerv1.BodyFormat, want confluenceclient.Tolerance, resp *brokerv1.GetPageResponse) error {
	refs := s.referred(w)
	resolver, warnings, err := s.resolver(ctx, w.page, refs, want.MaxStale)
	if err != nil {
		return err
	}
	write := w.doc.Markdown
	if format == brokerv1.BodyFormat_BODY_FORMAT_TEXT {
		write = w.doc.Text
	}
	result := write(resolver)
	resp.Page.Body = &brokerv1.Body{Format: format, Value: result.Text, Source: w.source}
	resp.References = refs.message(resolver)
	if w.doc.Empty() {
		warnings = append(warnings, warning(brokerv1.WarningCode_WARNING_CODE_BODY_EMPTY, "body", "the page has no text, neither in storage format nor in ADF"))
	}
	for _, loss := range result.Warnings {
		warnings = append(warnings, &brokerv1.Warning{
			Code: losses[loss.Code], Subject: loss.Construct, Message: loss.Message, Count: int32(loss.Count),
		})
	}
	resp.Warnings = append(resp.Warnings, warnings...)
	return nil
}

// losses pairs the kinds of loss with the API's names.
var losses = map[markdown.Code]brokerv1.WarningCode{
	markdown.Unsupported:        brokerv1.WarningCode_WARNING_CODE_UNSUPPORTED,
	markdown.DynamicContent:     brokerv1.WarningCode_WARNING_CODE_DYNAMIC_CONTENT,
	markdown.FormattingLost:     brokerv1.WarningCode_WARNING_CODE_FORMATTING_LOST,
	markdown.Flattened:          brokerv1.WarningCode_WARNING_CODE_FLATTENED,
	markdown.Unresolved:         brokerv1.WarningCode_WARNING_CODE_UNRESOLVED_REFERENCE,
	markdown.AnchorLost:         brokerv1.WarningCode_WARNING_CODE_ANCHOR_LOST,
	markdown.UnsafeLink:         brokerv1.WarningCode_WARNING_CODE_UNSAFE_LINK,
	markdown.Malformed:          brokerv1.WarningCode_WARNING_CODE_MALFORMED_SOURCE,
	markdown.LimitExceeded:      brokerv1.WarningCode_WARNING_CODE_NESTING_LIMITED,
	markdown.CharactersReplaced: brokerv1.WarningCode_WARNING_CODE_CHARACTERS_REPLACED,
}
