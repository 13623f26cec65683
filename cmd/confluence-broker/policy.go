package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/policy"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "check a policy file, or ask it who may read what",
		Args:  onlySubcommands,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(policyCheckCommand(), policyTestCommand())
	return cmd
}

// readPolicy returns the policy in a file, and the file's text. It fails with
// policy.Problems where that is no policy.
func readPolicy(path string) (*policy.Policy, string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	p, err := policy.Parse(path, data, policyWords())
	return p, string(data), err
}

// policyWords are the names that a policy may use, from the API itself: a new
// RPC can be allowed in the release that brings it.
func policyWords() policy.Known {
	known := policy.Known{BodyFormats: enumWords(brokerv1.BodyFormat_value, "BODY_FORMAT_")}
	api := brokerv1.File_confluence_broker_v1_broker_service_proto.Package()
	protoregistry.GlobalFiles.RangeFilesByPackage(api, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				known.Methods = append(known.Methods, string(methods.Get(j).Name()))
			}
		}
		return true
	})
	return known
}

// printIndented writes v as JSON that people can read.
func printIndented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
