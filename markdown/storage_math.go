package markdown

import (
	"slices"
	"strings"
)

// mathElement is a formula in MathML. Its source, in TeX, says more than the row
// of its letters.
func (s *storage) mathElement(e *element, st style) {
	source := firstOf(e.tex(), e.attr("alttext"))
	if source == "" {
		s.walk(e, st)
		return
	}
	if strings.EqualFold(e.attr("display"), "block") {
		s.leaf(&block{kind: code, text: normalLines(strings.TrimSpace(source)), language: "math"})
		return
	}
	s.write(strings.TrimSpace(source), st.with(codeMark))
}

// tex returns the annotation of a formula that is TeX; "" without one.
func (e *element) tex() string {
	if e.name == "annotation" && strings.Contains(strings.ToLower(e.attr("encoding")), "tex") {
		return e.innerText()
	}
	for _, child := range e.children {
		if source := child.tex(); source != "" {
			return source
		}
	}
	return ""
}

// drawnMath tells a copy of a formula that KaTeX draws right behind its MathML.
func drawnMath(before, e *element) bool {
	return before != nil && e.hasClass("katex-html") && before.hasClass("katex-mathml")
}

func (e *element) hasClass(name string) bool {
	return slices.Contains(strings.Fields(e.attr("class")), name)
}
