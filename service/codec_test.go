package service

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

func TestAnswersThatAreNotTextAreSentWithReplacements(t *testing.T) {
	t.Parallel()
	answer := &brokerv1.GetPageResponse{
		Page:       &brokerv1.Page{Id: "1001", Title: "a\xffb", Body: &brokerv1.Body{Value: "\xc3("}},
		Warnings:   []*brokerv1.Warning{{Message: "whole"}, {Message: "cut \xe2\x82"}},
		References: &brokerv1.References{JiraKeys: []string{"OPS-1", "\xff"}},
	}
	before := proto.CloneOf(answer)
	sent, err := newTextCodec().Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	got := &brokerv1.GetPageResponse{}
	if err := proto.Unmarshal(sent.Materialize(), got); err != nil {
		t.Fatal(err)
	}
	want := &brokerv1.GetPageResponse{
		Page:       &brokerv1.Page{Id: "1001", Title: "a\uFFFDb", Body: &brokerv1.Body{Value: "\uFFFD("}},
		Warnings:   []*brokerv1.Warning{{Message: "whole"}, {Message: "cut \uFFFD"}},
		References: &brokerv1.References{JiraKeys: []string{"OPS-1", "\uFFFD"}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if !proto.Equal(before, answer) {
		t.Error("the answer itself was changed, which others may hold too")
	}
}
