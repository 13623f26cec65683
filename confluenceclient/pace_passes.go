package confluenceclient

import "time"

// passes counts what passed, by when it was sent, in twentieths of a second.
type passes struct {
	counts [10 * slotsPerSecond]int
	newest int64 // number of the slot that was counted in last
}

const slotsPerSecond = 20

func slotOf(t time.Time) int64 { return t.UnixNano() / int64(time.Second/slotsPerSecond) }

func (p *passes) add(sent time.Time) {
	slot, kept := slotOf(sent), int64(len(p.counts))
	if slot <= p.newest-kept {
		return // too slow to tell anything of a rate
	}
	for i := max(p.newest+1, slot-kept+1); i <= slot; i++ {
		p.counts[i%kept] = 0
	}
	p.newest = max(p.newest, slot)
	p.counts[slot%kept]++
}

func (p *passes) inSecondBefore(at time.Time) int {
	last, kept := slotOf(at), int64(len(p.counts))
	sum := 0
	for i := max(last-slotsPerSecond+1, p.newest-kept+1); i <= min(last, p.newest); i++ {
		sum += p.counts[i%kept]
	}
	return sum
}
