package service

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// notContent is the texts of answers that no content of the site is in, and why.
var notContent = map[protoreflect.FullName]string{
	"confluence.broker.v1.Page.status":                          "a word of Confluence's",
	"confluence.broker.v1.Child.status":                         "a word of Confluence's",
	"confluence.broker.v1.Version.author_account_id":            "people are in no space",
	"confluence.broker.v1.Page.author_account_id":               "people are in no space",
	"confluence.broker.v1.References.account_ids":               "what the author wrote",
	"confluence.broker.v1.References.jira_keys":                 "what the author wrote",
	"confluence.broker.v1.References.space_keys":                "what the author wrote",
	"confluence.broker.v1.CommentReference.ref":                 "what the author wrote",
	"confluence.broker.v1.CommentReference.text":                "what the author wrote",
	"confluence.broker.v1.AttachmentReference.file_id":          "what the author wrote",
	"confluence.broker.v1.PageReference.page_id":                "what the author wrote",
	"confluence.broker.v1.PageReference.space_key":              "what the author wrote",
	"confluence.broker.v1.ListChildrenResponse.next_page_token": "sealed",
	"confluence.broker.v1.SearchResponse.next_page_token":       "sealed",
	"confluence.broker.v1.Checksum.sha256":                      "of bytes that were sent before it",
	"confluence.broker.v1.Attachment.media_type":                "a word of the standard's",
	"confluence.broker.v1.Finding.check":                        "the broker's own words",
	"confluence.broker.v1.Finding.seen":                         "about token and gateway, never content",
	"confluence.broker.v1.Finding.remedy":                       "the broker's own words",
	"confluence.broker.v1.Warning.message":                      "the broker's own words",
	"confluence.broker.v1.AttachmentReference.file_name":        "files of other pages are looked up only where mayRead lets",
	"confluence.broker.v1.Warning.subject":                      "the name of a construct of the body, or an id of what is shown",
}

// isHidden tells whether a text is of what the caller "careful" may not know of.
// In fields with ids it is an id, elsewhere a word.
func isHidden(text string) bool {
	switch text {
	case "102", "103", "104", "105", "200", "201", "210", "211", "220", "230", "20", "SEC", "att902", "att903", "att904":
		return true
	}
	return strings.Contains(text, "canary") || strings.HasSuffix(text, "pageId=102")
}

// hiddenIn is the fields of an answer that show hidden content.
func hiddenIn(t *testing.T, answer proto.Message) (fields []protoreflect.FullName) {
	t.Helper()
	err := protorange.Range(answer.ProtoReflect(), func(at protopath.Values) error {
		text, _ := at.Index(-1).Value.Interface().(string)
		if data, ok := at.Index(-1).Value.Interface().([]byte); ok {
			text = string(data)
		}
		if !isHidden(text) {
			return nil
		}
		step := at.Index(-1).Step
		if step.Kind() == protopath.ListIndexStep {
			step = at.Index(-2).Step
		}
		if field := step.FieldDescriptor().FullName(); notContent[field] == "" {
			fields = append(fields, field)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// textFields adds the fields of message, and of those within it, that hold text or
// bytes.
func textFields(message protoreflect.MessageDescriptor, fields map[protoreflect.FullName]bool) {
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		switch field.Kind() {
		case protoreflect.StringKind, protoreflect.BytesKind:
			fields[field.FullName()] = true
		case protoreflect.MessageKind:
			textFields(field.Message(), fields)
		}
	}
}

// attempts are calls of each RPC that bring what is hidden from "careful" to those
// who may have it.
func attempts() map[string][]proto.Message {
	page := func(format brokerv1.BodyFormat, req *brokerv1.GetPageRequest) proto.Message {
		req.BodyFormat = format
		return req
	}
	var pages []proto.Message
	for format := range brokerv1.BodyFormat_name {
		for _, id := range []string{"100", "102", "104", "105", "106", "201"} {
			pages = append(pages, page(brokerv1.BodyFormat(format), byID(id)))
		}
		pages = append(pages, page(brokerv1.BodyFormat(format), byTitle("SEC", "canarypage")), page(brokerv1.BodyFormat(format), byTitle("DOC", "canarylabelled")))
	}
	all := map[string][]proto.Message{"GetPage": pages, "Diagnose": {&brokerv1.DiagnoseRequest{}}}
	for _, id := range []string{"100", "102", "103", "200"} {
		for _, size := range []int32{1, 0} {
			all["ListChildren"] = append(all["ListChildren"], &brokerv1.ListChildrenRequest{ParentId: id, PageSize: size})
		}
	}
	all["ListChildren"] = append(all["ListChildren"], &brokerv1.ListChildrenRequest{ParentId: "210", ParentType: brokerv1.ContentType_CONTENT_TYPE_FOLDER})
	for _, cql := range []string{`text ~ "all"`, `type = space`, `type = attachment`, `type = comment`, `space = SEC or space = DOC`, `label = secret`, `id = 201`, `no such = "field"`} {
		all["Search"] = append(all["Search"], byCQL(cql))
	}
	for _, id := range []string{"att902", "att903", "att904"} {
		all["GetAttachment"] = append(all["GetAttachment"], &brokerv1.GetAttachmentRequest{AttachmentId: id})
	}
	return all
}

// answers calls a method by its descriptor and returns all that comes back.
func answers(ctx context.Context, t *testing.T, b *broker, method protoreflect.MethodDescriptor, req proto.Message) (got []proto.Message, header, trailer metadata.MD, failure error) {
	t.Helper()
	name := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	stream, err := b.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(req), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	for {
		resp := responseOf(method)
		if err := stream.RecvMsg(resp); err != nil {
			header, _ = stream.Header()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return got, header, stream.Trailer(), err
		}
		got = append(got, resp)
	}
}

// TestNoAnswerOfAnyRPCShowsWhatIsHidden walks the API: every text of every answer
// is either one that has been seen to show hidden content to a caller who may have
// it, and none of it to one who may not, or it is in notContent.
func TestNoAnswerOfAnyRPCShowsWhatIsHidden(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, hidingCallers...))
	tried := attempts()
	due, shown := map[protoreflect.FullName]bool{}, map[protoreflect.FullName]bool{}
	for _, desc := range services() {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(desc.ServiceName))
		if err != nil {
			t.Fatal(err)
		}
		methods := found.(protoreflect.ServiceDescriptor).Methods()
		for j := range methods.Len() {
			method := methods.Get(j)
			textFields(method.Output(), due)
			if len(tried[string(method.Name())]) == 0 {
				t.Errorf("nobody tries to get hidden content out of %s", method.Name())
			}
			for _, req := range tried[string(method.Name())] {
				all, _, _, _ := answers(as(t.Context(), "all-knowing"), t, b, method, req)
				for _, answer := range all {
					for _, field := range hiddenIn(t, answer) {
						shown[field] = true
					}
				}
				tryHidden(t, b, method, req)
			}
		}
	}
	for field := range due {
		if _, listed := notContent[field]; shown[field] == listed {
			t.Errorf("%s: shown to those who may have it: %t, and in notContent: %t; want one of both", field, shown[field], listed)
		}
	}
}

// responseOf makes an empty answer of the method.
func responseOf(method protoreflect.MethodDescriptor) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		panic(err) // the API is linked in
	}
	return kind.New().Interface()
}

// tryHidden asks as one who may not know what the answer holds for others.
func tryHidden(t *testing.T, b *broker, method protoreflect.MethodDescriptor, req proto.Message) {
	t.Helper()
	got, header, trailer, err := answers(as(t.Context(), "careful"), t, b, method, req)
	for _, answer := range got {
		for _, field := range hiddenIn(t, answer) {
			t.Errorf("%s(%v) shows hidden content in %s: %v", method.Name(), req, field, answer)
		}
	}
	if text := answerTo(err); strings.Contains(text, "canary") || strings.Contains(text, "SEC") {
		t.Errorf("%s(%v) fails with hidden words: %s", method.Name(), req, text)
	}
	for key, values := range metadata.Join(header, trailer) {
		if strings.Contains(strings.Join(values, " "), "canary") {
			t.Errorf("%s(%v): %s shows hidden words", method.Name(), req, key)
		}
	}
}
