package confluenceclient

import "sync"

// retryBudget keeps retries of a whole process from making an upstream that is
// down harder to get up: each read puts a fifth of a retry aside, a retry takes
// one, and what is put aside has a bound. So at most a fifth more is sent for
// failures, whatever part of the requests fails. After Finagle's retry budget
// (https://twitter.github.io/finagle/guide/Clients.html#retries); gRPC's throttling
// stops all retries where more than one request in eleven fails. Refusals for the
// rate take nothing: the pause after them sees to it.
type retryBudget struct {
	report func(float64) // of what is put aside

	mu      sync.Mutex
	retries float64
}

const (
	mostRetries    = 50
	retriesPerRead = 0.2
)

func newRetryBudget(report func(float64)) retryBudget {
	report(mostRetries)
	return retryBudget{report: report, retries: mostRetries}
}

// read counts one read, however often it will be tried.
func (b *retryBudget) read() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retries = min(mostRetries, b.retries+retriesPerRead)
	b.report(b.retries)
}

// take takes one retry, and tells whether there was one.
func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.retries < 1 {
		return false
	}
	b.retries--
	b.report(b.retries)
	return true
}
