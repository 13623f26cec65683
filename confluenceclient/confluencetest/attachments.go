package confluencetest

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// attachmentInPath takes ids with "att" and without, as v2 does.
func (r *request) attachmentInPath(name string) *content {
	value := r.http.PathValue(name)
	digits := strings.TrimPrefix(value, "att")
	if _, err := strconv.ParseUint(digits, 10, 63); err != nil {
		refuseParameter(r.w, "Provided value {%s} for '%s' is not the correct type. It has to match ^(att)?[0-9]+$", value, name)
		return nil
	}
	c := r.find("att"+digits, typeAttachment)
	if c == nil {
		r.refuseAbsentID("Cannot find an attachment with id [%s]", value)
	}
	return c
}

func (r *request) getAttachment() {
	c := r.attachmentInPath("id")
	if c == nil {
		return
	}
	v := r.versionAsked(c)
	if v == nil {
		return
	}
	shown := r.attachmentJSON(c, v)
	if v != c.current() {
		shown["status"] = "historical"
	}
	shown["_links"].(object)["base"] = r.linkBase()
	r.include(shown, c)
	r.json(shown)
}

func (r *request) attachmentJSON(c *content, v *version) object {
	link := "/rest/api/content/" + c.container.id + "/child/attachment/" + c.id + "/download"
	if r.quirk(ServletLinks) {
		link = "/download/attachments/" + c.container.id + "/" + c.title + "?version=" + strconv.Itoa(v.number) + "&api=v2"
	}
	shown := object{
		"id": c.id, "status": c.status, "title": c.title, "createdAt": timeJSON(c.created()),
		"mediaType": c.mediaType, "mediaTypeDescription": strings.ToUpper(c.mediaType), "comment": v.message, "fileId": c.fileID,
		"webuiLink": webui(c), "downloadLink": link, "version": versionJSON(v),
		"_links": object{"webui": webui(c), "download": link},
	}
	if !c.sizeUnknown {
		shown["fileSize"] = v.file.length()
	}
	owner := map[string]string{typePage: "pageId", typeBlogPost: "blogPostId"}[c.container.kind]
	if owner != "" {
		shown[owner] = c.container.id
	}
	return shown
}

func (r *request) listAttachments() {
	if c := r.inPath(); c != nil {
		r.listAttachmentsOf(c.attachments)
	}
}

func (r *request) listAllAttachments() {
	r.listAttachmentsOf(r.site.ordered)
}

func (r *request) listAttachmentsOf(all []*content) {
	statuses := r.values("status")
	if len(statuses) == 0 {
		statuses = []string{"current", "archived"}
	}
	sort, ok := r.oneOf("sort", "created-date", "-created-date", "modified-date", "-modified-date")
	if !ok {
		return
	}
	var found []*content
	for _, c := range all {
		switch {
		case c.kind != typeAttachment, c.purged, !slices.Contains(statuses, c.status), !c.visibleTo(r.account):
		case r.query.Has("mediaType") && r.query.Get("mediaType") != c.mediaType:
		case r.query.Has("filename") && r.query.Get("filename") != c.title: // byte for byte
		default:
			found = append(found, c)
		}
	}
	sortContents(found, sort)
	list(r, found, 50, func(c *content) object { return r.attachmentJSON(c, c.current()) })
}

// download is the one way to the bytes that takes a token: a redirect to a
// signed address at the media host.
func (r *request) download() {
	id, attachmentID := r.http.PathValue("id"), r.http.PathValue("attachmentId")
	c := r.find(attachmentID, typeAttachment)
	if c == nil || c.container.id != id {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No attachment with id "+attachmentID+" on content with id "+id)
		return
	}
	v := c.current()
	if r.query.Has("version") {
		n, err := strconv.Atoi(r.query.Get("version"))
		if v = c.versionNumbered(n); err != nil || v == nil {
			refuseV1(r.w, http.StatusBadRequest, "BadRequestException", "The attachment has no version "+r.query.Get("version"))
			return
		}
	}
	r.redirect(c, v)
}

// thumbnail leads to the file itself: nobody looks at the pixels.
func (r *request) thumbnail() {
	c := r.attachmentInPath("id")
	if c == nil {
		return
	}
	n, ok := r.number("version", c.current().number, 1<<31-1)
	if !ok {
		return
	}
	v := c.versionNumbered(n)
	if v == nil || !strings.HasPrefix(c.mediaType, "image/") {
		refuseAbsent(r.w, "Cannot find a thumbnail of the attachment with id [%s]", c.id)
		return
	}
	r.redirect(c, v)
}

func (r *request) redirect(c *content, v *version) {
	r.w.Header().Set("Location", r.mediaURL(c, v))
	r.w.Header().Set("Cache-Control", "no-store")
	r.w.Header().Set("Content-Length", "0")
	if kind, _, err := mime.ParseMediaType(c.mediaType); err == nil {
		r.w.Header().Set("Content-Type", kind)
	}
	r.w.WriteHeader(http.StatusFound)
}
