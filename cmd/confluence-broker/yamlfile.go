package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// yamlValue is a value of the YAML file and where it stands there.
type yamlValue struct {
	text   string
	origin string // FILE:LINE: KEY
}

// readYAML reads one flat mapping from keys of table to plain values. Every
// unknown key and odd value is reported at once, with file, line and key; the
// map holds what was good. An empty path is an empty file.
func readYAML(path string, table []setting) (map[string]yamlValue, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlSyntax(path, err)
	}
	values := map[string]yamlValue{}
	var problems []error
	for i, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		mapping, ok := doc.Body.(ast.MapNode)
		if i > 0 || !ok {
			problems = append(problems, fmt.Errorf("%s:%d: the file is not one list of `key: value` lines", path, line(doc.Body)))
			continue
		}
		for entry := mapping.MapRange(); entry.Next(); {
			key := entry.Key().GetToken().Value
			origin := fmt.Sprintf("%s:%d: %s", path, line(entry.Key()), key)
			text, err := yamlText(entry.Value())
			if problem := errors.Join(checkKey(key, table), err); problem != nil {
				problems = append(problems, fmt.Errorf("%s: %w", origin, problem))
				continue
			}
			values[key] = yamlValue{text: text, origin: origin}
		}
	}
	return values, errors.Join(problems...)
}

func checkKey(key string, table []setting) error {
	if slices.ContainsFunc(table, func(s setting) bool { return s.name != "" && s.key() == key }) {
		return nil
	}
	if key == "token" {
		return errors.New("a token is not read from this file: use token_file, or CONFLUENCE_TOKEN in the environment")
	}
	return errors.New("there is no such key")
}

// yamlText returns a plain value as written; a list of them, with commas between.
func yamlText(node ast.Node) (string, error) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSpace(node.Value.Value), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, nil
	case *ast.SequenceNode:
		var parts []string
		for _, item := range node.Values {
			if _, nested := item.(*ast.SequenceNode); nested {
				return "", errors.New("the value is a list of lists")
			}
			part, err := yamlText(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ","), nil
	case *ast.NullNode:
		return "", errors.New("the value is missing")
	default:
		return "", errors.New("the value is not a plain one")
	}
}

func line(node ast.Node) int { return node.GetToken().Position.Line }

// yamlSyntax puts the parser's report, which is a drawing of several lines,
// into one.
func yamlSyntax(path string, err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		return fmt.Errorf("%s:%d: %s", path, syntax.Token.Position.Line, syntax.Message)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%s: %s", path, first)
}
