package markdown

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// xmlReader reads XML as storage format has it: with the entity names of HTML,
// prefixes without a declaration and any number of roots. Unknown entities stay
// as they are written, and a document type is skipped, so nothing is ever loaded
// or expanded.
//
// It cuts names and texts out of the source and copies only what holds
// references, which makes it several times faster than encoding/xml. A test
// holds it against that.
type xmlReader struct {
	*elementBuilder
	source string
	at     int         // what has been read
	found  []attribute // of the tag at hand
	faults *faults     // what a tolerant reading has met; nil: a fault ends the reading
}

// readXML fails for what is not well-formed.
func readXML(source string, w *warnings) (*element, error) {
	x := xmlReader{elementBuilder: newElementBuilder(w), source: source}
	for x.at < len(source) {
		if err := x.markup(); err != nil {
			before := source[:x.at]
			line, column := strings.Count(before, "\n")+1, x.at-strings.LastIndexByte(before, '\n')
			return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
		}
	}
	if n := len(x.tags); n > 0 {
		return nil, fmt.Errorf("%s is not closed", cut(x.tags[n-1].name, 40))
	}
	return x.done(), nil
}

// markup reads what is next: a text, a tag, or what shows nothing.
func (x *xmlReader) markup() error {
	switch rest := x.source[x.at:]; {
	case rest[0] != '<':
		end := strings.IndexByte(rest, '<')
		if end < 0 {
			end = len(rest)
		}
		x.at += end
		x.write(x.dereferenced(rest[:end]))
		return nil
	case strings.HasPrefix(rest, "</"):
		return x.endTag()
	case strings.HasPrefix(rest, "<![CDATA["):
		content, err := x.section("<![CDATA[", "]]>")
		x.write(normalLines(content))
		return err
	case strings.HasPrefix(rest, "<!--"):
		_, err := x.section("<!--", "-->")
		return err
	case strings.HasPrefix(rest, "<?"):
		_, err := x.section("<?", "?>")
		return err
	case strings.EqualFold(rest[:min(len(rest), len(docType))], docType):
		return x.documentType()
	}
	return x.startTag()
}

// section returns what stands between a start that is next and its end.
func (x *xmlReader) section(start, end string) (string, error) {
	if !x.faults.endless(start) {
		content, _, found := strings.Cut(x.source[x.at+len(start):], end)
		if found {
			x.at += len(start) + len(content) + len(end)
			return content, nil
		}
	}
	return "", x.faults.noEnd(start)
}

const docType = "<!DOCTYPE"

func (x *xmlReader) documentType() error {
	depth, quote := 0, byte(0)
	for i := x.at; i < len(x.source) && !x.faults.endless(docType); i++ {
		switch c := x.source[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			depth++
		case c == '>':
			if depth--; depth == 0 {
				x.at = i + 1
				return nil
			}
		}
	}
	return x.faults.noEnd(docType)
}

func (x *xmlReader) endTag() error {
	from := x.at
	x.at += len("</")
	name := x.name()
	x.skipBlanks()
	if name == "" || !x.next(">") {
		x.at = from
		return errors.New("an end tag is broken")
	}
	switch n, known := len(x.tags), knownName(name); {
	case x.faults != nil && known:
		x.endNearest(strings.ToLower(name))
		return nil
	case x.faults == nil && (n == 0 || x.tags[n-1].name != name):
		x.at = from
		return fmt.Errorf("unexpected end of %s", cut(name, 40))
	case !known:
		x.write(x.source[from:x.at])
	}
	if x.faults == nil {
		x.end()
	}
	return nil
}

func (x *xmlReader) startTag() error {
	from := x.at
	x.at++
	name := x.name()
	if name == "" {
		x.at = from
		return errors.New("< without a name behind it")
	}
	x.found = x.found[:0]
	for {
		x.skipBlanks()
		switch {
		case x.next(">"):
			x.begin(name, x.source[from:x.at], false)
			return nil
		case x.next("/>"):
			x.begin(name, x.source[from:x.at], true)
			return nil
		}
		a, err := x.attribute()
		if err != nil {
			return fmt.Errorf("in %s: %w", cut(name, 40), err)
		}
		x.found = append(x.found, a)
	}
}

// begin opens what a start tag is, and ends it if it is empty.
func (x *xmlReader) begin(name, source string, empty bool) {
	known := knownName(name)
	switch {
	case x.faults != nil && known:
		x.startTolerantly(strings.ToLower(name), empty)
		return
	case known:
		x.start(name, x.found)
	default:
		x.literal(name, source)
		if x.faults != nil {
			return // whose end may never come
		}
		x.tags = append(x.tags, tag{name: name})
	}
	if empty {
		x.end()
	}
}

func (x *xmlReader) attribute() (attribute, error) {
	name := x.name()
	if name == "" {
		return attribute{}, errors.New("no attribute where one should be")
	}
	x.skipBlanks()
	equal := x.next("=")
	x.skipBlanks()
	rest := x.source[x.at:]
	a := attribute{local: name[strings.IndexByte(name, ':')+1:]}
	if x.faults != nil {
		a.local = strings.ToLower(a.local)
	}
	if !equal || rest == "" || rest[0] != '"' && rest[0] != '\'' {
		if x.faults != nil && x.bareValue(&a, equal) {
			return a, nil
		}
		return a, fmt.Errorf("attribute %s has no quoted value", cut(name, 40))
	}
	end := strings.IndexByte(rest[1:], rest[0])
	if end < 0 || strings.IndexByte(rest[1:1+end], '<') >= 0 { // a quote that is missing must not swallow text
		return a, fmt.Errorf("the value of attribute %s does not end", cut(name, 40))
	}
	x.at += end + 2
	a.value = x.dereferenced(rest[1 : 1+end])
	return a, nil
}

// name reads a name; "" if none is next.
func (x *xmlReader) name() string {
	rest := x.source[x.at:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !nameRune(r) })
	if end < 0 {
		end = len(rest)
	}
	if first, _ := utf8.DecodeRuneInString(rest); first != '_' && !unicode.IsLetter(first) {
		return ""
	}
	x.at += end
	return rest[:end]
}

func nameRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == ':' || r == '_' || r == '.'
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// next reads a mark, if it is next.
func (x *xmlReader) next(mark string) bool {
	if !strings.HasPrefix(x.source[x.at:], mark) {
		return false
	}
	x.at += len(mark)
	return true
}

func (x *xmlReader) skipBlanks() {
	for x.at < len(x.source) && strings.IndexByte(" \t\r\n", x.source[x.at]) >= 0 {
		x.at++
	}
}
