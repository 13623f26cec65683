package confluencetest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func createdAt(h hit) time.Time {
	if h.content == nil {
		return h.space.created
	}
	return h.content.created()
}

func modifiedAt(h hit) time.Time {
	if h.content == nil {
		return h.space.created
	}
	return h.content.current().when
}

// dateCondition compares instants. A literal is in the account's own time zone,
// which a client cannot see; "=" means the same day, or with a time of day the
// same minute.
func dateCondition(get func(hit) time.Time) func(*cqlParser, string, []value) (condition, error) {
	return func(p *cqlParser, op string, values []value) (condition, error) {
		at, unit, err := p.date(values[0])
		if err != nil {
			return nil, err
		}
		same := func(h hit) bool { t := get(h); return !t.Before(at) && t.Before(unit(at)) }
		switch op {
		case "=":
			return same, nil
		case "!=":
			return negate(op, same), nil
		case ">":
			return func(h hit) bool { return get(h).After(at) }, nil
		case ">=":
			return func(h hit) bool { return !get(h).Before(at) }, nil
		case "<":
			return func(h hit) bool { return get(h).Before(at) }, nil
		}
		return func(h hit) bool { return !get(h).After(at) }, nil
	}
}

// date reads an instant, and how to get to the end of the day or minute that it
// names.
func (p *cqlParser) date(v value) (time.Time, func(time.Time) time.Time, error) {
	minute := func(t time.Time) time.Time { return t.Add(time.Minute) }
	if v.isTime {
		return v.instant, minute, nil
	}
	text := strings.ReplaceAll(v.text, "/", "-")
	if t, err := time.ParseInLocation("2006-01-02 15:04", text, p.account.zone); err == nil {
		return t, minute, nil
	}
	t, err := time.ParseInLocation("2006-01-02", text, p.account.zone)
	if err != nil {
		return t, nil, fmt.Errorf("'%s' is not a date of the form yyyy-MM-dd or yyyy-MM-dd HH:mm", v.text)
	}
	return t, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, nil
}

var offset = regexp.MustCompile(`^([+-]?\d{1,6})([yMwdhm])$`)

// function runs a function; its name has been read, its bracket not.
func (p *cqlParser) function(name string) (value, error) {
	p.next() // the bracket
	argument := ""
	if l := p.peek(); l.kind == quotedText || l.kind == word {
		argument = p.next().text
	}
	if !p.peek().isSign(")") {
		return value{}, p.unexpected("')'")
	}
	p.next()
	lower := strings.ToLower(name)
	if lower == "currentuser" && argument == "" {
		return value{text: p.account.id}, nil
	}
	at, ok := p.named(lower)
	if !ok {
		return value{}, fmt.Errorf("unknown function '%s'", name)
	}
	if argument != "" {
		match := offset.FindStringSubmatch(argument)
		if match == nil {
			return value{}, fmt.Errorf("'%s' is not an offset such as -4w", argument)
		}
		n, _ := strconv.Atoi(match[1]) // six digits at most
		at = shift(at, n, match[2])
	}
	return value{text: at.Format(time.RFC3339), instant: at, isTime: true}, nil
}

// named is the instant of a date function, in the account's time zone.
func (p *cqlParser) named(function string) (time.Time, bool) {
	now := p.now.In(p.account.zone)
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	starts := map[string]time.Time{
		"day":   day,
		"week":  day.AddDate(0, 0, -int(day.Weekday())),
		"month": day.AddDate(0, 0, 1-day.Day()),
		"year":  time.Date(now.Year(), 1, 1, 0, 0, 0, 0, now.Location()),
	}
	if function == "now" {
		return now, true
	}
	if unit, ok := strings.CutPrefix(function, "startof"); ok {
		at, known := starts[unit]
		return at, known
	}
	if unit, ok := strings.CutPrefix(function, "endof"); ok {
		at, known := starts[unit]
		return shift(at, 1, map[string]string{"day": "d", "week": "w", "month": "M", "year": "y"}[unit]).Add(-time.Millisecond), known
	}
	return now, false
}

func shift(t time.Time, n int, unit string) time.Time {
	switch unit {
	case "y":
		return t.AddDate(n, 0, 0)
	case "M":
		return t.AddDate(0, n, 0)
	case "w":
		return t.AddDate(0, 0, 7*n)
	case "d":
		return t.AddDate(0, 0, n)
	case "h":
		return t.Add(time.Duration(n) * time.Hour)
	}
	return t.Add(time.Duration(n) * time.Minute)
}
