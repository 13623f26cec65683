package service

import (
	"strings"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that textCodec is around
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// validText is text with U+FFFD for all that is no UTF-8, which gRPC refuses to
// send: a header or a percent-encoded address of Confluence's need not be text.
func validText(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// textCodec sends answers that hold something other than UTF-8 with U+FFFD in
// its place. gRPC encodes after all layers are done: the caller would get an
// INTERNAL without a reason for what the log calls OK.
type textCodec struct{ encoding.CodecV2 }

func newTextCodec() textCodec { return textCodec{encoding.GetCodecV2("proto")} }

// Marshal encodes v, and looks at its text only when that fails.
func (c textCodec) Marshal(v any) (mem.BufferSlice, error) {
	data, err := c.CodecV2.Marshal(v)
	message, ok := v.(proto.Message)
	if err == nil || !ok {
		return data, err
	}
	message = proto.Clone(message) // others may hold it too
	if err := protorange.Range(message.ProtoReflect(), mendText); err != nil {
		return nil, err
	}
	return c.CodecV2.Marshal(message)
}

// mendText makes the text that the walk has come to valid where it stands: in a
// field or in a list. The API has no maps.
func mendText(at protopath.Values) error {
	last := at.Index(-1)
	text, ok := last.Value.Interface().(string)
	if !ok {
		return nil
	}
	mended := protoreflect.ValueOfString(validText(text))
	switch step := last.Step; step.Kind() {
	case protopath.FieldAccessStep:
		at.Index(-2).Value.Message().Set(step.FieldDescriptor(), mended)
	case protopath.ListIndexStep:
		at.Index(-2).Value.List().Set(step.ListIndex(), mended)
	}
	return nil
}
