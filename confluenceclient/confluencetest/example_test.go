package confluencetest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// A test of your own client, in ten lines: point it at the server, and let it
// read. The test fails by itself for whatever the client does that would not
// work with Atlassian's gateway.
func ExampleNewServer() {
	_ = func(t *testing.T) {
		server := confluencetest.NewServer(t, confluencetest.SampleSite())
		client := newYourClient(server.GatewayURL(), server.CloudID, server.Email, server.Token)

		title, err := client.title("1001")
		if err != nil || title != "Run Book" {
			t.Errorf("title(1001) = %q, %v", title, err)
		}

		server.AddFault(confluencetest.Fault{Route: "/wiki/api/v2/pages/{id}", Status: 429, Count: 1})
		if _, err := client.title("1001"); err == nil {
			t.Error("a rate limit is no error")
		}
	}
}

// Without sockets and without a test, all four hosts are behind one transport.
func ExampleSimulator_Transport() {
	sim := confluencetest.New(confluencetest.SampleSite())
	client := newYourClient(confluencetest.GatewayURL, sim.CloudID, sim.Email, sim.Token)
	client.http.Transport = sim.Transport()
	fmt.Println(client.title("1001"))

	sim.RevokeToken("default")
	fmt.Println(client.title("1001")) // a dead token looks like an absent page
	// Output:
	// Run Book <nil>
	//  404 Not Found
}

// yourClient stands for the client under test.
type yourClient struct {
	http                 http.Client
	pages, email, secret string
}

func newYourClient(gateway, cloudID, email, token string) *yourClient {
	return &yourClient{pages: gateway + "/ex/confluence/" + cloudID + "/wiki/api/v2/pages/", email: email, secret: token}
}

func (c *yourClient) title(id string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, c.pages+id, nil)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(c.email, c.secret)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", resp.Status)
	}
	var page struct{ Title string }
	err = json.NewDecoder(resp.Body).Decode(&page)
	return page.Title, err
}
