package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsKnownReplacesWhatTheBodySays(t *testing.T) {
	t.Parallel()
	full := Resolver{
		SiteURL: "https://acme.example/", JiraURL: "https://acme.example", PageID: "1001", SpaceKey: "DOC",
		Pages: map[PageRef]Page{
			{Title: "Plan"}: {URL: "https://acme.example/wiki/spaces/DOC/pages/7/Plan"},
			{ID: "8"}:       {Title: "Eight", URL: "/wiki/spaces/DOC/pages/8"},
		},
		Attachments: map[AttachmentRef]Attachment{
			{FileName: "net.png"}: {URL: "https://acme.example/wiki/download/attachments/1001/net.png"},
			{FileID: "f-1"}:       {FileName: "photo.jpg", URL: "https://acme.example/wiki/download/attachments/1001/photo.jpg"},
		},
		Users: map[string]string{"557058:1": "Mia Example"},
	}
	for name, test := range map[string]struct{ source, zero, full string }{
		"a page by title": {
			`<p><ac:link><ri:page ri:content-title="Plan"/></ac:link></p>`,
			"[Plan](/wiki/pages/viewpage.action?title=Plan)\n",
			"[Plan](https://acme.example/wiki/spaces/DOC/pages/7/Plan)\n",
		},
		"a page that was not found": {
			`<p><ac:link ac:anchor="a b"><ri:page ri:content-title="Q&amp;A"/></ac:link></p>`,
			"[Q&A](/wiki/pages/viewpage.action?title=Q%26A#a%20b)\n",
			"[Q&A](https://acme.example/wiki/pages/viewpage.action?spaceKey=DOC&title=Q%26A#a%20b)\n",
		},
		"a page by id": {
			`<p><ac:link><ri:content-entity ri:content-id="8"/></ac:link></p>`,
			"[8](/wiki/pages/viewpage.action?pageId=8)\n",
			"[Eight](https://acme.example/wiki/spaces/DOC/pages/8)\n",
		},
		"a person": {
			`<p>by<ac:link><ri:user ri:account-id="557058:1"/></ac:link></p>`,
			"by @557058:1\n",
			"by @Mia Example\n",
		},
		"an attachment of this page": {
			`<p><ac:image><ri:attachment ri:filename="x y.png"/></ac:image></p>`,
			"![x y.png](attachments/x%20y.png)\n",
			"![x y.png](https://acme.example/wiki/download/attachments/1001/x%20y.png)\n",
		},
		"an attachment of another page": {
			`<p><ac:image><ri:attachment ri:filename="x.png"><ri:page ri:content-title="Other" ri:space-key="S"/></ri:attachment></ac:image></p>`,
			"![x.png](attachments/S/Other/x.png)\n",
			"![x.png](attachments/S/Other/x.png)\n",
		},
		"the preview of a diagram": {
			`<ac:structured-macro ac:name="drawio"><ac:parameter ac:name="diagramName">net</ac:parameter></ac:structured-macro>`,
			"\\[drawio diagram: net\\]\n",
			"![net.png](https://acme.example/wiki/download/attachments/1001/net.png)\n",
		},
		"an issue": {
			`<p><ac:structured-macro ac:name="jira"><ac:parameter ac:name="key">AB-12</ac:parameter></ac:structured-macro></p>`,
			"AB-12\n",
			"[AB-12](https://acme.example/browse/AB-12)\n",
		},
		"an address that is relative to the site": {
			`<p><a href="/wiki/x/abc">short</a> <a href="#top">top</a> <a href="//evil.example/x">other host</a></p>`,
			"[short](/wiki/x/abc) [top](#top) [other host](//evil.example/x)\n",
			"[short](https://acme.example/wiki/x/abc) [top](#top) [other host](//evil.example/x)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := ParseStorage(test.source)
			if diff := cmp.Diff(test.zero, doc.Markdown(Resolver{}).Text); diff != "" {
				t.Errorf("with nothing known (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.full, doc.Markdown(full).Text); diff != "" {
				t.Errorf("with all known (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressesThatRunSomethingAreNoLinks(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "java\tscript:alert(1)", "vbscript:x",
		"data:text/html,x", "file:///etc/passwd", "\x01javascript:x", "javascript&colon;x:", "x-unknown:y", "blob:https://acme.example/x",
	} {
		if got := (&Resolver{}).safe(address); got != "" {
			t.Errorf("safe(%q) = %q, want none", address, got)
		}
	}
	for _, address := range []string{"https://acme.example/a:b", "mailto:mia@acme.example", "page?x=a:b", "#a:b", "a/b:c"} {
		if got := (&Resolver{}).safe(address); got != address {
			t.Errorf("safe(%q) = %q, want it unchanged", address, got)
		}
	}
}

func TestWarningsSayHowOften(t *testing.T) {
	t.Parallel()
	doc := ParseStorage(`<ac:structured-macro ac:name="toc"/><ac:structured-macro ac:name="toc"/><p><u>x</u></p>`)
	want := []Warning{{Code: DynamicContent, Construct: "toc", Count: 2}, {Code: FormattingLost, Construct: "u", Count: 1}}
	ignoreMessage := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Message" }, cmp.Ignore())
	for range 2 { // writing does not change the document
		if diff := cmp.Diff(want, doc.Markdown(Resolver{}).Warnings, ignoreMessage); diff != "" {
			t.Errorf("Markdown (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[:1], doc.Text(Resolver{}).Warnings, ignoreMessage); diff != "" {
			t.Errorf("plain text (-want +got):\n%s", diff)
		}
	}
}

func TestNamesThatAreLookedUpAreText(t *testing.T) {
	t.Parallel()
	const evil = "a\n\n# b [c](javascript:d) `e` <f> | \u0001g"
	r := Resolver{
		SiteURL: "https://acme.example", PageID: "1001",
		Pages:       map[PageRef]Page{{ID: "8"}: {Title: evil, URL: "javascript:x"}},
		Links:       map[string]Page{"https://acme.example/x": {Title: evil}},
		Attachments: map[AttachmentRef]Attachment{{FileID: "f"}: {FileName: evil, URL: "data:text/html,x"}},
		Users:       map[string]string{"u": evil},
	}
	storage := ParseStorage(`<p><ac:link><ri:content-entity ri:content-id="8"/></ac:link> <ac:link><ri:user ri:account-id="u"/></ac:link></p>`)
	adf, err := ParseADF(`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"inlineCard","attrs":{"url":"https://acme.example/x"}},
		{"type":"text","text":" "},{"type":"mediaInline","attrs":{"id":"f"}}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []*Document{storage, adf} {
		result := doc.Markdown(r)
		back := readBack(t, result.Text)
		if len(back.blocks) != 1 || back.blocks[0].kind != paragraph || strings.Contains(result.Text, "\u0001") {
			t.Errorf("a name became markup: %q", result.Text)
		}
		for _, run := range back.blocks[0].runs {
			if run.marks != 0 || run.link != nil && !strings.HasPrefix(run.link.url, "https://acme.example/") {
				t.Errorf("a name became markup: %+v in %q", run, result.Text)
			}
		}
		if text := doc.Text(r).Text; strings.Count(text, "\n") != 1 || strings.Count(text, "# b [c](javascript:d) `e` <f> |") != 2 {
			t.Errorf("the plain text is %q, want one line with both names", text)
		}
	}
}
