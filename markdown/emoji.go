package markdown

import (
	"strconv"
	"strings"
	"unicode"
)

// emoticon returns what a name of one of Confluence's first emoticons shows; "" for others.
func emoticon(name string) string {
	switch name {
	case "smile":
		return "🙂"
	case "sad":
		return "🙁"
	case "cheeky":
		return "😛"
	case "laugh":
		return "😀"
	case "wink":
		return "😉"
	case "thumbs-up":
		return "👍"
	case "thumbs-down":
		return "👎"
	case "information":
		return "ℹ️"
	case "tick":
		return "✅"
	case "cross":
		return "❌"
	case "warning":
		return "⚠️"
	case "plus":
		return "➕"
	case "minus":
		return "➖"
	case "question":
		return "❓"
	case "light-on":
		return "💡"
	case "light-off":
		return "🔅"
	case "yellow-star":
		return "⭐"
	case "red-star", "green-star", "blue-star":
		return "🌟"
	case "heart":
		return "❤️"
	case "broken-heart":
		return "💔"
	}
	return ""
}

// emoji returns what an ac:emoticon shows. Emoji of the new editor have a
// meaningless old name, such as blue-star, so that comes last but for the name
// itself, between colons, which emoji made by the site have alone.
func emoji(e *element) string {
	fallback, id := e.attr("emoji-fallback"), emojiOf(e.attr("emoji-id"))
	if strings.HasPrefix(fallback, ":") { // of the site's own making: the id is no code point
		fallback, id = "", ""
	}
	short := e.attr("emoji-shortname")
	name := e.attr("name")
	old := emoticon(name)
	if short != "" && strings.Trim(short, ":") != name {
		old = ""
	}
	if name != "" {
		name = ":" + name + ":"
	}
	return firstOf(fallback, id, old, short, name)
}

// emojiOf reads an id that is the emoji's code points, as 1f1e9-1f1ea.
func emojiOf(id string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(id, "-") {
		n, err := strconv.ParseUint(part, 16, 21)
		if err != nil || n < 0x80 || n > unicode.MaxRune || b.Len() == 0 && letter(rune(n)) { // such as abc, an id of the site's own making
			return ""
		}
		b.WriteRune(rune(n))
	}
	return b.String()
}
