package confluenceclient

// Bounds of how many requests are under way at the same time.
const (
	fewestUnderWay = 4
	firstUnderWay  = 16
	mostUnderWay   = 64
)

// window is how many requests may be under way: one more for every round that
// used all of it, fewer by a third when the upstream is overloaded. failsafe-go's
// adaptive limiter goes by latency, which tells nothing here: a search takes ten
// times as long as a page, and a refusal is the quickest answer of all.
type window struct {
	limit    float64
	underWay int
	epoch    int // counts reductions: what was sent before the latest tells nothing new
}

// seat is a place in the window.
type seat struct {
	epoch int
	last  bool // none was left
}

func (w *window) free() bool { return float64(w.underWay+1) <= w.limit }

func (w *window) take() seat {
	w.underWay++
	return seat{epoch: w.epoch, last: !w.free()}
}

func (w *window) settle(s seat, end ending) {
	w.underWay--
	switch {
	case end.overload && s.epoch == w.epoch:
		w.epoch++
		w.limit = max(fewestUnderWay, w.limit*2/3)
	case end.answered && !end.overload && s.last:
		w.limit = min(mostUnderWay, w.limit+1/w.limit)
	}
}
