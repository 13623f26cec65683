package markdown

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a block is depends in Markdown on the lines before it and on how far it
// is indented. So blocks in any order and nesting must read back as themselves.
func TestBlocksOfAnyNestingReadBackAsTheyAre(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1_000) {
		random := rand.New(rand.NewPCG(seed, 2))
		doc := &Document{root: &block{kind: group, blocks: randomBlocks(random, 4)}}
		text := doc.Markdown(Resolver{}).Text
		want, got := outline(doc.root, Resolver{}), outline(readBack(t, text), Resolver{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d:\n%s\nreads back differently (-page +Markdown):\n%s", seed, text, diff)
		}
	}
}

// listings are contents of code blocks that depend on exact blanks and fences.
var listings = []string{"", "x", "\tx", "  x\n\n y", "```\nx\n````", "\n", "x\n", " \t x\n\tx", "- a", "> b", "    c", "~~~"}

func randomBlocks(random *rand.Rand, depth int) []*block {
	var blocks []*block
	for range 1 + random.IntN(3) {
		b := &block{}
		switch n := random.IntN(9); {
		case n < 2 || depth == 0:
			b = randomBlock(random)
		case n == 2:
			b.kind, b.text = code, listings[random.IntN(len(listings))]
		case n == 3:
			b.kind, b.blocks = quote, randomBlocks(random, depth-1)
		case n == 4:
			b.kind, b.level, b.runs = heading, 1+random.IntN(6), []run{{text: "heading #"}}
		case n == 5:
			b.runs = []run{{text: "plain"}}
		default:
			b = randomList(random, depth)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func randomList(random *rand.Rand, depth int) *block {
	l := &block{kind: list}
	if random.IntN(2) == 1 {
		l.numbered, l.level = true, random.IntN(13)
	}
	for range 1 + random.IntN(3) {
		it := &block{kind: item}
		switch random.IntN(7) {
		case 0: // empty
		case 1:
			it.blocks = []*block{{runs: []run{{text: "xX"[:1+random.IntN(2)], link: &target{url: "https://acme.example"}}}}}
		case 2:
			it.state, it.blocks = state(random.IntN(4)), []*block{{runs: []run{{text: "task"}}}}
		case 3:
			it.blocks = []*block{{runs: []run{{text: "item"}}}}
			if depth > 0 {
				it.blocks = append(it.blocks, randomList(random, depth-1))
			}
		default:
			it.state, it.blocks = state(random.IntN(3)), randomBlocks(random, max(depth-1, 0))
		}
		l.blocks = append(l.blocks, it)
	}
	return l
}
