package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// readable puts a failed call into one line for people: reason, sentence, then
// what the details add. What the error says around the call's own stays; errors
// that did not come from gRPC are returned as they are.
func readable(err error, address string) error {
	var call interface {
		error
		GRPCStatus() *status.Status
	}
	if !errors.As(err, &call) {
		return err
	}
	sentence := sentenceOf(call.GRPCStatus(), address)
	return errors.New(printable(strings.Replace(err.Error(), call.Error(), sentence, 1)))
}

func sentenceOf(st *status.Status, address string) string {
	var reason string
	var more []string
	for _, detail := range st.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = detail.GetReason()
			more = append(more, metadataWords(detail.GetMetadata(), st.Message())...)
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				if !strings.Contains(st.Message(), violation.GetDescription()) {
					more = append(more, violation.GetField()+": "+violation.GetDescription())
				}
			}
		case *errdetails.RetryInfo:
			more = append(more, "try again in "+detail.GetRetryDelay().AsDuration().String())
		}
	}
	if reason == "" && st.Code() == codes.Unavailable {
		return fmt.Sprintf("no broker answers at %s, or it went away: %s; is it running, and is --address (BROKER_ADDRESS) right?", address, st.Message())
	}
	if reason == "" {
		reason = st.Code().String()
	}
	return strings.Join(append([]string{reason + ": " + st.Message()}, more...), "; ")
}

// metadataWords leaves out what the sentence, or the command line, says already.
func metadataWords(metadata map[string]string, sentence string) []string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if value := metadata[key]; key != "method" && !strings.Contains(sentence, value) {
			words = append(words, strings.ReplaceAll(key, "_", " ")+": "+value)
		}
	}
	return words
}
