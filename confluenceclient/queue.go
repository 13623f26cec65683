package confluenceclient

import (
	"container/heap"
	"container/list"
	"math"
)

// line is those who wait for one operation, in one class. Callers are served in
// proportion to their weights, and each one's calls in the order they came:
// start-time fair queueing, after Goyal, Vin and Cheng (SIGCOMM 1996). Every
// service puts its caller back by the inverse of its weight, in virtual time; the
// caller that is furthest in front goes next. It is guarded by its owner's lock.
type line struct {
	callers map[string]*account
	order   accounts
	clock   float64 // virtual time: of the latest service
	places  int
	weight  float64 // sum over callers who wait
	arrived int64
}

// account is one caller in a line. While others wait it outlives its last place,
// until it would be its turn: or a caller that asks one thing at a time would always
// be in front.
type account struct {
	name    string
	weight  float64
	due     float64 // virtual time of its next service
	arrival int64   // breaks ties
	places  list.List
	back    *list.Element // last of those in front that came back; nil: none
	index   int           // in the heap
}

// place is where a ticket waits for one caller.
type place struct {
	ticket  *ticket
	line    *line
	account *account
	element *list.Element
}

// enter adds a place, behind the caller's others or, for what was refused
// upstream and comes back, before those that have not been sent yet.
func (l *line) enter(t *ticket, caller Caller, front bool) *place {
	a := l.callers[caller.Name]
	if a == nil {
		a = &account{name: caller.Name}
		if l.callers == nil {
			l.callers = map[string]*account{}
		}
		l.callers[caller.Name] = a
		heap.Push(&l.order, a)
	}
	if a.places.Len() == 0 {
		l.arrived++
		a.weight, a.due, a.arrival = max(1, float64(caller.Weight)), max(a.due, l.clock), l.arrived
		l.weight += a.weight
		heap.Fix(&l.order, a.index)
	}
	p := &place{ticket: t, line: l, account: a}
	switch {
	case !front:
		p.element = a.places.PushBack(p)
	case a.back != nil:
		a.back = a.places.InsertAfter(p, a.back)
		p.element = a.back
	default:
		a.back = a.places.PushFront(p)
		p.element = a.back
	}
	l.places++
	return p
}

// leave takes a place away.
func (l *line) leave(p *place) {
	if p.element == p.account.back {
		p.account.back = p.element.Prev()
	}
	p.account.places.Remove(p.element)
	if p.account.places.Len() == 0 {
		l.weight -= p.account.weight
	}
	if l.places--; l.places == 0 {
		*l = line{} // nobody has anything to be fair to
	}
}

// next is the place to be served next; nil: nobody waits.
func (l *line) next() *place {
	for len(l.order) > 0 {
		a := l.order[0]
		if front := a.places.Front(); front != nil {
			return front.Value.(*place)
		}
		// Whoever comes back now is not in front of anybody.
		heap.Pop(&l.order)
		delete(l.callers, a.name)
	}
	return nil
}

// charge puts the caller of a place that is served back by one service.
func (l *line) charge(p *place) {
	l.clock = max(l.clock, p.account.due)
	p.account.due = l.clock + 1/p.account.weight
	heap.Fix(&l.order, p.account.index)
}

// ahead is about how many are served before a new place of a caller of that
// weight with so many places before it.
func (l *line) ahead(caller Caller) float64 {
	before, weight, all := 0, max(1, float64(caller.Weight)), l.weight
	if a := l.callers[caller.Name]; a != nil && a.places.Len() > 0 {
		before, weight = a.places.Len(), a.weight
	} else {
		all += weight
	}
	return math.Min(float64(l.places), float64(before+1)*all/weight-1)
}

// each calls f for every ticket, which may leave.
func (l *line) each(f func(*ticket)) {
	for _, a := range append(accounts(nil), l.order...) {
		for e := a.places.Front(); e != nil; {
			after := e.Next()
			f(e.Value.(*place).ticket)
			e = after
		}
	}
}

// accounts is a heap: in front is who is served next.
type accounts []*account

func (h accounts) Len() int { return len(h) }

func (h accounts) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].arrival < h[j].arrival
}

func (h accounts) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *accounts) Push(x any) {
	a := x.(*account)
	a.index = len(*h)
	*h = append(*h, a)
}

func (h *accounts) Pop() any {
	old := *h
	a := old[len(old)-1]
	*h = old[:len(old)-1]
	return a
}
