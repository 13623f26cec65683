package confluencetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Generate makes a site of that many pages besides the home page 1000 of its
// space DOC, the same for the same seed. Its tree is wide (the home page has
// hundreds of children), deep (one branch goes down 40 steps) and irregular
// elsewhere. Bodies have from one kilobyte to one megabyte, attachments up to
// four gigabytes; both are made when they are asked for, so that a site of
// 100,000 pages starts at once. Accounts and tokens are the sample site's.
func Generate(pages int, seed uint64) *Site {
	site, home := emptySite()
	g := &generator{site: site, seed: seed, pages: []*content{home}}
	for i := 1; i <= pages; i++ {
		g.addPage(i)
	}
	site.index()
	return site
}

const (
	firstGenerated = 100_000 // ids of pages are this and the page's number
	wide           = 400     // children of the home page
	deep           = 40      // steps of the long branch
)

type generator struct {
	site  *Site
	seed  uint64
	pages []*content
}

// dice is a number that depends on the seed, a page and what it is for.
func (g *generator) dice(page int, purpose uint64) uint64 {
	return mix(mix(g.seed+purpose) + uint64(page))
}

func (g *generator) addPage(i int) {
	page := g.site.addPage(g.parentOf(i), uint64(firstGenerated+i), fmt.Sprintf("%s %s %d", wordFor(g.dice(i, 1)), wordFor(g.dice(i, 2)), i))
	page.position = i
	if g.dice(i, 3)%4 == 0 {
		page.labels = []string{wordFor(g.dice(i, 4))}
	}
	v := page.versions[0]
	v.when = v.when.Add(time.Duration(i) * time.Minute)
	seed, size := g.dice(i, 5), bodySize(g.dice(i, 6))
	v.body = body{
		generate: func() string { return generatedBody(seed, size) },
		words:    func() string { return sentence(seed) },
	}
	g.pages = append(g.pages, page)
	if i%10 == 0 {
		g.addAttachment(page, i)
	}
}

func (g *generator) parentOf(i int) *content {
	switch {
	case i <= wide:
		return g.pages[0]
	case i <= wide+deep:
		return g.pages[i-1]
	}
	return g.pages[1+g.dice(i, 7)%uint64(i-1)]
}

// attachmentSizes are the sizes of generated attachments, in turn.
var attachmentSizes = [...]int64{0, 1, 1 << 10, 64 << 10, 1 << 20, 5 << 20, 64 << 20, 1 << 30, 4 << 30}

func (g *generator) addAttachment(page *content, i int) {
	number := uint64(firstGenerated + i)
	v := &version{number: 1, when: page.created(), author: page.author()}
	v.file = file{size: attachmentSizes[i/10%len(attachmentSizes)], seed: g.dice(i, 8)}
	c := &content{
		id: "att" + strconv.FormatUint(number, 10), number: number, kind: typeAttachment, status: "current",
		title: fmt.Sprintf("%s %d.bin", wordFor(g.dice(i, 9)), i), space: page.space, container: page, versions: []*version{v},
		mediaType: "application/octet-stream", fileID: fmt.Sprintf("00000000-0000-4000-8000-%012d", number),
	}
	g.site.contents[c.id] = c
}

// bodySize is what wikis are like: most pages are small, one in a thousand has a
// megabyte.
func bodySize(dice uint64) int {
	switch share := dice % 1000; {
	case share == 0:
		return 1 << 20
	case share < 20:
		return 100 << 10
	case share < 200:
		return 20 << 10
	}
	return 1<<10 + int(dice>>32%(6<<10))
}

var vocabulary = strings.Fields(`access account agenda alarm archive backup balance batch billing board branch bridge budget
	build cache calendar capacity change checklist client cluster contract customer dashboard deadline decision delivery deployment
	design device directory draft driver engine error escalation event export feature field filter firewall folder forecast gateway
	glossary goal group guide handbook history host idea import incident index ingest interface inventory invoice journal key
	ledger lesson license limit link list log machine manual market meeting memory metric migration minutes mirror model monitor
	network node note notice offer office order outage owner parser partner pattern payment permission person phone pipeline plan
	policy process product project proposal protocol quality queue question quota reader record region release report request
	restart review risk roadmap role rollback route rule runbook schedule schema script search security sensor server service
	session signal source sprint storage strategy summary support survey switch system table target team template tenant test
	ticket token topic trace training transfer travel trigger update upload user vendor version vision volume warehouse workflow`)

func wordFor(dice uint64) string { return vocabulary[dice%uint64(len(vocabulary))] }

func sentence(seed uint64) string {
	words := make([]string, 24)
	for i := range words {
		words[i] = wordFor(mix(seed + uint64(i)))
	}
	return strings.Join(words, " ")
}

// generatedBody says the same sentence in many shapes, until it is long enough.
func generatedBody(seed uint64, size int) string {
	text := sentence(seed)
	shapes := [...]string{
		"<h2>%s</h2>", "<p>%s</p>", "<ul><li><p>%s</p></li></ul>", "<p><strong>%s</strong></p>",
		"<table><tbody><tr><th><p>Words</p></th></tr><tr><td><p>%s</p></td></tr></tbody></table>",
		`<ac:structured-macro ac:name="info" ac:schema-version="1"><ac:rich-text-body><p>%s</p></ac:rich-text-body></ac:structured-macro>`,
		`<ac:structured-macro ac:name="code" ac:schema-version="1"><ac:plain-text-body><![CDATA[%s]]></ac:plain-text-body></ac:structured-macro>`,
	}
	var b strings.Builder
	for i := seed; b.Len() < size; i++ {
		fmt.Fprintf(&b, shapes[i%uint64(len(shapes))], text)
	}
	return b.String()
}
