package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// A page may be larger than gRPC's 4 MiB, if the operator raised the broker's
// limit; the broker, not this program, is to be the one who says no.
const getMaxMessageBytes = 256 << 20

func getCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get",
		Short: "call a broker, as another service would",
		Args:  onlySubcommands,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, sub := range []*cobra.Command{getPageCommand(env), getChildrenCommand(env), getSearchCommand(env), getAttachmentCommand(env)} {
		addFlags(sub, callerSettings())
		cmd.AddCommand(sub)
	}
	return cmd
}

// withBroker connects to the broker and runs call.
func withBroker(cmd *cobra.Command, env environment, call func(ctx context.Context, broker brokerv1.BrokerServiceClient) error) error {
	c, err := load(callerSettings(), cmd.Flags(), env.getenv, nil)
	if err != nil {
		return usageError(err)
	}
	options, err := c.dialOptions()
	if err != nil {
		return usageError(err)
	}
	conn, err := grpc.NewClient("passthrough:///"+c.address,
		append(options, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(getMaxMessageBytes)))...)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := call(cmd.Context(), brokerv1.NewBrokerServiceClient(conn)); err != nil {
		return readable(err, c.address)
	}
	return nil
}

// printWarnings shows on stderr what an answer lacks.
func printWarnings(w io.Writer, warnings []*brokerv1.Warning) {
	for _, warning := range warnings {
		fmt.Fprintf(w, "warning: %s%s\n", printable(warning.GetMessage()), times(warning.GetCount()))
	}
}

func times(count int32) string {
	if count < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", count)
}

// printJSON writes a message as one line of protobuf's JSON.
func printJSON(w io.Writer, m proto.Message) error {
	data, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	// protojson varies its spacing on purpose; a line for programs should not.
	var line json.RawMessage = data
	if data, err = json.Marshal(line); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}

// enumValue finds a value of an enum by the part of its name behind prefix, as
// people write it: lower case, with dashes.
func enumValue(values map[string]int32, prefix, word string) (int32, error) {
	number, ok := values[prefix+strings.ToUpper(strings.ReplaceAll(word, "-", "_"))]
	if !ok || number == 0 {
		return 0, fmt.Errorf("%q is not one of %s", word, strings.Join(enumWords(values, prefix), ", "))
	}
	return number, nil
}

// enumWord is the way back from enumValue.
func enumWord(name fmt.Stringer, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name.String(), prefix), "_", "-"))
}

// enumWords are all that enumValue takes, in the order of the API.
func enumWords(values map[string]int32, prefix string) []string {
	words := make([]string, len(values))
	for name, number := range values {
		if int(number) < len(words) {
			words[number] = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", "-"))
		}
	}
	return words[1:]
}

// printable keeps text from Confluence on its line and in its column, and keeps
// it from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
