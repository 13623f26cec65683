package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

func attachment(version int32, size int64) *brokerv1.Attachment {
	return &brokerv1.Attachment{Id: "att9", Title: "a.png", FileSize: &size, Version: &brokerv1.Version{Number: version}}
}

func TestFileNamesFromConfluenceStayInTheFolderAndOutOfTheTerminal(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"a.png":                    "a.png",
		"Übersicht 2026.pdf":       "Übersicht 2026.pdf",
		"図.png":                    "図.png",
		"../../etc/passwd":         "_.._etc_passwd",
		`..\..\boot.ini`:           "_.._boot.ini",
		"/etc/passwd":              "_etc_passwd",
		".bashrc":                  "bashrc",
		"-rf":                      "rf",
		"~":                        "attachment",
		"..":                       "attachment",
		"":                         "attachment",
		"   ":                      "attachment",
		"a\x00b\nc\x1b[31m.txt":    "a_b_c_[31m.txt",
		"invoice\u202efdp.exe":     "invoice_fdp.exe",
		`what? "this" <is>|a*.txt`: "what_ _this_ _is__a_.txt",
		"trailing. ":               "trailing",
		"bad\xffutf8":              "bad_utf8",
		"CON:":                     "CON_",
	} {
		if got := fileName(&brokerv1.Attachment{Title: title}); got != want {
			t.Errorf("fileName(%q) = %q, want %q", title, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("é", 300) + ".png", strings.Repeat("x", 300)} {
		got := fileName(&brokerv1.Attachment{Title: long})
		if len(got) > maxFileName || !utf8.ValidString(got) || strings.HasSuffix(long, ".png") != strings.HasSuffix(got, ".png") {
			t.Errorf("fileName of a long title = %q", got)
		}
	}
}

func TestAPartGoesOnOnlyWithTheSameVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.png")
	begin := func(about *brokerv1.Attachment, wantSize int64, more string) *part {
		t.Helper()
		p := beginPart(t, path, about, wantSize, more)
		if err := p.keep(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	begin(attachment(1, 6), 0, "abc").close()
	begin(attachment(2, 6), 0, "AB").close() // another version begins anew
	begin(attachment(2, 6), 2, "C").close()
	p := begin(attachment(2, 6), 3, "DEF")
	if err := p.finish(attachment(2, 6)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "ABCDEF" {
		t.Errorf("file = %q, %v", got, err)
	}
	if left, err := filepath.Glob(path + ".*"); len(left) > 0 || err != nil {
		t.Errorf("left over: %q, %v", left, err)
	}
}

func beginPart(t *testing.T, path string, about *brokerv1.Attachment, wantSize int64, more string) *part {
	t.Helper()
	p, err := openPart(path, about)
	if err != nil {
		t.Fatal(err)
	}
	if p.size != wantSize {
		t.Errorf("the part begins with %d bytes, want %d", p.size, wantSize)
	}
	if _, err := p.Write([]byte(more)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPartGoesOnOnlyFromBytesThatWereDownloaded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		after      func(t *testing.T, part, label string)
		wantSize   int64
		wantOnDisk string
	}{
		{"untouched", func(*testing.T, string, string) {}, 3, "abc"},
		{"another byte in it", func(t *testing.T, part, _ string) { write(t, part, "abX") }, 0, ""},
		{"other bytes of the full length", func(t *testing.T, part, _ string) { write(t, part, "XXXXXX") }, 0, ""},
		{"shorter than noted", func(t *testing.T, part, _ string) { write(t, part, "ab") }, 0, ""},
		{"bytes behind those noted, as of a program that was killed", func(t *testing.T, part, _ string) { write(t, part, "abcXX") }, 3, "abc"},
		{"no label", func(t *testing.T, _, label string) { remove(t, label) }, 0, ""},
		{"a label without a checksum", func(t *testing.T, _, label string) { write(t, label, "att9 version 1\n") }, 0, ""},
		{"a label that promises more than there is", func(t *testing.T, _, label string) {
			write(t, label, "att9 version 1, 999999999999 bytes, SHA-256 00\n")
		}, 0, ""},
		{"a label of nothing", func(t *testing.T, _, label string) { write(t, label, "att9 version 1, -1 bytes, SHA-256 00\n") }, 0, ""},
		{"no part", func(t *testing.T, part, _ string) { remove(t, part) }, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.png")
			p := beginPart(t, path, attachment(1, 6), 0, "abc")
			if err := p.keep(); err != nil {
				t.Fatal(err)
			}
			p.close()
			test.after(t, path+".part", path+".part.of")
			beginPart(t, path, attachment(1, 6), test.wantSize, "").close()
			if got, err := os.ReadFile(path + ".part"); err != nil || string(got) != test.wantOnDisk {
				t.Errorf("part = %q, %v, want %q", got, err, test.wantOnDisk)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestALongDownloadIsKeptEvenWhenTheProgramIsKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.png")
	about := attachment(1, 2*keepInterval)
	beginPart(t, path, about, 0, strings.Repeat("x", keepInterval+1)).close() // and nothing more is noted
	beginPart(t, path, about, keepInterval+1, "").close()
}

func TestAPartLargerThanTheFileBeginsAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.png")
	write(t, path+".part", "far too long")
	write(t, path+".part.of", "att9 version 1\n")
	p, err := openPart(path, attachment(1, 3))
	if err != nil || p.size != 0 {
		t.Fatalf("size = %d, %v, want 0", p.size, err)
	}
	defer p.close()
}

func TestAFileOfTheWrongSizeDoesNotGetItsName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.png")
	p, err := openPart(path, attachment(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.finish(attachment(1, 3)); err == nil {
		t.Error("an empty file was taken for one of three bytes")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file has its name")
	}
}

func TestANameFromConfluenceOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got, err := targetPath(dir, attachment(1, 3)); err != nil || got != filepath.Join(dir, "a.png") {
		t.Errorf("targetPath = %q, %v", got, err)
	}
	write(t, filepath.Join(dir, "a.png"), "precious")
	if got, err := targetPath(dir, attachment(1, 3)); err == nil {
		t.Errorf("targetPath = %q, want an error", got)
	}
	if got, err := targetPath(filepath.Join(dir, "a.png"), attachment(1, 3)); err != nil || got != filepath.Join(dir, "a.png") {
		t.Errorf("a name given by hand: targetPath = %q, %v", got, err)
	}
}
