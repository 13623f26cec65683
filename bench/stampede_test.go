package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
	"github.com/confluence-broker/confluence-broker/service"
)

func TestStampedeOnOnePageIsOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broker, sim := limitedBroker(t)
		const calls = 1000
		together(t, calls, func(int) error { return readPage(t.Context(), broker, 0) })
		t.Logf("%d concurrent identical GetPage: %d upstream requests", calls, len(sim.Requests()))
		if asked := len(sim.Requests()); asked != 1 {
			t.Errorf("%d requests, want 1", asked)
		}
	})
}

func TestStampedeOfManyCallersReadsEachBodyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broker, sim := limitedBroker(t)
		const callers, pages = 50, 200
		began := time.Now()
		together(t, callers, func(caller int) error {
			for i := range pages {
				if err := readPage(t.Context(), broker, (i+37*caller)%pages); err != nil {
					return err
				}
			}
			return nil
		})
		bodies, limited, others := 0, 0, 0
		for _, req := range sim.Requests() {
			switch {
			case req.Status == http.StatusTooManyRequests:
				limited++
			case strings.Contains(req.Path, "/wiki/api/v2/pages/"):
				bodies++
			default:
				others++
			}
		}
		t.Logf("%d callers, %d pages, %d reads in %v: %d body reads, %d look-ups and %d answers 429 upstream", callers, pages, callers*pages, time.Since(began), bodies, others, limited)
		if bodies > pages {
			t.Errorf("%d body reads, want %d at most", bodies, pages)
		}
	})
}

// limitedBroker is a broker in memory, before a simulator that allows so many
// requests a second.
func limitedBroker(t *testing.T) (brokerv1.BrokerServiceClient, *confluencetest.Simulator) {
	t.Helper()
	sim := confluencetest.New(confluencetest.Generate(300, 1), confluencetest.WithRateLimit(50), confluencetest.WithLatency(20*time.Millisecond, 10*time.Millisecond))
	client, err := confluenceclient.New(confluenceclient.Config{
		SiteURL: confluencetest.SiteURL, GatewayURL: confluencetest.GatewayURL, CloudID: sim.CloudID,
		Credentials: confluenceclient.Credentials{Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return sim.Token }},
		Transport:   sim.Transport(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := service.NewServer(service.Config{Client: client, AllowAnonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	l := bufconn.Listen(1 << 20)
	go func() { _ = server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///broker", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		stopped, cancel := context.WithCancel(context.Background())
		cancel() // at once
		server.Stop(stopped)
	})
	return brokerv1.NewBrokerServiceClient(conn), sim
}

func readPage(ctx context.Context, broker brokerv1.BrokerServiceClient, page int) error {
	const before = 100_000 // ids are this and the number of the page, from 1
	_, err := broker.GetPage(ctx, &brokerv1.GetPageRequest{Page: &brokerv1.GetPageRequest_PageId{PageId: fmt.Sprint(before + 1 + page)}})
	return err
}

func together(t *testing.T, n int, call func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := call(i); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	all.Wait()
}
