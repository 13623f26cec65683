package markdown

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// readJSON reads a source that should be one JSON object or array. Of one that
// breaks off, nests too deep or goes on behind its end, what can be had is read,
// with a warning; it fails if that is no text at all.
func (f *flow) readJSON(source string) (any, error) {
	source = strings.TrimSpace(strings.TrimPrefix(source, "\uFEFF"))
	if !utf8.ValidString(source) {
		f.add(CharactersReplaced, "", "bytes that are no text were replaced")
		source = strings.ToValidUTF8(source, "\uFFFD")
	}
	var root any
	err := json.Unmarshal([]byte(source), &root)
	if err == nil {
		return root, nil
	}
	if err = fmt.Errorf("ADF is no JSON: %w", err); !strings.HasPrefix(source, "{") && !strings.HasPrefix(source, "[") {
		return nil, err
	}
	s := newSalvage(source)
	nodes := s.read()
	if !s.found {
		return nil, err
	}
	if s.deepest > maxJSONDepth {
		f.add(LimitExceeded, "nesting", "nodes nested too deep were read as text")
	}
	if s.deepest <= 10_000 { // beyond which encoding/json takes nothing
		f.add(Malformed, "", "the ADF is not well-formed JSON ("+cut(errors.Unwrap(err).Error(), 120)+") and was read as far as possible")
	}
	return node{"type": "doc", "content": nodes}, nil
}

// maxJSONDepth bounds how deep values are kept; of deeper ones the texts are. The
// limit of encoding/json itself ends in an error.
const maxJSONDepth = 1000

// salvage reads JSON token by token, so that a fault does not cost what stands
// before it.
type salvage struct {
	source  string
	open    []*opening // outermost first; the first is a list around everything
	deep    strings.Builder
	deepest int
	found   bool // whether there is anything to show
}

// opening is an object or a list that has not ended.
type opening struct {
	object node
	list   []any
	key    string
	keyed  bool // a key was read, and its value comes next
}

func newSalvage(source string) *salvage { return &salvage{source: source, open: []*opening{{}}} }

func (s *salvage) top() *opening { return s.open[len(s.open)-1] }

// read returns the values of the source, and at their end the texts behind the
// fault.
func (s *salvage) read() []any {
	d := json.NewDecoder(strings.NewReader(s.source))
	from := int64(0) // where what has not been understood starts
	for {
		if !s.top().keyed {
			from = d.InputOffset()
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(s.open) == 1 {
			return s.open[0].list
		}
		if err != nil {
			break
		}
		s.token(token)
	}
	for len(s.open) > 1 && s.top().object != nil {
		s.close()
	}
	for i, text := range textsOf(s.source[from:]) {
		if i > 0 {
			s.put(node{"type": "hardBreak"})
		}
		s.put(node{"type": "text", "text": text})
		s.found = true
	}
	for len(s.open) > 1 {
		s.close()
	}
	return s.open[0].list
}

func (s *salvage) token(token json.Token) {
	top := s.top()
	switch token := token.(type) {
	case json.Delim:
		switch token {
		case '{':
			s.open = append(s.open, &opening{object: node{}})
		case '[':
			s.open = append(s.open, &opening{})
		default:
			s.close()
		}
		s.deepest = max(s.deepest, len(s.open))
	case string:
		if top.object != nil && !top.keyed {
			top.key, top.keyed = token, true
			return
		}
		s.put(token)
	default:
		s.put(token)
	}
}

// put adds a value to what is open.
func (s *salvage) put(value any) {
	top := s.top()
	text, isText := value.(string)
	switch top.key {
	case "", "text", "shortName", "title", "alt", "url", "cxhtml":
		s.found = s.found || isText && strings.TrimSpace(text) != ""
	}
	switch {
	case len(s.open) > maxJSONDepth:
		if isText && top.object != nil && top.key == "text" {
			s.deep.WriteString(text)
		}
	case top.object == nil:
		top.list = append(top.list, value)
	default:
		top.object[top.key] = value
	}
	top.keyed = false
}

// close ends the innermost object or list.
func (s *salvage) close() {
	ended := s.top()
	s.open = s.open[:len(s.open)-1]
	switch {
	case len(s.open) > maxJSONDepth:
		if s.top().key == "content" {
			s.deep.WriteByte(' ') // so that words of two paragraphs stay apart
		}
		s.top().keyed = false
	case len(s.open) == maxJSONDepth:
		s.top().take(s.deep.String())
		s.deep.Reset()
	case ended.object != nil:
		s.put(ended.object)
	default:
		s.put(ended.list)
	}
}

// take adds the text of what nested too deep.
func (o *opening) take(text string) {
	o.keyed = false
	if text == "" {
		return
	}
	value := node{"type": "text", "text": text}
	if o.object == nil {
		o.list = append(o.list, value)
		return
	}
	list, _ := o.object["content"].([]any)
	o.object["content"] = append(list, value)
}

var textValue = regexp.MustCompile(`"text"\s*:\s*"((?:[^"\\]|\\.)*)`)

var brokenEscape = regexp.MustCompile(`\\(u[0-9a-fA-F]{0,3})?$`)

// textsOf finds the texts of nodes in a piece of JSON that is broken; the last of
// them may have no end.
func textsOf(source string) []string {
	var texts []string
	for _, match := range textValue.FindAllStringSubmatch(source, -1) {
		var text string
		raw := strings.NewReplacer("\n", `\n`, "\r", "", "\t", `\t`).Replace(brokenEscape.ReplaceAllString(match[1], ""))
		if json.Unmarshal([]byte(`"`+raw+`"`), &text) != nil {
			text = raw
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
