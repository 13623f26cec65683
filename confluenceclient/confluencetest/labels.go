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

// textInPath is the page, blog post or attachment of the path.
func (r *request) textInPath() *content {
	if r.kindInPath() == typeAttachment {
		return r.attachmentInPath("id")
	}
	return r.inPath()
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

// listVersions lists the newest first.
func (r *request) listVersions() {
	format, ok := r.oneOf("body-format", "storage", "atlas_doc_format")
	if !ok {
		return
	}
	c := r.textInPath()
	if c == nil {
		return
	}
	versions := slices.Clone(c.versions)
	slices.Reverse(versions)
	list(r, versions, 25, func(v *version) object {
		shown := versionJSON(v)
		about := object{"id": c.id, "title": c.title}
		if format != "" && c.kind != typeAttachment {
			about["body"] = object{format: object{"representation": format, "value": v.body.in(format)}}
		}
		shown[r.kindInPath()] = about
		return shown
	})
}
