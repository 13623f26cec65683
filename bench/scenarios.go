package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

const (
	bareGRPC   = "bare gRPC"
	directHTTP = "direct HTTP"
	proxied    = "reverse proxy"
)

func (w *world) pageGroup() group {
	ask := func(maxAge time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.broker.GetPage(ctx, &brokerv1.GetPageRequest{
				Page: &brokerv1.GetPageRequest_PageId{PageId: pageID}, MaxAge: durationpb.New(maxAge),
			})
			return err
		}
	}
	return group{
		title: fmt.Sprintf("GetPage, a body of %d bytes, %d callers a processor", len(w.page.GetPage().GetBody().GetValue()), callers),
		scenarios: []*scenario{
			{name: bareGRPC, call: func(ctx context.Context) error {
				_, err := w.bare.GetPage(ctx, &brokerv1.GetPageRequest{})
				return err
			}},
			{name: "GetPage, cached", against: []string{bareGRPC}, call: ask(time.Hour)},
			{name: directHTTP, call: w.fetch(w.gateway+"/wiki/api/v2/pages/"+pageID+"?body-format=storage", true)},
			{name: proxied, against: []string{directHTTP}, call: w.fetch(w.proxy+"/wiki/api/v2/pages/"+pageID+"?body-format=storage", false)},
			{name: "GetPage, cold", against: []string{directHTTP, proxied, bareGRPC}, call: ask(0)},
		},
	}
}

func (w *world) fileGroup() group {
	download := "/wiki/rest/api/content/" + w.file.GetPageId() + "/child/attachment/" + w.file.GetId() + "/download"
	return group{
		title: fmt.Sprintf("GetAttachment, %d bytes, %d callers a processor", w.file.GetFileSize(), callers),
		scenarios: []*scenario{
			{name: bareGRPC, call: func(ctx context.Context) error { return w.receive(ctx, w.bare) }},
			{name: proxied, call: w.fetch(w.proxy+download, false)},
			{name: "GetAttachment", against: []string{proxied, bareGRPC}, call: func(ctx context.Context) error { return w.receive(ctx, w.broker) }},
		},
	}
}

// fetch reads an answer whole.
func (w *world) fetch(url string, credentials bool) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if credentials {
			req.SetBasicAuth(w.email, w.token)
		}
		resp, err := w.http.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
}

// receive reads an attachment's stream whole.
func (w *world) receive(ctx context.Context, from brokerv1.BrokerServiceClient) error {
	stream, err := from.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: w.file.GetId()})
	if err != nil {
		return err
	}
	var got int64
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		got += int64(len(message.GetData()))
	}
	if got != w.file.GetFileSize() {
		return fmt.Errorf("got %d of %d bytes", got, w.file.GetFileSize())
	}
	return nil
}
