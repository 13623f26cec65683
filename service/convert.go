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
	page *confluenceclient.Page
	body *reading
}

// readWords reads a page's storage format and, where that shows nothing, its
// ADF: pages made in the new editor have been seen with text there alone.
// Rendered views are never a source: they lose what authors wrote.
func (s *service) readWords(ctx context.Context, id string, opts confluenceclient.PageOptions) (words, error) {
	opts.Format = confluenceclient.FormatStorage
	w, err := s.readBody(ctx, id, opts, brokerv1.BodyFormat_BODY_FORMAT_STORAGE)
	if err != nil || !w.body.empty {
		return w, err
	}
	opts.Format = confluenceclient.FormatADF
	adf, err := s.readBody(ctx, id, opts, brokerv1.BodyFormat_BODY_FORMAT_ADF)
	if err != nil {
		return words{}, err
	}
	if adf.body == nil {
		return w, nil
	}
	adf.page.Freshness = older(w.page.Freshness, adf.page.Freshness)
	return adf, nil
}

// readBody reads a page in one format. A blank ADF is no body.
func (s *service) readBody(ctx context.Context, id string, opts confluenceclient.PageOptions, source brokerv1.BodyFormat) (words, error) {
	page, err := s.client.Page(ctx, id, opts)
	if err != nil {
		return words{}, err
	}
	if source == brokerv1.BodyFormat_BODY_FORMAT_ADF && strings.TrimSpace(page.Body) == "" {
		return words{page: page}, nil
	}
	body, err := s.conversions.read(source, page.Body)
	return words{page: page, body: body}, err
}

// convert puts the body into words, and tells what they lack and refer to.
func (s *service) convert(ctx context.Context, w words, format brokerv1.BodyFormat, want confluenceclient.Tolerance, resp *brokerv1.GetPageResponse) error {
	refs := s.referred(w)
	resolver, warnings, err := s.resolver(ctx, w.page, refs, want.MaxStale)
	if err != nil {
		return err
	}
	result, err := s.conversions.write(ctx, w.body, format, resolver)
	if err != nil {
		return err
	}
	resp.Page.Body = &brokerv1.Body{Format: format, Value: result.Text, Source: w.body.source}
	resp.References = refs.message(resolver)
	if w.body.empty {
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
