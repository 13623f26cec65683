package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFileBytes has room for 50,000 rules.
	maxFileBytes = 4 << 20
	// maxNesting is far more than a policy has. The parser's time grows with the
	// square of it.
	maxNesting = 20
)

// reader walks a policy file and notes what is wrong with it. It goes through
// the tree by hand, since a decoder into structs stops at the first fault and
// forgets where good values stood.
type reader struct {
	file     string
	known    Known
	problems Problems
}

func (r *reader) fail(at place, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: at.line, Column: at.column, Text: fmt.Sprintf(format, args...)})
}

// document returns the one value of the file, nil where there is none.
func (r *reader) document(data []byte) ast.Node {
	start := place{1, 1}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(data) > maxFileBytes {
		r.fail(start, "the file has %d bytes; a policy may have %d", len(data), maxFileBytes)
		return nil
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			r.fail(place{i + 1, 1}, "the line is not UTF-8 text")
			return nil
		}
	}
	tokens := lexer.Tokenize(string(data))
	if at, deep := nesting(tokens); deep {
		r.fail(at, "lists and mappings are nested more than %d deep", maxNesting)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // mapping names them all
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case body != nil:
			r.fail(at(doc.Body), "a second YAML document begins here; a policy is one")
		default:
			body = doc.Body
		}
	}
	if body == nil && len(r.problems) == 0 {
		r.fail(start, "the file says nothing; a policy that lets nobody in is `callers: []`")
	}
	return body
}

// nesting finds where brackets, or dashes of one line, are nested too deep.
func nesting(tokens token.Tokens) (place, bool) {
	depth, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			dashes++
		}
		if max(depth, dashes) > maxNesting {
			return place{t.Position.Line, t.Position.Column}, true
		}
	}
	return place{}, false
}

// syntax takes the parser's report, which is a drawing of several lines, apart.
func (r *reader) syntax(err error) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		r.fail(place{syntax.Token.Position.Line, syntax.Token.Position.Column}, "this is not YAML: %s", syntax.Message)
		return
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	r.fail(place{1, 1}, "this is not YAML: %s", first)
}

// at is where a value begins.
func at(node ast.Node) place {
	if mapping, ok := node.(ast.MapNode); ok {
		if entry := mapping.MapRange(); entry.Next() { // its own token is the first colon
			node = entry.Key()
		}
	}
	position := node.GetToken().Position
	return place{position.Line, position.Column}
}

// mapping calls the function of each key with its value.
func (r *reader) mapping(node ast.Node, what string, fields map[string]func(ast.Node)) {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		r.fail(at(node), "%s is written as `key: value` lines, with the keys %s", what, keys(fields))
		return
	}
	seen := map[string]place{}
	for entry := mapping.MapRange(); entry.Next(); {
		name, here := entry.Key().GetToken().Value, at(entry.Key())
		first, twice := seen[name]
		read, ok := fields[name]
		switch {
		case twice:
			r.fail(here, "%s has %s already, in line %d", what, quote(name), first.line)
		case !ok:
			r.fail(here, "%s has no key %s; the keys are %s", what, quote(name), keys(fields))
		case entry.Value().Type() == ast.NullType:
			r.fail(here, "%s has no value; leave it out, or for an empty list write []", name)
		default:
			read(entry.Value())
		}
		seen[name] = cmp.Or(first, here)
	}
}

// list calls each with every item.
func (r *reader) list(node ast.Node, what string, each func(ast.Node)) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		r.fail(at(node), "%s is a list: [ONE, TWO], or a line with a dash for each", what)
		return
	}
	if len(sequence.Values) == 0 {
		r.empty(node, what)
	}
	for _, item := range sequence.Values {
		each(item)
	}
}

// empty refuses lists that do nothing where they are empty, and look as if they
// did something: a caller known by nothing, an exception of nothing. Lists of what
// is allowed may be empty: they allow nothing.
func (r *reader) empty(node ast.Node, what string) {
	switch what {
	case "keys", "uris", "dns", "subjects", "jwt", "except spaces", "except labels", "except subtrees":
		r.fail(at(node), "%s is empty and does nothing; leave it out, or say what it should hold", what)
	}
}

// text returns a plain value as it is written, so that the space key 2024 needs
// no quotes.
func (r *reader) text(node ast.Node, what string) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		if node.Value == "" {
			r.fail(at(node), "%s is empty", what)
		}
		return node.Value, node.Value != ""
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true
	case *ast.NullNode:
		r.fail(at(node), "%s is missing; if the word %s is meant, put it in quotes", what, quote(node.GetToken().Value))
	default:
		r.fail(at(node), "%s is not a plain value; lists, mappings, blocks, anchors and tags are not read here", what)
	}
	return "", false
}

// texts calls each with every item of a list of plain values.
func (r *reader) texts(node ast.Node, what string, each func(text string, at place)) {
	r.list(node, what, func(item ast.Node) {
		if text, ok := r.text(item, "an entry of "+what); ok {
			each(text, at(item))
		}
	})
}

func (r *reader) boolean(node ast.Node, what string) bool {
	value, ok := node.(*ast.BoolNode)
	if !ok {
		r.fail(at(node), "%s is true or false, without quotes", what)
		return false
	}
	return value.Value
}

// whole returns a number from least to most.
func (r *reader) whole(node ast.Node, what string, least, most int) int {
	text, ok := r.text(node, what)
	if !ok {
		return least
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		r.fail(at(node), "%s is a whole number from %d to %d, and not %s", what, least, most, quote(text))
		return least
	}
	return number
}

func keys(fields map[string]func(ast.Node)) string {
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// quote shows what is written, within reason.
func quote(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}
