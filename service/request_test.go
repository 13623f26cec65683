package service

import (
	"errors"
	"strings"
	"testing"
)

func TestContentIDsAreDigitsInConfluencesOwnSpelling(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"1", "1001", "4643979279", "9007199254740993", "9223372036854775807"} {
		var v violations
		if v.contentID("page_id", id); v.err() != nil {
			t.Errorf("contentID(%q): %v, want none", id, v.err())
		}
	}
	bad := []string{
		"", " ", "0", "00", "01001", "+1001", "-1", "1001 ", " 1001", "1001\n", "1e3", "0x1f", "1_000", "9223372036854775808",
		"10000000000000000000", "100000000000000000000", "1001?status=archived", "../spaces/7", "1001/../../x", "１００１", "1001%20",
		"1001\x00", "att1001", "att", "page", strings.Repeat("9", 1<<16),
	}
	for _, id := range bad {
		var v violations
		v.contentID("page_id", id)
		if len(v) != 1 || v[0].GetField() != "page_id" || len(v[0].GetDescription()) > 300 {
			t.Errorf("contentID(%.30q) = %.300v, want one short violation of page_id", id, v)
		}
	}
}

func TestAttachmentIDWhereAContentIDIsDueGetsItsOwnSentence(t *testing.T) {
	t.Parallel()
	var v violations
	v.contentID("page_id", "att152011028")
	if len(v) != 1 || !strings.Contains(v[0].GetDescription(), "GetAttachment") {
		t.Errorf("contentID(att…) = %v, want a pointer to GetAttachment", v)
	}
}

func TestAttachmentIDsHaveTheirPrefix(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"att1", "att152011028", "att9223372036854775807"} {
		var v violations
		if v.attachmentID("attachment_id", id); v.err() != nil {
			t.Errorf("attachmentID(%q): %v, want none", id, v.err())
		}
	}
	for _, id := range []string{"", "att", "att0", "att01", "1001", "ATT1", "att1/..", "att１", "attatt1", "att-1", "att+1", "att9223372036854775808", "att1?version=2"} {
		var v violations
		if v.attachmentID("attachment_id", id); len(v) != 1 {
			t.Errorf("attachmentID(%q) = %v, want one violation", id, v)
		}
	}
}

func TestSpaceKeysHoldNothingWithAMeaningElsewhere(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"DOC", "doc", "~712020abc", "2024", "and", "~5f:1b-c_d.e@x"} {
		var v violations
		if v.spaceKey("space_key", key); v.err() != nil {
			t.Errorf("spaceKey(%q): %v, want none", key, v.err())
		}
	}
	for _, key := range []string{"", " ", "D C", "..%2f..%2f", "../x", `a"b`, "a\\b", "ＤＯＣ", "DÖC", "a\n", "a,b", "a)b", strings.Repeat("a", maxSpaceKey+1)} {
		var v violations
		if v.spaceKey("space_key", key); len(v) != 1 {
			t.Errorf("spaceKey(%.20q) = %v, want one violation", key, v)
		}
	}
}

func TestTitlesAreOneLineOfAtMost255Characters(t *testing.T) {
	t.Parallel()
	for _, title := range []string{"Run Book", "R&D \"x\" <y>", strings.Repeat("ü", 255), "検索"} {
		var v violations
		if v.line("title", title, maxTitle); v.err() != nil {
			t.Errorf("line(%.20q): %v, want none", title, v.err())
		}
	}
	for _, title := range []string{"", "\t", "\u00a0", "a\nb", "a\x00", "a\u0085b", strings.Repeat("ü", 256)} {
		var v violations
		if v.line("title", title, maxTitle); len(v) != 1 {
			t.Errorf("line(%.20q) = %v, want one violation", title, v)
		}
	}
}

func TestViolationsAreAllInTheDetailAndAFewInTheSentence(t *testing.T) {
	t.Parallel()
	var v violations
	for range 100 {
		v.add("labels", "is blank")
	}
	var f *failure
	if !errors.As(v.err(), &f) || len(f.violations) != 100 || len(f.message) > 200 || !strings.Contains(f.message, "97 more") {
		t.Errorf("err = %v, want a short sentence and 100 violations", v.err())
	}
}
