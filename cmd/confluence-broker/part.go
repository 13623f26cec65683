package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// part is a file that is not complete yet: FILE.part beside FILE. FILE.part.of
// says of what it is a part, so that two versions are never mixed.
type part struct {
	file *os.File
	path string // of the complete file
	size int64  // bytes so far
}

// openPart opens the part of an earlier try at the same version, or an empty one.
func openPart(path string, about *brokerv1.Attachment) (*part, error) {
	label := fmt.Sprintf("%s version %d\n", about.GetId(), about.GetVersion().GetNumber())
	earlier, err := os.ReadFile(path + ".part.of")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if string(earlier) != label {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path+".part", flags, 0o644)
	if err != nil {
		return nil, err
	}
	// The label follows the truncation: a crash between the two leaves an empty
	// part under an old label, never old bytes under a new one.
	if err := os.WriteFile(path+".part.of", []byte(label), 0o644); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p := &part{file: file, path: path}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.size = info.Size()
	if about.FileSize != nil && p.size > about.GetFileSize() {
		err = p.cut(0)
	}
	return p, err
}

func (p *part) Write(data []byte) (int, error) {
	n, err := p.file.Write(data)
	p.size += int64(n)
	return n, err
}

// cut drops everything behind size.
func (p *part) cut(size int64) error {
	p.size = size
	return p.file.Truncate(size)
}

// finish gives the complete file its name.
func (p *part) finish(about *brokerv1.Attachment) error {
	if about.FileSize != nil && about.GetFileSize() > 0 && p.size != about.GetFileSize() {
		return fmt.Errorf("%s has %d bytes where %d were announced; remove it and try again", p.file.Name(), p.size, about.GetFileSize())
	}
	if err := errors.Join(p.file.Sync(), p.file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(p.file.Name(), p.path), os.Remove(p.path+".part.of"))
}

func (p *part) close() { _ = p.file.Close() } // after finish it is closed already

// targetPath is where the file goes: output itself, or the attachment's own
// name in the folder output, or here. A name that Confluence chose does not
// overwrite anything.
func targetPath(output string, about *brokerv1.Attachment) (string, error) {
	if output != "" {
		if info, err := os.Stat(output); err != nil || !info.IsDir() {
			return output, nil
		}
	}
	path := filepath.Join(output, fileName(about))
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("%s is there already; name the file with -o", path)
	}
	return path, nil
}

// Longer names are refused by file systems, and .part.of is still to be added.
const maxFileName = 200

// fileName makes a file name of an attachment's title, which is text from a
// user: one path element, not hidden, without characters that some system or
// terminal would take as a command.
func fileName(about *brokerv1.Attachment) string {
	name := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, about.GetTitle())
	name = strings.TrimLeft(strings.TrimSpace(name), ".-~")
	name = strings.TrimRight(name, ". ")
	if len(name) > maxFileName {
		extension := filepath.Ext(name)
		if len(extension) > 20 {
			extension = ""
		}
		name = strings.ToValidUTF8(name[:maxFileName-len(extension)], "") + extension
	}
	return cmp.Or(name, "attachment")
}
