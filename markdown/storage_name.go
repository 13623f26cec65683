package markdown

import "strings"

// knownName tells the names that elements of storage format can have: those that
// are read, others of HTML, and any with a prefix, as apps and pasted documents
// have them.
func knownName(name string) bool {
	if visitor(name) != nil {
		return true
	}
	name = strings.ToLower(name)
	if visitor(name) != nil || otherHTML(name) {
		return true
	}
	prefix, local, found := strings.Cut(name, ":")
	odd := func(r rune) bool { return !nameRune(r) || r == ':' }
	return found && prefix != "" && local != "" && !strings.ContainsFunc(prefix+local, odd)
}

// otherHTML tells the elements of HTML and MathML that are not read in any way of
// their own.
func otherHTML(name string) bool {
	switch name {
	case "applet", "area", "base", "basefont", "blink", "data", "datalist", "dialog", "dir", "frame", "frameset", "legend", "link", "map",
		"marquee", "menu", "meta", "meter", "nobr", "noframes", "noscript", "optgroup", "option", "output", "param", "picture", "progress",
		"rb", "rtc", "search", "slot", "source", "template", "track", "annotation-xml", "maction", "menclose", "merror", "mfenced", "mglyph",
		"mlabeledtr", "mmultiscripts", "mpadded", "mphantom", "mprescripts", "ms":
		return true
	}
	return false
}
