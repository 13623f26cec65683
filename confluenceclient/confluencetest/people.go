package confluencetest

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (a *account) json() object {
	kind := "atlassian"
	if a.service {
		kind = "app"
	}
	return object{
		"type": "known", "accountId": a.id, "accountType": kind, "email": "", "publicName": a.display, "displayName": a.display,
		"profilePicture":         object{"path": "/wiki/aa-avatar/" + a.id, "width": 48, "height": 48, "isDefault": true},
		"isExternalCollaborator": false, "_expandable": object{"operations": "", "personalSpace": ""}, "_links": object{},
	}
}

func (r *request) currentUser() {
	if r.account.id == "" {
		r.json(object{"type": "anonymous", "displayName": "Anonymous", "_links": object{"base": r.linkBase(), "context": "/wiki"}})
		return
	}
	shown := r.account.json()
	shown["_links"] = object{"base": r.linkBase(), "context": "/wiki", "self": r.base + "/wiki/rest/api/user?accountId=" + r.account.id}
	r.json(shown)
}

func (s *Site) accountByID(id string) *account {
	for _, a := range s.accounts {
		if a.id == id {
			return a
		}
	}
	return nil
}

func (r *request) getUser() {
	id := r.query.Get("accountId")
	a := r.site.accountByID(id)
	if a == nil {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No user found with key : "+id)
		return
	}
	r.json(a.json())
}

func (r *request) usersBulk() {
	results := []object{}
	for _, id := range r.query["accountId"] {
		if a := r.site.accountByID(id); a != nil {
			results = append(results, a.json())
		}
	}
	r.json(object{"results": results, "start": 0, "limit": 200, "size": len(results), "_links": object{"base": r.linkBase(), "context": "/wiki"}})
}

// listUsers is v2's: a POST that reads.
func (r *request) listUsers() {
	var asked struct {
		AccountIDs []string `json:"accountIds"`
	}
	if !r.body(&asked) {
		return
	}
	results := []object{}
	for _, id := range asked.AccountIDs {
		if a := r.site.accountByID(id); a != nil {
			results = append(results, object{
				"displayName": a.display, "publicName": a.display, "accountId": a.id, "accountType": a.json()["accountType"],
				"accountStatus": "active", "email": "", "timeZone": a.zone.String(), "isExternalCollaborator": false,
			})
		}
	}
	r.json(object{"results": results})
}

// convertIDs tells the types of ids; null for what is not there, or not for this
// account to see.
func (r *request) convertIDs() {
	var asked struct {
		ContentIDs []json.RawMessage `json:"contentIds"`
	}
	if !r.body(&asked) {
		return
	}
	types := object{}
	for _, raw := range asked.ContentIDs {
		id := strings.Trim(string(raw), `"`)
		types[id] = nil
		if c := r.find(id, contentTypes...); c != nil {
			types[id] = c.kind
		}
	}
	r.json(object{"results": types})
}

func (r *request) body(to any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(r.w, r.http.Body, 1<<20)).Decode(to); err != nil {
		refuseParameter(r.w, "The request's body is not valid JSON")
		return false
	}
	return true
}

// restrictions lists who may read and change something; nobody named means
// everybody.
func (r *request) restrictions() {
	c := r.find(r.http.PathValue("id"), contentTypes...)
	if c == nil {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No content found with id: ContentId{id="+r.http.PathValue("id")+"}")
		return
	}
	results := []object{r.restriction(c, "read"), r.restriction(c, "update")}
	r.json(object{"results": results, "restrictionsHash": c.id, "start": 0, "limit": 100, "size": len(results), "_links": object{"base": r.linkBase(), "context": "/wiki", "self": ""}})
}

func (r *request) restrictionsByOperation() {
	c := r.find(r.http.PathValue("id"), contentTypes...)
	if c == nil {
		refuseV1(r.w, http.StatusNotFound, "NotFoundException", "No content found with id: ContentId{id="+r.http.PathValue("id")+"}")
		return
	}
	r.json(object{"read": r.restriction(c, "read"), "update": r.restriction(c, "update"), "_links": object{"base": r.linkBase(), "context": "/wiki", "self": ""}})
}

func (r *request) restriction(c *content, operation string) object {
	users := []object{}
	if operation == "read" {
		for _, a := range c.viewers {
			users = append(users, a.json())
		}
	}
	return object{
		"operation": operation,
		"restrictions": object{
			"user":  object{"results": users, "start": 0, "limit": 200, "size": len(users)},
			"group": object{"results": []object{}, "start": 0, "limit": 200, "size": 0},
		},
		"_expandable": object{"content": "/rest/api/content/" + c.id}, "_links": object{"self": r.base + "/wiki/rest/api/content/" + c.id + "/restriction/byOperation/" + operation},
	}
}

// audit turns away everybody: its scope opens it, but only administrators may
// read it.
func (r *request) audit() {
	refuseV1(r.w, http.StatusForbidden, "PermissionException", "Only administrators may see audit records.")
}
