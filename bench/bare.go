package main

import (
	"context"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// bare answers at once with what it was given: gRPC's own cost.
type bare struct {
	brokerv1.UnimplementedBrokerServiceServer
	page *brokerv1.GetPageResponse
	file *brokerv1.Attachment
}

func (b *bare) GetPage(context.Context, *brokerv1.GetPageRequest) (*brokerv1.GetPageResponse, error) {
	return b.page, nil
}

// The size of the broker's messages, so that only the work differs.
const chunk = 256 << 10

func (b *bare) GetAttachment(_ *brokerv1.GetAttachmentRequest, stream brokerv1.BrokerService_GetAttachmentServer) error {
	data := make([]byte, chunk)
	for left := b.file.GetFileSize(); left > 0; left -= chunk {
		part := &brokerv1.GetAttachmentResponse_Data{Data: data[:min(left, chunk)]}
		if err := stream.Send(&brokerv1.GetAttachmentResponse{Part: part}); err != nil {
			return err
		}
	}
	return nil
}
