package confluenceclient

import (
	"context"
	"time"
)

// ticket is one request that waits for its turn. A read that several callers
// share has a place in the line of each, and the first that is served wins. All
// but done is guarded by the limit's lock.
type ticket struct {
	limit  *limit
	lane   *lane
	ctx    context.Context // for its deadline, which may move while others join a shared read
	front  bool            // it has been sent before, and refused
	places map[Caller]*place

	done   chan struct{} // closed when served or refused
	served bool
	permit permit
	err    error // why it is refused
}

func (t *ticket) over() bool { return t.served || t.err != nil }

// add gives the ticket a place for one more caller, while there is room.
func (t *ticket) add(caller Caller) {
	t.limit.mu.Lock()
	defer t.limit.mu.Unlock()
	if t.over() || t.places[caller] != nil || !t.limit.roomFor(t.lane, caller) {
		return
	}
	t.enter(caller)
	t.limit.dispatch(time.Now())
}

// remove takes a caller's place away. The last one stays until the ticket ends:
// whoever leaves last ends its context.
func (t *ticket) remove(caller Caller) {
	t.limit.mu.Lock()
	defer t.limit.mu.Unlock()
	if p := t.places[caller]; p != nil && !t.over() && len(t.places) > 1 {
		t.limit.leave(caller.Class, p)
		delete(t.places, caller)
	}
}

func (t *ticket) enter(caller Caller) {
	t.places[caller] = t.limit.enter(t.lane, t, caller)
}

func (t *ticket) serve(leave permit) {
	t.served, t.permit = true, leave
	t.end()
}

func (t *ticket) refuse(err error) {
	t.err = err
	t.end()
}

func (t *ticket) end() {
	for caller, p := range t.places {
		t.limit.leave(caller.Class, p)
	}
	clear(t.places)
	close(t.done)
}
