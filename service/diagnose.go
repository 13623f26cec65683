package service

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"google.golang.org/protobuf/types/known/timestamppb"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

const (
	// maxDiagnosisAge is how long findings are good for all who ask. A run is
	// about sixteen upstream requests, which is too much for each call of anybody.
	maxDiagnosisAge = 30 * time.Second
	// diagnosisTimeout is for an upstream that does not answer at all.
	diagnosisTimeout = time.Minute
)

// diagnosis shares runs of the checks among callers.
type diagnosis struct {
	run  func(context.Context) []confluenceclient.Finding // nil: there are none
	runs singleflight.Group
	last atomic.Pointer[brokerv1.DiagnoseResponse] // never changed, only replaced
}

// Diagnose runs the checks of `doctor` inside the running broker.
func (s *service) Diagnose(ctx context.Context, _ *brokerv1.DiagnoseRequest) (*brokerv1.DiagnoseResponse, error) {
	if s.diagnosis.run == nil {
		return nil, &failure{cause: causeNotImplemented, message: "this broker was started without checks to run"}
	}
	s.audit.call(ctx, outcomeAllowed, readerOf(ctx).rules.Method("Diagnose").Rule)
	return s.diagnosis.get(ctx)
}

// get returns the findings of the last run, or of one that is under way. A run
// outlives callers that give up: others may wait for it.
func (d *diagnosis) get(ctx context.Context) (*brokerv1.DiagnoseResponse, error) {
	result := d.runs.DoChan("", func() (_ any, err error) {
		defer func() { // singleflight would end the program
			if cause := recover(); cause != nil {
				err = panicError(cause)
			}
		}()
		if last := d.last.Load(); last != nil && time.Since(last.GetRunTime().AsTime()) < maxDiagnosisAge {
			return last, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnosisTimeout)
		defer cancel()
		resp := diagnoseResponse(d.run(ctx))
		if ctx.Err() != nil { // checks cut short are no diagnosis
			return nil, &failure{cause: confluenceclient.CauseUnavailable, message: "the checks took more than a minute, so Confluence or the way to it is at fault", err: ctx.Err()}
		}
		d.last.Store(resp)
		return resp, nil
	})
	select {
	case r := <-result:
		resp, _ := r.Val.(*brokerv1.DiagnoseResponse) // nil with an error
		return resp, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func diagnoseResponse(findings []confluenceclient.Finding) *brokerv1.DiagnoseResponse {
	severities := map[confluenceclient.Severity]brokerv1.Finding_Severity{
		confluenceclient.OK:      brokerv1.Finding_SEVERITY_OK,
		confluenceclient.Warning: brokerv1.Finding_SEVERITY_WARNING,
		confluenceclient.Problem: brokerv1.Finding_SEVERITY_PROBLEM,
		confluenceclient.Skipped: brokerv1.Finding_SEVERITY_SKIPPED,
	}
	resp := &brokerv1.DiagnoseResponse{RunTime: timestamppb.Now()}
	for _, f := range findings {
		resp.Findings = append(resp.Findings, &brokerv1.Finding{
			Check: f.Check, Severity: severities[f.Severity], Seen: f.Seen, Remedy: f.Remedy,
		})
	}
	return resp
}
