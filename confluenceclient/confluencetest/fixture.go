package confluencetest

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

//go:embed sample/acme.txtar
var sample embed.FS

// SampleSite returns the site in sample/acme.txtar: a few spaces with one of
// everything that a client has to be ready for. Each call makes a new one.
func SampleSite() *Site {
	data, err := sample.ReadFile("sample/acme.txtar")
	if err == nil {
		var site *Site
		if site, err = ParseSite("sample/acme.txtar", data); err == nil {
			return site
		}
	}
	panic(err) // a fault of this package, which its tests find
}

// LoadSite reads a site from a txtar file (see ParseSite), or from a folder of
// bodies: each *.xml in storage format and each *.json in ADF becomes a page of
// the space DOC, byte for byte and titled by its file's name, with the ids 1001,
// 1002, … in the order of the names. Hidden files are left alone; what is not
// UTF-8, or not JSON where ADF is due, is an error that names the file: no answer
// could hold it. Accounts and tokens of a folder are the sample site's.
func LoadSite(path string) (*Site, error) {
	about, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if about.IsDir() {
		return loadFolder(path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseSite(path, data)
}

func loadFolder(path string) (*Site, error) {
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	site, home := emptySite()
	var problems []error
	for _, entry := range entries {
		kind := filepath.Ext(entry.Name())
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || (kind != ".xml" && kind != ".json") {
			continue
		}
		file := filepath.Join(path, entry.Name())
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text, isADF := string(data), kind == ".json"
		if err := errors.Join(checkText(entry.Name()), checkBody(text, isADF)); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", strings.ToValidUTF8(file, "\uFFFD"), err))
		}
		page := site.addPage(home, uint64(1000+len(site.contents)), strings.TrimSuffix(entry.Name(), kind))
		if page.versions[0].body.storage = &text; isADF {
			page.versions[0].body = body{adf: &text}
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(site.contents) == 1 {
		return nil, fmt.Errorf("%s holds no *.xml or *.json file", path)
	}
	site.index()
	return site, nil
}

// checkText refuses what a JSON answer could not hold as it is.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("is not UTF-8")
	}
	return nil
}

func checkBody(text string, isADF bool) error {
	if err := checkText(text); err != nil {
		return err
	}
	if isADF && !json.Valid([]byte(text)) {
		return errors.New("is not JSON, as ADF has to be")
	}
	return nil
}

// emptySite is the sample's accounts and tokens, and a space DOC with nothing
// but its home page.
func emptySite() (*Site, *content) {
	from := SampleSite()
	doc := from.spaceByKey("DOC")
	site := &Site{
		cloudID: from.cloudID, spaces: []*space{doc}, contents: map[string]*content{},
		accounts: from.accounts, tokens: from.tokens, clients: from.clients,
	}
	old := from.contents[doc.homepage]
	home := &content{id: old.id, kind: typePage, status: "current", title: old.title, number: old.number, space: doc, versions: old.versions}
	site.contents[home.id] = home
	return site, home
}

func (s *Site) addPage(parent *content, number uint64, title string) *content {
	page := &content{
		id: strconv.FormatUint(number, 10), number: number, kind: typePage, status: "current", title: title,
		space: parent.space, parent: parent, position: len(s.contents),
		versions: []*version{{number: 1, when: parent.created(), author: parent.author()}},
	}
	s.contents[page.id] = page
	return page
}

// section is one file of the archive: a heading of words, and what is below it.
type section struct {
	file   string
	line   int // of the heading
	words  []string
	data   []byte
	fields []field
}

type field struct {
	key, value string
	line       int
}

func (s *section) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", s.file, line, strings.Join(s.words, " "), fmt.Sprintf(format, args...))
}

// ParseSite reads a site from a txtar archive, in the form of the sample site,
// whose file shows what there is. A section's heading names a thing: "site", "account
// NAME", "token NAME", "client NAME", "space KEY", or a type of content and its
// id. Lines of "key: value" follow; lines that begin with # are comments, and so
// are headings that do.
// Headings with more words ("page 1001 storage", "page 1001 adf v2", "attachment
// att9 data", "attachment att9 base64 v1") hold bodies, without a version those
// of the current one.
//
// Unknown keys, dangling references and ids that come twice are errors that give
// the line. All errors are reported, not only the first.
func ParseSite(name string, data []byte) (*Site, error) {
	p := &parser{site: &Site{contents: map[string]*content{}, accounts: map[string]*account{}}, seen: map[string]int{}}
	archive := txtar.Parse(data)
	line := 1 + bytes.Count(archive.Comment, []byte("\n"))
	for _, f := range archive.Files {
		s := &section{file: name, line: line, words: strings.Fields(f.Name), data: f.Data}
		line += 1 + bytes.Count(f.Data, []byte("\n"))
		p.declare(s)
	}
	for _, s := range p.sections {
		p.fill(s)
	}
	for _, s := range p.bodies {
		p.fillBody(s)
	}
	p.finish(name)
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	p.site.index()
	return p.site, nil
}

// readFields splits a section into its lines.
func (s *section) readFields() error {
	for i, line := range strings.Split(string(s.data), "\n") {
		if err := checkText(line); err != nil {
			return s.errorf(s.line+1+i, "%v", err)
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return s.errorf(s.line+1+i, "%q is no line of the form \"key: value\"", line)
		}
		f := field{key: strings.TrimSpace(key), value: strings.TrimSpace(value), line: s.line + 1 + i}
		if f.key != "version" && slices.ContainsFunc(s.fields, func(g field) bool { return g.key == f.key }) {
			return s.errorf(f.line, "key %s comes twice", f.key)
		}
		s.fields = append(s.fields, f)
	}
	return nil
}
