package confluenceclient_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// A client needs the site's address, its cloud ID and a credential. Here the
// simulator stands in for Confluence, in memory.
func ExampleClient() {
	sim := confluencetest.New(confluencetest.SampleSite())
	client, err := confluenceclient.New(confluenceclient.Config{
		SiteURL:    confluencetest.SiteURL,
		GatewayURL: confluencetest.GatewayURL, // in production: leave it out
		CloudID:    sim.CloudID,
		Credentials: confluenceclient.Credentials{
			Scheme: confluenceclient.SchemeBasic, Email: sim.Email,
			Secret: func() string { return sim.Token },
		},
		Transport: sim.Transport(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := client.Page(context.Background(), "1001", confluenceclient.PageOptions{Format: confluenceclient.FormatStorage})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Title, "in", page.SpaceKey, "is at", page.WebURL)

	_, err = client.Page(context.Background(), "424242", confluenceclient.PageOptions{})
	var failure *confluenceclient.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Cause, "after", failure.Attempts, "attempt")
	}
	// Output:
	// Run Book in DOC is at https://acme.example/wiki/spaces/DOC/pages/1001/Run+Book
	// not_found after 1 attempt
}

// Scopes of every operation are at hand, to be shown or checked.
func ExampleNeeds() {
	for _, need := range confluenceclient.Needs() {
		if need.RPC == "Search" {
			fmt.Println(need.AnyOf[0].Endpoint(), "needs", need.AnyOf[0].Scopes())
		}
	}
	// Output:
	// GET /wiki/rest/api/search needs search:confluence or read:content-details:confluence
}
