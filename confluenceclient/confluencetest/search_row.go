package confluencetest

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// row is one result of a search. Its title and excerpt are HTML with marks round
// what was found; content.title is as people typed it.
func (r *request) row(q *query, h hit) object {
	shown := object{
		"title": html.EscapeString(marked(title(h), q.words)), "excerpt": r.excerpt(q, h), "url": "/spaces/" + h.space.key,
		"resultGlobalContainer": object{"title": h.space.name, "displayUrl": "/spaces/" + h.space.key},
		"breadcrumbs":           []any{}, "entityType": "space", "iconCssClass": "", "score": 0.0,
		"lastModified": timeJSON(modifiedAt(h)), "friendlyLastModified": modifiedAt(h).UTC().Format("Jan 02, 2006"),
	}
	if h.content == nil {
		shown["space"] = r.spaceV1(h.space)
		return shown
	}
	shown["entityType"], shown["url"], shown["content"] = "content", webui(h.content), r.contentV1(h.content)
	if c := h.content.container; c != nil {
		shown["resultParentContainer"] = object{"title": c.title, "displayUrl": webui(c)}
	}
	return shown
}

func (r *request) spaceV1(sp *space) object {
	return object{
		"id": jsonNumber(sp.id), "key": sp.key, "alias": sp.key, "name": sp.name, "type": sp.kind, "status": sp.status,
		"_expandable": object{}, "_links": object{"webui": "/spaces/" + sp.key, "self": r.base + "/wiki/rest/api/space/" + sp.key},
	}
}

// contentV1 is content in the older API, with what the request wants expanded.
func (r *request) contentV1(c *content) object {
	shown := object{
		"id": c.id, "type": c.kind, "status": c.status, "title": title(hit{content: c}), "childTypes": object{}, "macroRenderingStatus": object{},
		"restrictions": object{}, "_expandable": object{"container": "", "space": "", "version": "", "body": ""},
		"_links": object{"webui": webui(c), "self": r.base + "/wiki/rest/api/content/" + c.id, "tinyui": "/x/" + tinyCode(c.number)},
	}
	expand := strings.Split(r.query.Get("expand"), ",")
	if r.route.old && !r.query.Has("expand") {
		expand = []string{"history", "space", "version"}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(expand, func(e string) bool { return strings.TrimPrefix(strings.TrimSpace(e), "content.") == name })
	}
	if has("space") {
		shown["space"] = r.spaceV1(c.owner().space)
	}
	if has("container") {
		shown["container"] = r.containerV1(c)
	}
	if has("version") {
		v := c.current()
		shown["version"] = object{"by": v.author.json(), "when": timeJSON(v.when), "number": v.number, "message": v.message, "minorEdit": v.minor, "friendlyWhen": ""}
	}
	if has("ancestors") {
		above := []object{}
		for at := c.parent; at != nil; at = at.parent {
			above = append([]object{{"id": at.id, "type": at.kind, "status": at.status, "title": at.title, "_links": object{"webui": webui(at)}}}, above...)
		}
		shown["ancestors"] = above
	}
	if has("history") {
		shown["history"] = object{"latest": true, "createdBy": c.author().json(), "createdDate": timeJSON(c.created()), "_expandable": object{}}
	}
	if has("metadata.labels") {
		labels := labelsJSON(c.labels)
		shown["metadata"] = object{"labels": object{"results": labels, "start": 0, "limit": 200, "size": len(labels)}}
	}
	if c.kind == typeAttachment {
		shown["extensions"] = object{"mediaType": c.mediaType, "fileSize": c.current().file.length(), "fileId": c.fileID, "comment": c.current().message}
		shown["_links"].(object)["download"] = "/rest/api/content/" + c.container.id + "/child/attachment/" + c.id + "/download"
	}
	body := object{}
	for _, form := range representations {
		if has("body." + form) {
			body[form] = object{"value": c.current().body.in(form), "representation": form, "embeddedContent": []any{}, "_expandable": object{}}
		}
	}
	if len(body) > 0 {
		shown["body"] = body
	}
	return shown
}

// containerV1 is the page that something is on; what is in the tree has its
// space for a container.
func (r *request) containerV1(c *content) object {
	if c.container == nil {
		return r.spaceV1(c.space)
	}
	on := c.container
	return object{
		"id": on.id, "type": on.kind, "status": on.status, "title": on.title,
		"_expandable": object{}, "_links": object{"webui": webui(on), "self": r.base + "/wiki/rest/api/content/" + on.id},
	}
}

// excerpt is in one of the forms that the API description lists; a form that is
// none of them gives nothing, and no error.
func (r *request) excerpt(q *query, h hit) string {
	text := indexed(h)
	switch form := r.query.Get("excerpt"); form {
	case "", "highlight":
		return html.EscapeString(marked(window(text, q.words, 300), q.words))
	case "highlight_unescaped":
		return marked(window(text, q.words, 300), q.words)
	case "indexed":
		return html.EscapeString(window(text, nil, 50))
	case "indexed_unescaped":
		return window(text, nil, 50)
	}
	return ""
}

// window is about size bytes of text, from a little before the first of words.
func window(text string, words []string, size int) string {
	start := 0
	lower := strings.ToLower(text)
	for _, word := range words {
		if i := strings.Index(lower, word); i > 60 && i < len(text) {
			start = i - 60
			break
		}
	}
	end := min(start+size, len(text))
	for start > 0 && start < len(text) && !utf8.RuneStart(text[start]) {
		start++
	}
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[start:max(start, end)]
}

// marked puts the marks of a search round each of words.
func marked(text string, words []string) string {
	var b strings.Builder
	for len(text) > 0 {
		end := strings.IndexFunc(text, func(r rune) bool { return !isWordOfText(r) })
		if end < 0 {
			end = len(text)
		}
		if word := text[:end]; slices.Contains(words, strings.ToLower(word)) {
			b.WriteString("@@@hl@@@" + word + "@@@endhl@@@")
		} else {
			b.WriteString(word)
		}
		text = text[end:]
		start := strings.IndexFunc(text, isWordOfText)
		if start < 0 {
			start = len(text)
		}
		b.WriteString(text[:start])
		text = text[start:]
	}
	return b.String()
}

func isWordOfText(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
