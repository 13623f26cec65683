package markdown

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ParseADF reads a body in the Atlassian Document Format. It fails only if the
// source is no JSON object or array, or a broken one of which no text can be read;
// whatever else is wrong is read as well as can be.
func ParseADF(source string) (*Document, error) {
	f := newFlow()
	if err := f.adf(source, style{}); err != nil {
		return nil, err
	}
	return f.document(), nil
}

func (f *flow) adf(source string, st style) error {
	root, err := f.readJSON(source)
	if err != nil {
		return err
	}
	a := &adf{flow: f}
	switch root := root.(type) {
	case map[string]any:
		a.repair(root)
		a.node(root, st)
	case []any: // the content without its document
		a.misshapen("doc")
		a.content(node{"content": a.repaired(root)}, st)
	default:
		return errors.New("ADF is no JSON object")
	}
	f.end()
	return nil
}

// adf walks the nodes of ADF. Attributes are read loosely, since documents that
// break the schema exist.
type adf struct {
	*flow
	depth    int
	sentence bool    // in a node that holds text
	link     *target // the link of the text before, which may go on
}

type node = map[string]any

// maxNodeDepth bounds how deep nodes nest; of deeper ones only the text is kept.
const maxNodeDepth = 200

func (a *adf) node(n node, st style) {
	if a.depth++; a.depth > maxNodeDepth {
		a.add(LimitExceeded, "nesting", "nodes nested too deep were read as text")
		a.write(textOf(n), st)
		a.depth--
		return
	}
	defer func() { a.depth-- }()
	kind := str(n, "type")
	if v := a.visitor(kind); v != nil {
		v(n, st)
		return
	}
	a.unknownNode(n, st)
}

// visitor finds how a node is read, by its type; nil if that is not known.
func (a *adf) visitor(kind string) func(node, style) {
	switch kind {
	case "doc", "layoutSection", "layoutColumn", "mediaSingle", "paragraph", "caption", "bodiedSyncBlock":
		return a.blockNode
	case "heading":
		return a.headingNode
	case "text":
		return a.textNode
	case "hardBreak":
		return func(_ node, st style) { a.run(run{kind: breakRun}, st) }
	case "rule":
		return func(node, style) { a.leaf(&block{kind: rule}) }
	case "blockquote":
		return func(n node, st style) { a.within(&block{kind: quote}, func() { a.content(n, st) }) }
	case "codeBlock":
		return a.codeNode
	case "bulletList", "orderedList", "taskList", "decisionList":
		return a.listNode
	case "listItem", "taskItem", "blockTaskItem", "decisionItem":
		return a.itemNode
	case "table":
		return a.tableNode
	case "tableRow":
		return func(n node, st style) { a.within(&block{kind: row}, func() { a.content(n, st) }) }
	case "tableCell", "tableHeader":
		return a.cellNode
	case "panel":
		return a.panelNode
	case "expand", "nestedExpand":
		return func(n node, st style) { a.expand(str(attrs(n), "title"), func(st style) { a.content(n, st) }, st) }
	case "media":
		return a.mediaNode
	case "mediaGroup":
		return a.mediaGroup
	case "mediaInline":
		return a.mediaInline
	case "inlineCard", "blockCard", "embedCard":
		return a.cardNode
	case "applicationCard":
		return a.applicationCard
	case "mention":
		return a.mentionNode
	case "emoji":
		return func(n node, st style) { a.write(firstOf(str(attrs(n), "text"), str(attrs(n), "shortName")), st) }
	case "date":
		return func(n node, st style) { a.atom(run{text: day(attrs(n)["timestamp"])}, st) }
	case "status":
		return func(n node, st style) { a.atom(run{text: str(attrs(n), "text")}, st) }
	case "placeholder":
		return func(n node, st style) {
			if text := str(attrs(n), "text"); strings.TrimSpace(text) != "" {
				a.marker(text, st)
			}
		}
	case "extension", "inlineExtension", "bodiedExtension", "multiBodiedExtension":
		return a.extensionNode
	case "confluenceUnsupportedBlock", "confluenceUnsupportedInline", "unsupportedBlock", "unsupportedInline":
		return a.unsupportedNode
	case "extensionFrame":
		return a.blockNode
	case "syncBlock":
		return func(_ node, st style) {
			a.add(DynamicContent, "syncBlock", "the text of another page, which Confluence puts here")
			a.marker("synced block", st)
		}
	}
	return nil
}

// content walks the nodes inside a node.
func (a *adf) content(n node, st style) {
	outer := a.sentence
	switch str(n, "type") {
	case "paragraph", "heading", "caption", "taskItem", "decisionItem":
		a.sentence = true
	}
	for _, child := range children(n) {
		a.node(child, st)
	}
	a.sentence = outer
}

func (a *adf) blockNode(n node, st style) {
	a.end()
	st = a.marked(n, st)
	a.content(n, st)
	a.end()
	a.link = nil
}

func (a *adf) headingNode(n node, st style) {
	level, _ := number(attrs(n)["level"])
	a.flow.heading(min(max(level, 1), 6))
	a.content(n, a.marked(n, st))
	a.end()
	a.link = nil
}

func (a *adf) panelNode(n node, st style) {
	attrs := attrs(n)
	kind := panelKind(str(attrs, "panelType"))
	a.panel(kind, "", func(st style) {
		if icon := str(attrs, "panelIconText"); icon != "" && kind == "" {
			a.titled(icon, nil, st)
		}
		a.content(n, st)
	}, st)
}

// panelKind returns what a panel is called; one of a person's own making has no
// kind.
func panelKind(kind string) string {
	if kind == "custom" {
		return ""
	}
	return cut(kind, 40)
}

// mentionNode names a person. The name of the day of writing goes along.
func (a *adf) mentionNode(n node, st style) {
	name, t := str(attrs(n), "text"), &target{account: str(attrs(n), "id")}
	if name = strings.TrimPrefix(name, "@"); name != "" {
		name = "@" + name
	}
	if name == "" && t.account == "" {
		a.add(Unsupported, "mention", "a mention of nobody")
		a.marker("mention", st)
		return
	}
	a.note(*t)
	a.atom(run{kind: labelRun, subject: t, text: name}, st)
}

// day returns the day of a time stamp in milliseconds, which ADF has as text.
func day(stamp any) string {
	ms, ok := number(stamp)
	if !ok {
		text, _ := stamp.(string)
		return text
	}
	return time.UnixMilli(int64(ms)).UTC().Format(time.DateOnly)
}

func attrs(n node) node {
	m, _ := n["attrs"].(map[string]any)
	return m
}

// str returns a text, or a number as text; "" for anything else.
func str(n node, key string) string {
	switch v := n[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(min(max(v, -1<<53), 1<<53)), true
	case string:
		n, err := strconv.ParseInt(v, 10, 54)
		return int(n), err == nil
	}
	return 0, false
}

func children(n node) []node {
	list, _ := n["content"].([]any)
	nodes := make([]node, 0, len(list))
	for _, v := range list {
		if child, ok := v.(map[string]any); ok {
			nodes = append(nodes, child)
		}
	}
	return nodes
}

// textOf returns all text below a node.
func textOf(n node) string {
	var b strings.Builder
	appendText(&b, n)
	return b.String()
}

func appendText(b *strings.Builder, n node) {
	text := str(n, "text")
	if attrs := attrs(n); attrs != nil && text == "" {
		text = firstOf(str(attrs, "text"), str(attrs, "shortName"), str(attrs, "title"), str(attrs, "alt"), str(attrs, "url"))
	}
	b.WriteString(text)
	if str(n, "type") == "hardBreak" {
		b.WriteByte('\n')
	}
	for _, child := range children(n) {
		inline := str(child, "type") == "text"
		if !inline {
			b.WriteByte(' ') // so that words stay apart
		}
		appendText(b, child)
		if !inline {
			b.WriteByte(' ')
		}
	}
}
