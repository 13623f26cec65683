package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

func asWords(id string, format brokerv1.BodyFormat) *brokerv1.GetPageRequest {
	req := byID(id)
	req.BodyFormat = format
	return req
}

func TestAPageBecomesMarkdownWithNamesInPlaceOfIDs(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
	if err != nil {
		t.Fatal(err)
	}
	body := got.GetPage().GetBody()
	if body.GetFormat() != brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN || body.GetSource() != brokerv1.BodyFormat_BODY_FORMAT_STORAGE {
		t.Errorf("format %s from %s", body.GetFormat(), body.GetSource())
	}
	for _, want := range []string{"# Ingest service\n", "@Ada Example", "```bash\ningestctl drain --wait && ingestctl restart <host>\n```", "| QueueFull | Readers are slower than writers. |", "- [ ] Rehearse every quarter", "1. Drain the queue."} {
		if !strings.Contains(body.GetValue(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, body.GetValue())
		}
	}
	want := &brokerv1.References{
		AccountIds:  []string{"712020:abcabcab-0000-4000-8000-000000000002"},
		Attachments: []*brokerv1.AttachmentReference{{FileName: "a.png"}},
	}
	if diff := cmp.Diff(want, got.GetReferences(), protocmp.Transform()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestAPageOfTheNewEditorIsReadFromADF(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for format, want := range map[brokerv1.BodyFormat]string{
		brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN: "# Release 4.2\n\nSearches are twice as fast. No restart is needed.\n",
		brokerv1.BodyFormat_BODY_FORMAT_TEXT:     "Release 4.2\n\nSearches are twice as fast. No restart is needed.\n",
	} {
		got, err := b.GetPage(t.Context(), asWords("1002", format))
		if err != nil {
			t.Fatal(err)
		}
		if body := got.GetPage().GetBody(); body.GetValue() != want || body.GetSource() != brokerv1.BodyFormat_BODY_FORMAT_ADF || len(got.GetWarnings()) != 0 {
			t.Errorf("%s: %q from %s, warnings %v; want %q", format, body.GetValue(), body.GetSource(), got.GetWarnings(), want)
		}
	}
}

func TestAnEmptyPageIsMarkedAsEmpty(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{
		Route: "/wiki/api/v2/pages/{id}", Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: `{"id":"1001","status":"current","title":"T","version":{"number":1},"body":{"storage":{"value":""},"atlas_doc_format":{"value":""}},"_links":{"webui":"/spaces/DOC/pages/1001/T"}}`,
	})
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_TEXT))
	if err != nil || len(got.GetWarnings()) != 1 || got.GetWarnings()[0].GetCode() != brokerv1.WarningCode_WARNING_CODE_BODY_EMPTY {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNamesThatCannotBeLookedUpCostOnlyTheNames(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.sim.AddFault(confluencetest.Fault{Route: "/wiki/rest/api/user/bulk", Status: 401, Body: `{"code":401,"message":"Unauthorized; scope does not match"}`})
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(got.GetWarnings())
	for _, want := range []string{"WARNING_CODE_FIELD_UNAVAILABLE", "read:confluence-user or read:content-details:confluence", "WARNING_CODE_UNRESOLVED_REFERENCE"} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings %s lack %s", text, want)
		}
	}
	if !strings.Contains(got.GetPage().GetBody().GetValue(), "712020:abcabcab-0000-4000-8000-000000000002") {
		t.Errorf("the person is gone:\n%s", got.GetPage().GetBody().GetValue())
	}
}

func TestWhatConfluenceSaysOfAFailedLookUpIsNotPassedOn(t *testing.T) {
	t.Parallel()
	for status, reason := range map[int]string{400: "INVALID_REQUEST", 410: "UPSTREAM_ENDPOINT_GONE", 418: "UPSTREAM_BAD_RESPONSE"} {
		b := newBroker(t)
		b.sim.AddFault(confluencetest.Fault{Route: "/wiki/rest/api/user/bulk", Status: status, Body: `{"message":"XYZZY","errors":[{"title":"XYZZY"}]}`})
		got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
		if text := fmt.Sprint(got.GetWarnings()); err != nil || !strings.Contains(text, reason) || strings.Contains(text, "XYZZY") {
			t.Errorf("warnings %s, %v, want %s and nothing of Confluence's own words", text, err, reason)
		}
	}
}

func TestPagesLinkedByAddressAreListedAndCardsAreCalledByTheirTitle(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serve(b, "", `{"type":"doc","content":[{"type":"paragraph","content":[{"type":"inlineCard","attrs":{"url":"https://acme.example/wiki/spaces/DOC/pages/1003/x"}},
		{"type":"text","text":" and "},{"type":"inlineCard","attrs":{"url":"https://elsewhere.example/"}}]}]}`)
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_TEXT))
	if err != nil {
		t.Fatal(err)
	}
	if want := "R&D \"x\" <env> and https://elsewhere.example/\n"; got.GetPage().GetBody().GetValue() != want {
		t.Errorf("text = %q, want %q", got.GetPage().GetBody().GetValue(), want)
	}
	want := &brokerv1.References{Pages: []*brokerv1.PageReference{{PageId: "1003", SpaceKey: "DOC", Title: `R&D "x" <env>`}}}
	if diff := cmp.Diff(want, got.GetReferences(), protocmp.Transform()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestAddressesOfSpacesIssuesAndPagesByTitleAreReferences(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serve(b, `<p><a href="https://acme.example/wiki/spaces/DOC/overview">docs</a> <a href="https://acme.example/wiki/spaces/DOC">again</a>
		<a href="https://acme.example/browse/AB-12">issue</a> <a href="/wiki/display/DOC/Run+Book">by title</a> <a href="https://acme.example/wiki/display/DOC/Run+Book">again</a>
		<a href="https://acme.example/wiki/spaces/DOC/folder/5005">folder</a> <a href="https://elsewhere.example/wiki/spaces/DOC/overview">another site</a></p>`, "")
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
	if err != nil {
		t.Fatal(err)
	}
	want := &brokerv1.References{
		SpaceKeys: []string{"DOC"}, JiraKeys: []string{"AB-12"},
		Pages: []*brokerv1.PageReference{{SpaceKey: "DOC", Title: "Run Book"}},
	}
	if diff := cmp.Diff(want, got.GetReferences(), protocmp.Transform()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestMediaOfAnotherPageHasTheNameItHasThere(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serve(b, "", `{"type":"doc","content":[
		{"type":"mediaSingle","content":[{"type":"media","attrs":{"type":"file","id":"00000000-0000-4000-8000-000000000009","collection":"contentId-1001"}}]},
		{"type":"mediaGroup","content":[{"type":"media","attrs":{"type":"file","id":"00000000-0000-4000-8000-000000000078","collection":"contentId-1004"}}]}]}`)
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
	if err != nil {
		t.Fatal(err)
	}
	const file = "Größentabelle 日本語.csv"
	want := "![a.png](https://acme.example/wiki/download/attachments/1001/a.png)\n\n" +
		"[" + file + "](https://acme.example/wiki/download/attachments/1004/Gr%C3%B6%C3%9Fentabelle%20%E6%97%A5%E6%9C%AC%E8%AA%9E.csv)\n"
	if got.GetPage().GetBody().GetValue() != want || len(got.GetWarnings()) > 0 {
		t.Errorf("Markdown = %q, warnings %v; want %q", got.GetPage().GetBody().GetValue(), got.GetWarnings(), want)
	}
	files := got.GetReferences().GetAttachments()
	if len(files) != 2 || files[0].GetPage() != nil || files[1].GetPage().GetPageId() != "1004" || files[1].GetPage().GetTitle() == "" || files[1].GetFileName() != file {
		t.Errorf("references to files: %v", files)
	}
	if pages := got.GetReferences().GetPages(); len(pages) > 0 {
		t.Errorf("pages %v are listed, which no link leads to", pages)
	}
}

func TestMediaOfAHiddenPageCostsItsNamesAlone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serve(b, "", `{"type":"doc","content":[
		{"type":"mediaGroup","content":[{"type":"media","attrs":{"type":"file","id":"f-1","collection":"contentId-99999"}}]},
		{"type":"mediaGroup","content":[{"type":"media","attrs":{"type":"file","id":"00000000-0000-4000-8000-000000000009","collection":"contentId-1001"}}]}]}`)
	got, err := b.GetPage(t.Context(), asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_TEXT))
	if err != nil {
		t.Fatal(err)
	}
	if want := "f-1\n\na.png\n"; got.GetPage().GetBody().GetValue() != want {
		t.Errorf("text = %q, want %q", got.GetPage().GetBody().GetValue(), want)
	}
	if text := fmt.Sprint(got.GetWarnings()); !strings.Contains(text, "WARNING_CODE_FIELD_UNAVAILABLE") || !strings.Contains(text, "WARNING_CODE_UNRESOLVED_REFERENCE") {
		t.Errorf("warnings are %s", text)
	}
}

// serve lets Confluence answer with a page of these bodies.
func serve(b *broker, storage, adf string) {
	body, _ := json.Marshal(map[string]any{
		"id": "1001", "status": "current", "title": "T", "version": map[string]any{"number": 1}, "_links": map[string]any{"webui": "/spaces/DOC/pages/1001/T"},
		"body": map[string]any{"storage": map[string]any{"value": storage}, "atlas_doc_format": map[string]any{"value": adf}},
	})
	b.sim.AddFault(confluencetest.Fault{
		Route: "/wiki/api/v2/pages/{id}", Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: string(body),
	})
}

func TestNamesThatTakeTooLongDoNotCostThePage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		b.sim.AddFault(confluencetest.Fault{Route: "/wiki/rest/api/user/bulk", Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		got, err := b.GetPage(ctx, asWords("1001", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
		if err != nil || !strings.Contains(fmt.Sprint(got.GetWarnings()), "WARNING_CODE_FIELD_UNAVAILABLE") {
			t.Errorf("warnings %v, %v", got.GetWarnings(), err)
		}
	})
}

func TestAPageWithoutReferencesCostsOneRequest(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	if _, err := b.GetPage(t.Context(), asWords("1003", brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN)); err != nil {
		t.Fatal(err)
	}
	if asked := b.api(); len(asked) != 1 {
		t.Errorf("upstream was asked for %v", asked)
	}
}

func TestEveryRealBodyBecomesWords(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"storage", "adf"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			b, files := corpus(t, folder)
			for i, file := range files {
				got, err := b.GetPage(t.Context(), asWords(strconv.Itoa(1001+i), brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN))
				if err != nil || !utf8.ValidString(got.GetPage().GetBody().GetValue()) {
					t.Errorf("%s: %v", filepath.Base(file), err)
				} else if got.GetPage().GetBody().GetValue() == "" && len(got.GetWarnings()) == 0 {
					t.Errorf("%s: nothing came, and nothing says why", filepath.Base(file))
				}
			}
		})
	}
}
