package confluenceclient_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

const placeSite = `
-- site --
cloud-id: 11111111-2222-3333-4444-555555555555
-- account broker --
id: 712020:0b0b0b0b-0000-4000-8000-000000000001
email: broker@serviceaccount.acme.example
name: Broker
service: yes
-- token default --
account: broker
secret: ATSTT3xFfSIMULATED-not-a-real-token-place=D0C50001
scopes: read:page:confluence read:space:confluence read:folder:confluence read:content.metadata:confluence read:content-details:confluence
-- space DOC --
id: 10
name: Documents
author: broker
-- page 1 --
space: DOC
title: Home
version: 1 2026-02-01T09:00:00Z broker
-- page 1 storage --
<p>Home</p>
-- folder 5 --
space: DOC
parent: 1
title: Folder
version: 1 2026-02-01T09:00:00Z broker
-- page 2 --
space: DOC
parent: 5
title: Below
labels: alpha, beta
restricted-to: broker
version: 1 2026-02-01T09:00:00Z broker
-- page 2 storage --
<p>Below</p>
-- page 3 --
space: DOC
parent: 2
title: Far below
version: 1 2026-02-01T09:00:00Z broker
-- page 3 storage --
<p>Far below</p>
-- page 4 --
space: DOC
parent: 1
status: trashed
title: Gone
version: 1 2026-02-01T09:00:00Z broker
-- page 4 storage --
<p>Gone</p>
-- blogpost 6 --
space: DOC
title: News
labels: news
version: 1 2026-02-01T09:00:00Z broker
-- blogpost 6 storage --
<p>News</p>
`

func newPlaceClient(t *testing.T) (*confluenceclient.Client, *confluencetest.Simulator) {
	t.Helper()
	site, err := confluencetest.ParseSite("place.txtar", []byte(placeSite))
	if err != nil {
		t.Fatal(err)
	}
	sim := confluencetest.New(site)
	client, err := confluenceclient.New(confluenceclient.Config{
		SiteURL: confluencetest.SiteURL, GatewayURL: confluencetest.GatewayURL, CloudID: sim.CloudID,
		Credentials: confluenceclient.Credentials{
			Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return sim.Token },
		},
		Transport: sim.Transport(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, sim
}

func TestPlaceTellsTheFactsThatWereAskedForAndNoOthers(t *testing.T) {
	t.Parallel()
	all := confluenceclient.Facts{Ancestors: true, Labels: true, Restricted: true}
	in := func(p confluenceclient.Place) confluenceclient.Place {
		p.SpaceID, p.SpaceKey = "10", "DOC"
		return p
	}
	for name, test := range map[string]struct {
		kind     confluenceclient.ContentType
		id       string
		facts    confluenceclient.Facts
		want     confluenceclient.Place
		requests int
	}{
		"the space alone":          {"page", "3", confluenceclient.Facts{}, in(confluenceclient.Place{}), 1},
		"labels":                   {"page", "2", confluenceclient.Facts{Labels: true}, in(confluenceclient.Place{Labels: []string{"alpha", "beta"}}), 2},
		"ancestors of each kind":   {"page", "3", confluenceclient.Facts{Ancestors: true}, in(confluenceclient.Place{Ancestors: []string{"1", "5", "2"}}), 2},
		"restricted from above":    {"page", "3", all, in(confluenceclient.Place{Ancestors: []string{"1", "5", "2"}, Labels: []string{}, Restricted: true}), 7},
		"a folder, not restricted": {"folder", "5", all, in(confluenceclient.Place{Ancestors: []string{"1"}}), 5},
		"a blog post":              {"blogpost", "6", all, in(confluenceclient.Place{Labels: []string{"news"}}), 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sim := newPlaceClient(t)
			got, err := client.Place(t.Context(), test.kind, test.id, test.facts, time.Hour)
			if err != nil || !cmp.Equal(got, test.want) {
				t.Errorf("Place: %v, %s", err, cmp.Diff(test.want, got))
			}
			if n := len(sim.Requests()); n != test.requests {
				t.Errorf("%d requests, want %d: %v", n, test.requests, sim.Requests())
			}
			if _, err := client.Place(t.Context(), test.kind, test.id, test.facts, time.Hour); err != nil || len(sim.Requests()) != test.requests {
				t.Errorf("asked again: %v after %d requests", err, len(sim.Requests()))
			}
			if _, err := client.Place(t.Context(), test.kind, test.id, test.facts, 0); err != nil || len(sim.Requests()) == test.requests {
				t.Errorf("age 0: %v after %d requests", err, len(sim.Requests()))
			}
		})
	}
}

func TestContentThatIsNotThereHasNoPlace(t *testing.T) {
	t.Parallel()
	client, _ := newPlaceClient(t)
	for _, id := range []string{"4", "5", "6", "424242"} {
		_, err := client.Place(t.Context(), confluenceclient.TypePage, id, confluenceclient.Facts{}, time.Hour)
		if confluenceclient.CauseOf(err) != confluenceclient.CauseNotFound {
			t.Errorf("page %s: %v", id, err)
		}
	}
	if _, err := client.Place(t.Context(), confluenceclient.TypeComment, "8001", confluenceclient.Facts{}, 0); confluenceclient.CauseOf(err) != confluenceclient.CauseInvalid {
		t.Errorf("a comment: %v", err)
	}
}

func TestAFactThatCannotBeHadIsAnErrorAndNotLeftOut(t *testing.T) {
	t.Parallel()
	for _, route := range []string{
		"/wiki/api/v2/pages/{id}/labels", "/wiki/api/v2/pages/{id}/ancestors", "/wiki/rest/api/content/{id}/restriction/byOperation",
	} {
		client, sim := newPlaceClient(t)
		sim.AddFault(confluencetest.Fault{Route: route, Status: 403})
		facts := confluenceclient.Facts{Ancestors: true, Labels: true, Restricted: true}
		if place, err := client.Place(t.Context(), confluenceclient.TypePage, "3", facts, time.Hour); err == nil && !place.Restricted {
			t.Errorf("%s refused: %+v", route, place)
		}
	}
}
