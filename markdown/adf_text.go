package markdown

import "strings"

// textNode is a text with its marks.
func (a *adf) textNode(n node, st style) {
	st = a.marked(n, st)
	for i, line := range strings.Split(str(n, "text"), "\n") {
		if i > 0 {
			a.run(run{kind: breakRun}, st) // the editor shows it as one
		}
		a.write(line, st)
	}
}

// marked adds the marks of a node to a style. A link that goes on over texts
// that look different stays one link.
func (a *adf) marked(n node, st style) style {
	marks, _ := n["marks"].([]any)
	var link *target
	for _, v := range marks {
		m, _ := v.(map[string]any)
		switch kind := str(m, "type"); kind {
		case "strong":
			st = st.with(strong)
		case "em":
			st = st.with(emphasis)
		case "strike":
			st = st.with(strike)
		case "code":
			st = st.with(codeMark)
		case "link":
			to := target{url: str(attrs(m), "href"), title: a.clean(strings.Join(strings.Fields(str(attrs(m), "title")), " "))}
			if link = a.link; link == nil || *link != to {
				link = &to
				a.note(*link)
			}
			st = st.to(link)
		case "annotation":
			a.comment(str(attrs(m), "id"), str(n, "text"))
		case "underline", "textColor", "backgroundColor", "alignment", "indentation", "fontSize":
			a.lost(kind)
		case "subsup":
			a.lost(firstOf(str(attrs(m), "type"), kind))
		case "border", "breakout", "fragment", "dataConsumer": // how wide, and what editors and apps need
		default:
			a.lost(firstOf(kind, "mark"))
		}
	}
	a.link = link
	return st
}
