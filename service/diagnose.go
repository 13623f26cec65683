package service

import (
	"context"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient"
)

// Diagnose runs the checks of `doctor` inside the running broker.
func (s *Service) Diagnose(ctx context.Context, _ *brokerv1.DiagnoseRequest) (*brokerv1.DiagnoseResponse, error) {
	if s.diagnose == nil {
		return nil, &failure{cause: causeNotImplemented, message: "this broker was started without checks to run"}
	}
	severities := map[confluenceclient.Severity]brokerv1.Finding_Severity{
		confluenceclient.OK:      brokerv1.Finding_SEVERITY_OK,
		confluenceclient.Warning: brokerv1.Finding_SEVERITY_WARNING,
		confluenceclient.Problem: brokerv1.Finding_SEVERITY_PROBLEM,
		confluenceclient.Skipped: brokerv1.Finding_SEVERITY_SKIPPED,
	}
	resp := &brokerv1.DiagnoseResponse{}
	for _, f := range s.diagnose(ctx) {
		resp.Findings = append(resp.Findings, &brokerv1.Finding{
			Check: f.Check, Severity: severities[f.Severity], Seen: f.Seen, Remedy: f.Remedy,
		})
	}
	return resp, ctx.Err() // checks cut short are no diagnosis
}
