package service

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

func TestDiagnoseReturnsTheFindings(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(s *setup) {
		s.service.Diagnose = func(context.Context) []confluenceclient.Finding {
			return []confluenceclient.Finding{
				{Check: "config", Severity: confluenceclient.OK, Seen: "good"},
				{Check: "token-accepted", Severity: confluenceclient.Problem, Seen: "401", Remedy: "make a new one"},
			}
		}
	})
	got, err := brokerv1.NewDiagnosticsServiceClient(b.conn).Diagnose(t.Context(), &brokerv1.DiagnoseRequest{})
	if err != nil || len(got.GetFindings()) != 2 || got.GetFindings()[1].GetSeverity() != brokerv1.Finding_SEVERITY_PROBLEM ||
		got.GetFindings()[1].GetRemedy() != "make a new one" {
		t.Errorf("Diagnose = %v, %v", got, err)
	}
	_, err = brokerv1.NewDiagnosticsServiceClient(newBroker(t).conn).Diagnose(t.Context(), &brokerv1.DiagnoseRequest{})
	failedAs(t, err, codes.Unimplemented, "NOT_IMPLEMENTED")
}

func (b *broker) diagnose(ctx context.Context) (*brokerv1.DiagnoseResponse, error) {
	return brokerv1.NewDiagnosticsServiceClient(b.conn).Diagnose(ctx, &brokerv1.DiagnoseRequest{})
}

func TestDiagnosesAtTheSameTimeAndSoonAfterwardsShareOneRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		runs := make(chan struct{}, 10)
		b := newBroker(t, func(s *setup) {
			s.service.Diagnose = func(context.Context) []confluenceclient.Finding {
				runs <- struct{}{}
				time.Sleep(2 * time.Second)
				return []confluenceclient.Finding{{Check: "config", Severity: confluenceclient.OK}}
			}
		})
		impatient, giveUp := context.WithTimeout(t.Context(), time.Second)
		defer giveUp()
		go func() { _, _ = b.diagnose(impatient) }() // who begins a run may leave before its end
		synctest.Wait()
		for range 20 {
			go func() {
				if got, err := b.diagnose(t.Context()); err != nil || len(got.GetFindings()) != 1 {
					t.Errorf("Diagnose = %v, %v", got, err)
				}
			}()
		}
		time.Sleep(25 * time.Second)
		first, err := b.diagnose(t.Context())
		if err != nil || time.Since(first.GetRunTime().AsTime()) != 23*time.Second {
			t.Errorf("run time %v, %v, want 23 s ago", first.GetRunTime().AsTime(), err)
		}
		if len(runs) != 1 {
			t.Errorf("%d runs, want 1", len(runs))
		}
		time.Sleep(10 * time.Second)
		again, err := b.diagnose(t.Context())
		if err != nil || !again.GetRunTime().AsTime().After(first.GetRunTime().AsTime()) || len(runs) != 2 {
			t.Errorf("%v, %v after %d runs, want new findings after 30 s", again, err, len(runs))
		}
	})
}

func TestADiagnosisThatDoesNotEndIsNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		begun := 0
		b := newBroker(t, func(s *setup) {
			s.service.Diagnose = func(ctx context.Context) []confluenceclient.Finding {
				if begun++; begun == 1 {
					<-ctx.Done()
				}
				return nil
			}
		})
		_, err := b.diagnose(t.Context())
		failedAs(t, err, codes.Unavailable, "UPSTREAM_UNAVAILABLE")
		if _, err := b.diagnose(t.Context()); err != nil || begun != 2 {
			t.Errorf("the next call: %v after %d runs", err, begun)
		}
	})
}

func TestADiagnosisThatPanicsIsAnInternalFault(t *testing.T) {
	t.Parallel()
	b := newBroker(t, func(s *setup) {
		s.service.Diagnose = func(context.Context) []confluenceclient.Finding { panic("out of cheese") }
	})
	for range 2 {
		_, err := b.diagnose(t.Context())
		failedAs(t, err, codes.Internal, "INTERNAL_FAULT")
	}
	if line := lastLine(t, b); !strings.Contains(fmt.Sprint(line["cause"]), "out of cheese") {
		t.Errorf("log line = %v, want the panic", line)
	}
}
