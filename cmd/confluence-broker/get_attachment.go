package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

type getAttachmentFlags struct {
	output  string
	version int32
}

func getAttachmentCommand(env environment) *cobra.Command {
	var flags getAttachmentFlags
	cmd := &cobra.Command{
		Use:   "attachment ID",
		Short: "the bytes of an attached file",
		Long: `attachment writes an attached file. Until all of it is there, the bytes are in
FILE.part; run the command again to go on from there. The bytes of a run are
checked against the broker's checksum of them; those of the runs before, against
the checksum in FILE.part.of. A part that was changed since, or is of another
version, is begun anew.`,
		Example: `  confluence-broker get attachment att9
  confluence-broker get attachment att9 --version 1 -o - | sha256sum`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBroker(cmd, env, func(ctx context.Context, broker brokerv1.BrokerServiceClient) error {
				return getAttachment(ctx, cmd, broker, args[0], flags)
			})
		},
	}
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "`FILE` or folder to write to; - is the standard output (default: the file's own name, here)")
	cmd.Flags().Int32Var(&flags.version, "version", 0, "`NUMBER` of an old version; 0 is the current one")
	return cmd
}

func getAttachment(ctx context.Context, cmd *cobra.Command, broker brokerv1.BrokerServiceClient, id string, flags getAttachmentFlags) error {
	incoming, err := openAttachment(ctx, broker, id, flags.version, 0)
	if err != nil {
		return err
	}
	defer func() { incoming.cancel() }()
	if flags.output == "-" {
		return incoming.copyTo(cmd.OutOrStdout())
	}
	path, err := targetPath(flags.output, incoming.about)
	if err != nil {
		return err
	}
	part, err := openPart(path, incoming.about)
	if err != nil {
		return err
	}
	defer part.close()
	if part.size > 0 {
		// The version is named now, so that the rest belongs to the same file.
		incoming.cancel()
		rest, err := openAttachment(ctx, broker, id, incoming.about.GetVersion().GetNumber(), part.size)
		if err != nil {
			return err
		}
		incoming = rest
	}
	before := part.size
	bar := progress(cmd.ErrOrStderr(), incoming.about, part.size)
	if err := incoming.copyTo(io.MultiWriter(part, bar)); err != nil {
		if errors.Is(err, errChecksum) {
			err = errors.Join(err, part.cut(before)) // what came is not what was sent
		}
		if keepErr := part.keep(); keepErr != nil {
			return errors.Join(err, keepErr)
		}
		return fmt.Errorf("%w; %s keeps %d bytes: run the same command again to go on from there", err, part.file.Name(), part.size)
	}
	if err := part.finish(incoming.about); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d bytes, version %d of %s\n", path, part.size, incoming.about.GetVersion().GetNumber(), id)
	return nil
}

// progress is a bar on a terminal and nothing elsewhere.
func progress(stderr io.Writer, about *brokerv1.Attachment, done int64) io.Writer {
	file, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return io.Discard
	}
	size := int64(-1) // unknown: the bar shows a count
	if about.FileSize != nil {
		size = about.GetFileSize()
	}
	bar := progressbar.DefaultBytes(size, printable(about.GetTitle()))
	_ = bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	return bar
}

// incoming is the stream of an attachment behind its first message.
type incoming struct {
	about  *brokerv1.Attachment
	stream brokerv1.BrokerService_GetAttachmentClient
	cancel context.CancelFunc
}

func openAttachment(ctx context.Context, broker brokerv1.BrokerServiceClient, id string, version int32, offset int64) (*incoming, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := broker.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: id, Version: version, Offset: offset})
	if err != nil {
		cancel()
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		cancel()
		return nil, err
	}
	return &incoming{about: first.GetAttachment(), stream: stream, cancel: cancel}, nil
}

// copyTo writes all data to w and checks them against the checksum, without
// which the stream is not complete.
func (in *incoming) copyTo(w io.Writer) error {
	sum := sha256.New()
	var checksum *brokerv1.Checksum
	for {
		message, err := in.stream.Recv()
		if errors.Is(err, io.EOF) {
			return check(checksum, sum)
		}
		if err != nil {
			return err
		}
		if _, err := io.MultiWriter(w, sum).Write(message.GetData()); err != nil {
			return err
		}
		if message.GetChecksum() != nil {
			checksum = message.GetChecksum()
		}
	}
}

var errChecksum = errors.New("the bytes do not have the checksum that the broker sent")

func check(want *brokerv1.Checksum, got hash.Hash) error {
	switch {
	case want == nil:
		return errors.New("the stream ended without a checksum, so the file is not complete")
	case !bytes.Equal(want.GetSha256(), got.Sum(nil)):
		return errChecksum
	}
	return nil
}
