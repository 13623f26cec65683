package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
	"github.com/confluence-broker/confluence-broker/service"
)

// What is read: a page and a file of the sample site.
const (
	pageID = "1001"
	fileID = "att80"
)

// world is everything that runs.
type world struct {
	gateway, proxy string // addresses, with the cloud ID's path
	email, token   string
	http           *http.Client
	bare, broker   brokerv1.BrokerServiceClient
	page           *brokerv1.GetPageResponse
	file           *brokerv1.Attachment
	closers        []func()
}

func newWorld(ctx context.Context) (*world, error) {
	w := &world{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	simulator, err := w.listen(ctx)
	if err != nil {
		return nil, err
	}
	origin := "http://" + simulator.Addr().String()
	sim := confluencetest.New(confluencetest.SampleSite())
	w.serveHTTP(simulator, sim)
	w.gateway = origin + "/ex/confluence/" + sim.CloudID
	w.email, w.token = sim.Email, sim.Token
	if err := w.startBroker(ctx, sim, origin); err != nil {
		return nil, err
	}
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	if err := w.startBare(ctx); err != nil {
		return nil, err
	}
	return w, w.startProxy(ctx, origin)
}

func (w *world) startBroker(ctx context.Context, sim *confluencetest.Simulator, origin string) error {
	client, err := confluenceclient.New(confluenceclient.Config{
		SiteURL: origin, GatewayURL: origin, CloudID: sim.CloudID,
		Credentials: confluenceclient.Credentials{Scheme: confluenceclient.SchemeBasic, Email: sim.Email, Secret: func() string { return sim.Token }},
		MediaHosts:  []string{strings.TrimPrefix(origin, "http://")},
	})
	if err != nil {
		return err
	}
	server, err := service.NewServer(service.Config{Client: client, AllowAnonymous: true})
	if err != nil {
		return err
	}
	l, err := w.listen(ctx)
	if err != nil {
		return err
	}
	go func() { _ = server.Serve(l) }()
	w.closers = append(w.closers, func() {
		stopped, cancel := context.WithCancel(context.Background())
		cancel() // at once
		server.Stop(stopped)
	})
	w.broker, err = w.dial(l)
	return err
}

// look reads through the broker what the others are to send as well.
func (w *world) look(ctx context.Context) error {
	var err error
	w.page, err = w.broker.GetPage(ctx, &brokerv1.GetPageRequest{Page: &brokerv1.GetPageRequest_PageId{PageId: pageID}})
	if err != nil {
		return fmt.Errorf("page %s: %w", pageID, err)
	}
	stream, err := w.broker.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: fileID, MaxBytes: 1})
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("attachment %s: %w", fileID, err)
	}
	w.file = first.GetAttachment()
	return nil
}

func (w *world) startBare(ctx context.Context) error {
	l, err := w.listen(ctx)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	brokerv1.RegisterBrokerServiceServer(server, &bare{page: w.page, file: w.file})
	go func() { _ = server.Serve(l) }()
	w.closers = append(w.closers, server.Stop)
	w.bare, err = w.dial(l)
	return err
}

// startProxy puts a reverse proxy before the gateway that adds the credentials,
// as careful as it can be made in a few lines.
func (w *world) startProxy(ctx context.Context, origin string) error {
	target, err := url.Parse(origin)
	if err != nil {
		return err
	}
	l, err := w.listen(ctx)
	if err != nil {
		return err
	}
	w.serveHTTP(l, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.SetBasicAuth(w.email, w.token)
		},
		Transport:  followMedia{&http.Transport{MaxIdleConnsPerHost: 64}},
		BufferPool: &buffers{},
	})
	w.proxy = "http://" + l.Addr().String() + strings.TrimPrefix(w.gateway, origin)
	return nil
}

// followMedia follows a download's redirect without the credentials.
type followMedia struct{ next http.RoundTripper }

func (f followMedia) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := f.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusFound {
		return resp, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	location, err := resp.Location()
	if err != nil {
		return nil, err
	}
	media, err := http.NewRequestWithContext(req.Context(), http.MethodGet, location.String(), nil)
	if err != nil {
		return nil, err
	}
	return f.next.RoundTrip(media)
}

// buffers is a httputil.BufferPool.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10 // what ReverseProxy makes without a pool

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }

func (w *world) listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}

func (w *world) serveHTTP(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a measurement without its server means nothing
		}
	}()
	w.closers = append(w.closers, func() { _ = server.Close() })
}

func (w *world) dial(l net.Listener) (brokerv1.BrokerServiceClient, error) {
	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, func() { _ = conn.Close() })
	return brokerv1.NewBrokerServiceClient(conn), nil
}

func (w *world) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
}
