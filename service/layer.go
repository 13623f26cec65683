package service

import (
	"context"
	"path"

	"google.golang.org/grpc"
)

// layer is one interceptor in both forms. A nil form does nothing.
type layer struct {
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// around makes a layer of a function that is called around calls of either
// kind. next runs the call.
func around(f func(ctx context.Context, fullMethod string, next func() error) error) layer {
	return layer{
		unary: func(ctx context.Context, req any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			var resp any
			err := f(ctx, call.FullMethod, func() (err error) {
				resp, err = handle(ctx, req)
				return err
			})
			if err != nil {
				return nil, err
			}
			return resp, nil
		},
		stream: func(srv any, stream grpc.ServerStream, call *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			return f(stream.Context(), call.FullMethod, func() error { return handle(srv, stream) })
		},
	}
}

// entering makes a layer of a function that is called before calls of either
// kind. It refuses the call, or returns the context for it and what to do once it
// has ended.
func entering(f func(ctx context.Context, fullMethod string) (context.Context, func(), error)) layer {
	return layer{
		unary: func(ctx context.Context, req any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			ctx, leave, err := f(ctx, call.FullMethod)
			if err != nil {
				return nil, err
			}
			defer leave()
			return handle(ctx, req)
		},
		stream: func(srv any, stream grpc.ServerStream, call *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, leave, err := f(stream.Context(), call.FullMethod)
			if err != nil {
				return err
			}
			defer leave()
			return handle(srv, &streamWith{ServerStream: stream, ctx: ctx})
		},
	}
}

// chain is the layers as options, the first outermost.
func chain(layers []layer) []grpc.ServerOption {
	var options []grpc.ServerOption
	for _, l := range layers {
		if l.unary != nil {
			options = append(options, grpc.ChainUnaryInterceptor(l.unary))
		}
		if l.stream != nil {
			options = append(options, grpc.ChainStreamInterceptor(l.stream))
		}
	}
	return options
}

// rpcName is the short name of a full method name: GetPage.
func rpcName(fullMethod string) string { return path.Base(fullMethod) }
