package confluencetest

import (
	"slices"
	"strconv"
	"strings"
)

// textInPath is what the path names of those that have labels and versions.
func (r *request) textInPath() *content {
	switch kind := r.kindInPath(); {
	case kind == typeAttachment:
		return r.attachmentInPath("id")
	case strings.HasSuffix(kind, "-"+typeComment):
		return r.commentInPath()
	}
	return r.inPath()
}

// versionAsked is the version of c that the query names, without a word of it
// the current one; nil: refused already.
func (r *request) versionAsked(c *content) *version {
	if !r.query.Has("version") {
		return c.current()
	}
	n, ok := r.number("version", 0, 1<<31-1)
	if !ok {
		return nil
	}
	v := c.versionNumbered(n)
	if v == nil {
		refuseAbsent(r.w, "Cannot find version %s of the "+c.kind, r.query.Get("version"))
	}
	return v
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
		shown[strings.TrimPrefix(strings.TrimPrefix(r.kindInPath(), "footer-"), "inline-")] = about
		return shown
	})
}

func (r *request) getVersion() {
	c := r.textInPath()
	if c == nil {
		return
	}
	text := r.http.PathValue("number")
	n, _ := strconv.Atoi(text)
	i := slices.IndexFunc(c.versions, func(v *version) bool { return v.number == n })
	if i < 0 {
		refuseAbsent(r.w, "Cannot find version [%s]", text)
		return
	}
	shown := versionJSON(c.versions[i])
	shown["contentTypeModified"], shown["collaborators"] = false, []string{c.versions[i].author.id}
	if i > 0 {
		shown["prevVersion"] = c.versions[i-1].number
	}
	if i+1 < len(c.versions) {
		shown["nextVersion"] = c.versions[i+1].number
	}
	r.json(shown)
}
