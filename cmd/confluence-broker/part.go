package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
)

// part is a file that is not complete yet: FILE.part beside FILE. FILE.part.of
// says of what it is a part, so that two versions are never mixed, and has the
// checksum of its bytes, so that none are built upon that were not downloaded.
type part struct {
	file *os.File
	path string // of the complete file
	of   string // attachment and version
	size int64  // bytes so far
	sum  hash.Hash
	kept int64 // bytes that FILE.part.of vouches for
}

// A program that is killed loses no more than this many bytes.
const keepInterval = 32 << 20

// openPart opens the part of an earlier try at the same version, as far as its
// bytes are those that came then, or an empty one.
func openPart(path string, about *brokerv1.Attachment) (*part, error) {
	file, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	p := &part{file: file, path: path, sum: sha256.New(), of: fmt.Sprintf("%s version %d", about.GetId(), about.GetVersion().GetNumber())}
	label, err := os.ReadFile(p.labelPath())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err = errors.Join(err, p.goOn(string(label), about), p.keep()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

// goOn keeps the bytes that label vouches for, or none.
func (p *part) goOn(label string, about *brokerv1.Attachment) error {
	there, err := p.file.Stat()
	if err != nil {
		return err
	}
	var size int64
	claim, _ := strings.CutPrefix(label, p.of+", ")
	_, err = fmt.Sscanf(claim, "%d bytes", &size)
	if err != nil || size < 0 || size > there.Size() || about.FileSize != nil && size > about.GetFileSize() {
		size = 0
	}
	if err := p.cut(size); err != nil || p.label() == label {
		return err
	}
	return p.cut(0)
}

func (p *part) labelPath() string { return p.path + ".part.of" }

func (p *part) label() string {
	return fmt.Sprintf("%s, %d bytes, SHA-256 %x\n", p.of, p.size, p.sum.Sum(nil))
}

// keep notes what is there, so that another run can go on from here.
func (p *part) keep() error {
	p.kept = p.size
	return os.WriteFile(p.labelPath(), []byte(p.label()), 0o644)
}

func (p *part) Write(data []byte) (int, error) {
	n, err := p.file.Write(data)
	p.size += int64(n)
	_, _ = p.sum.Write(data[:n]) // hashes do not fail
	if err == nil && p.size-p.kept >= keepInterval {
		err = p.keep()
	}
	return n, err
}

// cut drops everything behind size and reads what stays.
func (p *part) cut(size int64) error {
	p.size, p.sum = size, sha256.New()
	if err := p.file.Truncate(size); err != nil {
		return err
	}
	_, err := io.Copy(p.sum, io.NewSectionReader(p.file, 0, size))
	return err
}

// finish gives the complete file its name.
func (p *part) finish(about *brokerv1.Attachment) error {
	if about.FileSize != nil && about.GetFileSize() > 0 && p.size != about.GetFileSize() {
		return fmt.Errorf("%s has %d bytes where %d were announced; remove it and try again", p.file.Name(), p.size, about.GetFileSize())
	}
	if err := errors.Join(p.file.Sync(), p.file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(p.file.Name(), p.path), os.Remove(p.labelPath()))
}

func (p *part) close() { _ = p.file.Close() } // after finish it is closed already

// targetPath is where the file goes: output itself, or the attachment's own
// name in the folder output, or here. A name that Confluence chose does not
// overwrite anything.
func targetPath(output string, about *brokerv1.Attachment) (string, error) {
	if output != "" {
		if folder, err := os.Stat(output); err != nil || !folder.IsDir() {
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
