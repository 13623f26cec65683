package confluenceclient

import "context"

// Class ranks callers where they wait for the same upstream.
type Class int

// The classes.
const (
	ClassInteractive Class = iota // somebody waits for the answer
	ClassBatch                    // nobody does: an indexer, a nightly job
)

// Caller is on whose behalf a read is made. Callers share the upstream by it.
// The zero value is one interactive caller among others.
type Caller struct {
	Name   string // callers with the same name are one
	Class  Class
	Weight int // share of the upstream next to others of the class; less than 1 counts as 1
}

type callerKey struct{}

// WithCaller returns a context for reads on behalf of caller.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

func callerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
