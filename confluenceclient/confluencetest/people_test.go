package confluencetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (c *caller) post(path, body string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, GatewayURL+"/ex/confluence/"+c.sim.CloudID+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth(c.email, c.token)
	return c.do(req)
}

func TestPostsThatRead(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	const types, users = "/wiki/api/v2/content/convert-ids-to-types", "/wiki/api/v2/users-bulk"
	for _, path := range []string{types, users} {
		if got := c.post(path, "{}"); got.status != 401 {
			t.Errorf("%s without its scope: %d", path, got.status)
		}
		if got := c.as("reader").post(path, "nonsense"); got.status != 400 {
			t.Errorf("%s with nonsense: %d", path, got.status)
		}
	}
	got := c.as("reader").post(types, `{"contentIds":["1001",5005,"6006","3003","404404","att9"]}`).json(t)["results"]
	want := object{"1001": "page", "5005": "folder", "6006": "blogpost", "3003": nil, "404404": nil, "att9": "attachment"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	people := c.as("reader").post(users, `{"accountIds":["712020:abcabcab-0000-4000-8000-000000000002","nobody"]}`).results(t)
	if len(people) != 1 || people[0]["displayName"] != "Ada Example" {
		t.Errorf("users = %v", people)
	}
	if complaints := c.sim.Suspicious(); len(complaints) > 0 {
		t.Errorf("complaints = %v", complaints)
	}
}

func TestPeopleAndRestrictions(t *testing.T) {
	t.Parallel()
	c := newCaller(t).as("classic")
	if got := c.get("/wiki/rest/api/user/current").json(t); got["type"] != "known" || got["displayName"] != "Confluence Broker" {
		t.Errorf("current user = %v", got)
	}
	if got := c.get("/wiki/rest/api/user?accountId=712020:abcabcab-0000-4000-8000-000000000002").json(t); got["displayName"] != "Ada Example" {
		t.Errorf("user = %v", got)
	}
	if got := c.get("/wiki/rest/api/user?accountId=nobody"); got.status != 404 {
		t.Errorf("nobody: %d", got.status)
	}
	if got := c.get("/wiki/rest/api/content/3003/restriction"); got.status != 404 {
		t.Errorf("restrictions of a page that the account may not see: %d", got.status)
	}
	ada := c.as("unscoped").get("/wiki/rest/api/content/3003/restriction/byOperation").json(t)
	readers := ada["read"].(object)["restrictions"].(object)["user"].(object)["results"].([]any)
	if len(readers) != 1 || readers[0].(object)["displayName"] != "Ada Example" {
		t.Errorf("readers = %v", readers)
	}
}
