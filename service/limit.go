package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// limitAnswers refuses unary answers of more than limit bytes. A client would
// refuse them too, but in words of its own library that help nobody. Streams
// need no limit: their messages are small by construction.
func limitAnswers(limit int) layer {
	return layer{unary: func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		resp, err := handle(ctx, req)
		if message, ok := resp.(proto.Message); ok && err == nil {
			if size := proto.Size(message); size > limit {
				return nil, tooLarge(size, limit,
					"ask for less (BODY_FORMAT_NONE or another body_format, a smaller page_size), or have the broker's operator raise the limit")
			}
		}
		return resp, err
	}}
}
