package service

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// stop stops the broker with a grace of ten seconds and tells how long it took.
func (b *broker) stop(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	grace, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b.server.Stop(grace)
	return time.Since(start)
}

func TestCallsThatOutlastTheGraceAreToldWhy(t *testing.T) {
	t.Parallel()
	for _, upstream := range []struct {
		name   string
		change func(*setup)
	}{
		{"an upstream that never answers", hanging},
		{"an upstream that stalls within its answer", stalling},
	} {
		for rpc, call := range calls() {
			t.Run(rpc+" and "+upstream.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					b := newBroker(t, upstream.change)
					ended := make(chan error, 1)
					go func() { ended <- call(t.Context(), b) }()
					synctest.Wait()
					if took := b.stop(t); took != 10*time.Second {
						t.Errorf("Stop took %v, want the grace of 10 s", took)
					}
					info := failedAs(t, <-ended, codes.Unavailable, "BROKER_STOPPING")
					if info.GetMetadata()["method"] != rpc {
						t.Errorf("metadata = %v, want the method", info.GetMetadata())
					}
					if line := lastLine(t, b); line["reason"] != "BROKER_STOPPING" || line["level"] != "WARN" || strings.Contains(b.logs.String(), "caller went away") {
						t.Errorf("the log blames the caller: %s", b.logs)
					}
				})
			})
		}
	}
}

func TestAReaderThatReadsOnIsToldWhyItsDownloadEnded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		stream, err := b.GetAttachment(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			time.Sleep(9 * time.Second)
			for err == nil {
				time.Sleep(200 * time.Millisecond) // slower than the grace allows
				_, err = stream.Recv()
			}
			ended <- err
		}()
		b.stop(t)
		if err := <-ended; err != io.EOF { //nolint:errorlint // as Recv gives it
			failedAs(t, err, codes.Unavailable, "BROKER_STOPPING")
		} else {
			t.Error("the download ended well, so that this test shows nothing")
		}
	})
}

func TestAReaderThatReadsNothingIsCutAndNotBlamed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		if _, err := b.GetAttachment(t.Context(), &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := b.stop(t); took != 12*time.Second {
			t.Errorf("Stop took %v, want the grace of 10 s and two for last words", took)
		}
		if line := lastLine(t, b); line["reason"] != "BROKER_STOPPING" {
			t.Errorf("log line = %v, want reason BROKER_STOPPING", line)
		}
	})
}

func TestWatchersAndReflectionDoNotHoldUpTheStop(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		for _, service := range []string{"", "confluence.broker.v1.BrokerService", "no.such.Service"} {
			watch, err := healthv1.NewHealthClient(b.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: service})
			if err == nil {
				_, err = watch.Recv()
			}
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if got, err := watch.Recv(); err != nil || got.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
					t.Errorf("Watch(%q) while stopping = %v, %v, want NOT_SERVING", service, got, err)
				}
				for range 3 { // NOT_SERVING may come twice
					if _, err := watch.Recv(); err != nil {
						failedAs(t, err, codes.Unavailable, "BROKER_STOPPING")
						return
					}
				}
				t.Errorf("Watch(%q) does not end", service)
			}()
		}
		if _, err := reflectionv1.NewServerReflectionClient(b.conn).ServerReflectionInfo(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := b.stop(t); took != 0 {
			t.Errorf("Stop took %v", took)
		}
		synctest.Wait()
	})
}

func TestStopWaitsForNothingWhenNothingIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t)
		if _, err := b.GetPage(t.Context(), byID("1001")); err != nil {
			t.Fatal(err)
		}
		if took := b.stop(t); took != 0 {
			t.Errorf("Stop took %v", took)
		}
	})
}

func TestCallsThatFinishWithinTheGraceAreAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t, func(s *setup) {
			s.upstream = func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(req *http.Request) (*http.Response, error) {
					time.Sleep(3 * time.Second)
					return next.RoundTrip(req)
				})
			}
		})
		ended := make(chan error, 1)
		go func() {
			_, err := b.GetPage(t.Context(), byID("1001"))
			ended <- err
		}()
		synctest.Wait()
		if took := b.stop(t); took != 3*time.Second {
			t.Errorf("Stop took %v, want the 3 s of the call", took)
		}
		if err := <-ended; err != nil {
			t.Errorf("GetPage: %v", err)
		}
	})
}

// hanging is an upstream that never answers, until the caller gives up.
func hanging(s *setup) {
	s.upstream = func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
	}
}

// stalling is an upstream whose answers have no end, until the caller gives up.
func stalling(s *setup) {
	s.upstream = func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: stalled{req.Context()}, Request: req}, nil
		})
	}
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (stalled) Close() error { return nil }
