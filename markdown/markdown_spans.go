package markdown

import (
	"strings"
	"unicode"
)

// splitBlanks makes the blanks at the edges of spans spans of their own, which
// look only like what both neighbours look like. So no emphasis starts or ends
// with a blank, which CommonMark would not take for emphasis.
func splitBlanks(spans []span) []span {
	if len(spans) == 1 && !spans[0].blank() && strings.TrimSpace(spans[0].text) == spans[0].text {
		return spans
	}
	out := make([]span, 0, len(spans)+4)
	for _, s := range spans {
		if s.kind != textRun || s.marks&codeMark != 0 {
			out = append(out, s)
			continue
		}
		inner := strings.TrimLeftFunc(s.text, unicode.IsSpace)
		lead := s.text[:len(s.text)-len(inner)]
		core := strings.TrimRightFunc(inner, unicode.IsSpace)
		for _, text := range []string{lead, core, inner[len(core):]} {
			if text != "" {
				s.text = text
				out = append(out, s)
			}
		}
	}
	// What is right of a blank, and then what is left of it too.
	right := span{}
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].blank() {
			out[i].marks, out[i].link, out[i].href = right.marks&^codeMark, right.link, right.href
		} else {
			right = out[i]
		}
	}
	left := span{}
	for i := range out {
		if !out[i].blank() {
			left = out[i]
			continue
		}
		out[i].marks &= left.marks
		if out[i].link != left.link {
			out[i].link = nil
		}
	}
	return out
}

// join makes neighbours that look alike one. What is markup depends on what is
// beside it, and two code spans side by side would be one with backticks in it.
func join(spans []span) []span {
	same := func(a, b *span) bool {
		return a.kind == textRun && b.kind == textRun && a.marks == b.marks && a.link == b.link
	}
	alike := 0
	for i := 1; i < len(spans); i++ {
		if same(&spans[i-1], &spans[i]) {
			alike++
		}
	}
	if alike == 0 {
		return spans
	}
	out := make([]span, 0, len(spans)-alike)
	for i := 0; i < len(spans); {
		s, end := spans[i], i+1
		for end < len(spans) && same(&s, &spans[end]) {
			end++
		}
		if end > i+1 {
			var text strings.Builder
			for _, piece := range spans[i:end] {
				text.WriteString(piece.text)
			}
			s.text = text.String()
		}
		out = append(out, s)
		i = end
	}
	return out
}

// blank tells whether nothing of a span shows.
func (s *span) blank() bool {
	return s.kind == breakRun || s.kind == textRun && s.marks&codeMark == 0 && !strings.ContainsFunc(s.text, visible)
}

func (s *span) has(l layer) bool {
	if l == linkLayer {
		return s.link != nil
	}
	return s.marks&layerMarks[l] != 0
}
