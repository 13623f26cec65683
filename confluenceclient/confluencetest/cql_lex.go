package confluencetest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is one sign or word of CQL.
type lexeme struct {
	kind   lexemeKind
	text   string // a string's text is without quotes and escapes
	offset int
}

type lexemeKind int

const (
	atEnd lexemeKind = iota
	word
	quotedText
	operator // = != > >= < <= ~ !~
	sign     // ( ) ,
)

// is tells whether the lexeme is this word, in either case. Words in quotes are
// never keywords.
func (l lexeme) is(keyword string) bool { return l.kind == word && strings.EqualFold(l.text, keyword) }

func (l lexeme) isSign(text string) bool { return l.kind == sign && l.text == text }

func (l lexeme) String() string {
	if l.kind == atEnd {
		return "the end"
	}
	return "'" + l.text + "'"
}

// lex splits CQL. What is not in quotes may hold letters, digits and a few
// signs; anything else has to be quoted.
func lex(cql string) ([]lexeme, error) {
	var all []lexeme
	for i := 0; i < len(cql); {
		r, size := utf8.DecodeRuneInString(cql[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
		case r == '"' || r == '\'':
			text, length, err := unquote(cql[i:])
			if err != nil {
				return nil, fmt.Errorf("%w (line 1, column %d)", err, i+1)
			}
			all = append(all, lexeme{quotedText, text, i})
			i += length
		case strings.ContainsRune("(),", r):
			all = append(all, lexeme{sign, string(r), i})
			i++
		case strings.ContainsRune("=!<>~", r):
			text := operatorAt(cql[i:])
			if text == "!" {
				return nil, fmt.Errorf("unexpected '!' (line 1, column %d)", i+1)
			}
			all = append(all, lexeme{operator, text, i})
			i += len(text)
		case isWordRune(r):
			end := i
			for end < len(cql) {
				r, size := utf8.DecodeRuneInString(cql[end:])
				if !isWordRune(r) {
					break
				}
				end += size
			}
			all = append(all, lexeme{word, cql[i:end], i})
			i = end
		default:
			return nil, fmt.Errorf("unexpected %q (line 1, column %d)", r, i+1)
		}
	}
	return append(all, lexeme{atEnd, "", len(cql)}), nil
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-./:", r)
}

func operatorAt(s string) string {
	for _, op := range []string{"!=", ">=", "<=", "!~", "=", ">", "<", "~"} {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return s[:1]
}

// unquote reads the string that s begins with. Only quotes and the backslash may
// follow a backslash.
func unquote(s string) (text string, length int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return b.String(), i + 1, nil
		case c != '\\':
			b.WriteByte(c)
		case i+1 < len(s) && strings.IndexByte(`"'\`, s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		default:
			return "", 0, fmt.Errorf("a backslash stands before something that needs none")
		}
	}
	return "", 0, fmt.Errorf("a string has no end")
}
