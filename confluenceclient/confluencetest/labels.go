package confluencetest

import (
	"hash/fnv"
	"slices"
	"strconv"
)

func labelsJSON(labels []string) []object {
	shown := []object{}
	for _, name := range labels {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name))
		shown = append(shown, object{"id": strconv.FormatUint(uint64(h.Sum32()), 10), "name": name, "prefix": "global"})
	}
	return shown
}

func (r *request) listLabels() {
	if c := r.textInPath(); c != nil {
		labels := c.labels
		if prefix := r.query.Get("prefix"); prefix != "" && prefix != "global" {
			labels = nil
		}
		list(r, labelsJSON(labels), 25, func(o object) object { return o })
	}
}

func (r *request) listAllLabels() {
	var names []string
	for _, c := range r.site.ordered {
		if c.visibleTo(r.account) {
			names = append(names, c.labels...)
		}
	}
	slices.Sort(names)
	list(r, labelsJSON(slices.Compact(names)), 25, func(o object) object { return o })
}
