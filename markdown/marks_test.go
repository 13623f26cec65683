package markdown

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Emphasis is where Markdown is least regular: whether a delimiter opens or
// closes depends on its neighbours. So any row of runs must read back as itself.
func TestRunsOfAnyLookReadBackAsTheyAre(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5_000) {
		random := rand.New(rand.NewPCG(seed, 1))
		doc := &Document{root: &block{kind: group, blocks: []*block{randomBlock(random)}}}
		text := doc.Markdown(Resolver{}).Text
		want, got := outline(doc.root, Resolver{}), outline(readBack(t, text), Resolver{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %q reads back differently (-page +Markdown):\n%s", seed, text, diff)
		}
	}
}

// pieces are texts that Markdown could take for something else.
var pieces = []string{
	"a", "b", "word", " ", "  ", ".", "!", "(x)", "*", "**", "_", "__", "~", "~~", "`", "``", "\\", "[", "]", "](", "<", ">", "<b>", "&", "&amp;", "&lt", ";",
	"1.", "2)", "- ", "-", "+", "#", "##", "=", "==", ":", "|", "\\|", "é", "—", "\u00a0", "😀", "http://a.b/c_d", "www.a_b.c", "a@b.c", "!", "x!", "$", "\u200b", "www", "://",
}

func randomBlock(random *rand.Rand) *block {
	links := []*target{nil, nil, nil, {url: "https://acme.example/a(b)"}, {url: "https://acme.example/c|d&lt;", title: "a \"b\" | \\| &amp; `*<c> [d](e) \\"}}
	var runs []run
	for range 1 + random.IntN(7) {
		r := run{text: pieces[random.IntN(len(pieces))], marks: mark(random.IntN(8)), link: links[random.IntN(len(links))]}
		if random.IntN(2) == 0 {
			r.text += pieces[random.IntN(len(pieces))]
		}
		switch random.IntN(12) {
		case 0:
			r.kind, r.text = breakRun, ""
		case 1:
			r.marks |= codeMark
			// goldmark takes even backticks for part of a mail address, and an
			// escaped pipe in a table or "]:" in a link is what code cannot hold.
			r.text = strings.NewReplacer("@", "", "\\", "", ":", "").Replace(r.text)
			if r.text == "" {
				r.text = "code"
			}
		case 2:
			r.kind, r.subject = imageRun, &target{url: "https://acme.example/i.png"}
		}
		runs = append(runs, r)
	}
	b := &block{kind: kind(random.IntN(2)), level: 2, runs: tidy(runs)}
	if len(b.runs) == 0 {
		return &block{kind: rule}
	}
	if random.IntN(3) == 0 {
		c := newCell()
		c.blocks = []*block{{runs: b.runs}}
		return &block{kind: table, blocks: []*block{{kind: row, blocks: []*block{c}}}}
	}
	return b
}
