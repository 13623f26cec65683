package service

import (
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/caller"
	"github.com/confluence-broker/confluence-broker/policy"
)

func TestMethodsFormatsAndQueriesAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	few := `  - {name: few, keys: ["` + caller.HashKey(keyOf("few")) + `"], methods: [GetPage, Search], spaces: [DOC], body_formats: [markdown]}` + "\n"
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, few, docReader, allKnowing))
	inFormat := func(name string, format brokerv1.BodyFormat) error {
		req := byID("101")
		req.BodyFormat = format
		_, err := b.GetPage(as(t.Context(), name), req)
		return err
	}
	_, cql := b.Search(as(t.Context(), "few"), byCQL("type = page"))
	for what, err := range map[string]error{
		"method":          listBelow(as(t.Context(), "few"), b, brokerv1.ContentType_CONTENT_TYPE_PAGE, "100"),
		"stream":          readFile(as(t.Context(), "few"), b, "att901"),
		"format":          inFormat("few", brokerv1.BodyFormat_BODY_FORMAT_STORAGE),
		"standard format": inFormat("few", brokerv1.BodyFormat_BODY_FORMAT_UNSPECIFIED),
		"rendered format": inFormat("doc-reader", brokerv1.BodyFormat_BODY_FORMAT_VIEW),
		"own query":       cql,
	} {
		t.Run(what, func(t *testing.T) {
			name := "few"
			if what == "rendered format" {
				name = "doc-reader"
			}
			if info := failedAs(t, err, codes.PermissionDenied, "CALLER_NOT_ALLOWED"); !strings.HasPrefix(info.GetMetadata()["rule"], name+": ") {
				t.Errorf("metadata = %v, want the rule", info.GetMetadata())
			}
		})
	}
	if asked := b.api(); len(asked) > 0 {
		t.Errorf("upstream was asked for %v", asked)
	}
	for name, format := range map[string]brokerv1.BodyFormat{"few": brokerv1.BodyFormat_BODY_FORMAT_MARKDOWN, "all-knowing": brokerv1.BodyFormat_BODY_FORMAT_VIEW} {
		if err := inFormat(name, format); err != nil {
			t.Errorf("%s has no %s: %v", name, format, err)
		}
	}
}

func TestBudgetsAreSpentBeforeAnythingIsAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBroker(t, withSite(t, hidingSite), withPolicy(t, entry("slow", "spaces: [DOC], budget: {rate: 0.5, burst: 2}"), docReader))
		ctx := as(t.Context(), "slow")
		for range 2 {
			if err := readPage(ctx, b, "101"); err != nil {
				t.Fatal(err)
			}
		}
		asked := len(b.api())
		err := readPage(ctx, b, "101")
		failedAs(t, err, codes.ResourceExhausted, "CALLER_BUDGET_EXHAUSTED")
		wait := detail[*errdetails.RetryInfo](status.Convert(err)).GetRetryDelay().AsDuration()
		quota := detail[*errdetails.QuotaFailure](status.Convert(err)).GetViolations()
		if wait != 2*time.Second || len(quota) != 1 || quota[0].GetDescription() == "" || len(b.api()) != asked {
			t.Errorf("wait %v, quota %v, %d more requests; want 2s, the limit, and none", wait, quota, len(b.api())-asked)
		}
		if err := readPage(as(t.Context(), "doc-reader"), b, "101"); err != nil {
			t.Errorf("another caller: %v", err)
		}
		time.Sleep(wait)
		if err := readPage(ctx, b, "101"); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestStreamsOfACallerAreCounted(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withPolicy(t, entry("loader", "spaces: [DOC], budget: {streams: 1}")))
	ctx := as(t.Context(), "loader")
	open, err := b.GetAttachment(ctx, &brokerv1.GetAttachmentRequest{AttachmentId: bigAttachment})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Recv(); err != nil {
		t.Fatal(err)
	}
	failedAs(t, readFile(ctx, b, "att9"), codes.ResourceExhausted, "CALLER_BUDGET_EXHAUSTED")
	for err == nil {
		_, err = open.Recv()
	}
	if err := readFile(ctx, b, "att9"); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
}

func TestFilesAreHeldAgainstTheCallersLimit(t *testing.T) {
	t.Parallel()
	b := newBroker(t, withPolicy(t, entry("light", "spaces: [DOC], max_attachment_bytes: 10"), entry("elsewhere", "spaces: [SEC], max_attachment_bytes: 10")))
	for _, id := range []string{bigAttachment, unsizedAttachment} {
		info := failedAs(t, readFile(as(t.Context(), "light"), b, id), codes.ResourceExhausted, "LIMIT_EXCEEDED")
		if info.GetMetadata()["limit"] != "10" {
			t.Errorf("metadata = %v", info.GetMetadata())
		}
		_, _, _, err := b.download(as(t.Context(), "light"), &brokerv1.GetAttachmentRequest{AttachmentId: id, Offset: 8, MaxBytes: 4})
		failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
		failedAs(t, readFile(as(t.Context(), "elsewhere"), b, id), codes.NotFound, "ATTACHMENT_NOT_FOUND")
	}
	// Nor can it be had in small parts.
	for _, offset := range []int64{8, 10, 20} {
		_, _, _, err := b.download(as(t.Context(), "light"), &brokerv1.GetAttachmentRequest{AttachmentId: unsizedAttachment, Offset: offset, MaxBytes: 3})
		failedAs(t, err, codes.ResourceExhausted, "LIMIT_EXCEEDED")
	}
}

func TestEachDecisionIsOneLineOfTheAudit(t *testing.T) {
	t.Parallel()
	lines := &lockedBuffer{}
	b := newBroker(t, withSite(t, hidingSite), withPolicy(t, hidingCallers...), auditTo(lines))
	ctx := as(t.Context(), "doc-reader")
	_ = readPage(ctx, b, "101")
	_ = readPage(ctx, b, "201")
	_ = readPage(ctx, b, "201") // from what is remembered
	_ = readPage(ctx, b, absentPage)
	_ = readFile(ctx, b, "att901")
	_ = readFile(ctx, b, "att903")
	_ = readPage(as(t.Context(), "nobody"), b, "101")
	_ = listBelow(as(t.Context(), "label-shy"), b, brokerv1.ContentType_CONTENT_TYPE_PAGE, "100")
	var got []string
	for line := range strings.Lines(lines.String()) {
		var l map[string]string
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{l["caller"], l["identity"], l["method"], l["content_type"], l["content_id"], l["space"], l["outcome"]}, " "))
		if l["trace_id"] == "" || l["rule"] == "" && l["outcome"] != outcomeAbsent {
			t.Errorf("%v lacks its rule or trace", l)
		}
	}
	want := []string{
		"doc-reader key GetPage page 101 DOC allowed",
		"doc-reader key GetPage page 201 SEC denied",
		"doc-reader key GetPage page 201 SEC denied",
		"doc-reader key GetPage page " + absentPage + "  absent",
		"doc-reader key GetAttachment attachment att901 DOC allowed",
		"doc-reader key GetAttachment attachment att903 SEC denied",
		" refused GetPage    denied",
		"label-shy key ListChildren page 100 DOC allowed",
		"label-shy key ListChildren folder 110 DOC allowed",
		"label-shy key ListChildren page 101 DOC allowed",
		"label-shy key ListChildren page 102 DOC denied",
		"label-shy key ListChildren page 103 DOC allowed",
		"label-shy key ListChildren page 105 DOC allowed",
	}
	slices.Sort(got) // items of a listing are decided side by side
	slices.Sort(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("audit:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(lines.String(), "canary") {
		t.Error("the audit holds words of content")
	}
}

func TestAnonymousCallersShareTheUpstreamByHost(t *testing.T) {
	t.Parallel()
	name := func(rules *policy.Caller, address string) string {
		from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
		return upstreamCaller(peer.NewContext(t.Context(), &peer.Peer{Addr: from}), rules).Name
	}
	anonymous, known := &policy.Caller{Name: policy.AnonymousName}, &policy.Caller{Name: "indexer"}
	if a, b := name(anonymous, "192.0.2.1:1000"), name(anonymous, "192.0.2.1:2000"); a != b {
		t.Errorf("one host is two callers: %q, %q", a, b)
	}
	if a, b := name(anonymous, "192.0.2.1:1000"), name(anonymous, "[2001:db8::1]:1000"); a == b {
		t.Errorf("two hosts are one caller: %q", a)
	}
	if a := name(known, "192.0.2.1:1000"); a != "indexer" {
		t.Errorf("who is known is called %q", a)
	}
}
