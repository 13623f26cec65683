package confluenceclient

import "time"

// KnownPlace is Place from what was learned within maxAge, without a request;
// false: not all of it is known.
func (c *Client) KnownPlace(kind ContentType, id string, facts Facts, maxAge time.Duration) (Place, bool) {
	ops, ok := placeOps[kind]
	if !ok {
		return Place{}, false
	}
	place, ok := c.knownSpace(ops.space, id, maxAge)
	if ok && facts.Labels && ops.labels != nil {
		place.Labels, ok = known[[]string](c, ops.labels, id, maxAge)
	}
	if !ok || !facts.Ancestors && !facts.Restricted {
		return place, ok
	}
	if ops.ancestors != nil {
		var above []ancestor
		above, ok = known[[]ancestor](c, ops.ancestors, id, maxAge)
		place.Ancestors = idsOf(above)
	}
	if !facts.Restricted {
		return place, ok
	}
	for _, at := range append([]string{id}, place.Ancestors...) {
		limited, told := known[bool](c, opRestrictions, at, maxAge)
		place.Restricted, ok = place.Restricted || limited, ok && told
	}
	return place, ok
}

func (c *Client) knownSpace(op *Operation, id string, maxAge time.Duration) (Place, bool) {
	if op != opGetPage {
		return known[Place](c, op, id, maxAge)
	}
	state, young := c.states.young(stateKey{c.identity(), id}, maxAge)
	if !young || state.absent != nil {
		return Place{}, false
	}
	return Place{SpaceID: state.value.SpaceID, SpaceKey: state.value.SpaceKey}, true
}

// known returns what was learned of content within maxAge.
func known[V any](c *Client, op *Operation, id string, maxAge time.Duration) (V, bool) {
	value, ok := c.places.get(placeKey{identity: c.identity(), fact: op, id: id}, maxAge)
	if !ok {
		var none V
		return none, false
	}
	return value.(V), true
}
