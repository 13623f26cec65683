package confluenceclient

import "sync"

// retryBudget keeps retries of a whole process from making an upstream that is
// down harder to get up: every failure takes a token, every success gives a tenth
// of one back, and below half there are no retries. After gRPC's retry throttling
// (https://github.com/grpc/proposal/blob/master/A6-client-retries.md). Refusals
// for the rate are not counted: the pause after them sees to it.
type retryBudget struct {
	mu     sync.Mutex
	tokens float64
}

const (
	mostRetryTokens = 100
	tokensBySuccess = 0.1
)

func newRetryBudget() retryBudget { return retryBudget{tokens: mostRetryTokens} }

// failed counts a failure and tells whether it may be followed by a retry.
func (b *retryBudget) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = max(0, b.tokens-1)
	return b.tokens > mostRetryTokens/2
}

func (b *retryBudget) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(mostRetryTokens, b.tokens+tokensBySuccess)
}
