package confluenceclient

import (
	"context"
	"fmt"

	"golang.org/x/sync/singleflight"
)

// share runs f once for all who ask at the same time. f outlives a caller that
// gives up. A panic in f is an error: f runs on a goroutine of its own, where it
// would end the program.
func share[T any](ctx context.Context, group *singleflight.Group, f func(context.Context) (T, error)) (T, error) {
	result := group.DoChan("", func() (value any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return f(context.WithoutCancel(ctx))
	})
	var none T
	select {
	case r := <-result:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
