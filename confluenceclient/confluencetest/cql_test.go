package confluencetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// found runs a query on the sample site, for an account in Berlin.
func find(t testing.TB, cql string) ([]string, error) {
	t.Helper()
	site := SampleSite()
	d := dialect{site: site, account: site.accounts["broker"], now: time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC)}
	q, err := d.parseCQL(cql)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, sp := range site.spaces {
		if q.holds(hit{space: sp}) {
			found = append(found, "space "+sp.key)
		}
	}
	for _, c := range site.ordered {
		if q.holds(hit{content: c, space: c.owner().space}) && c.status == "current" {
			found = append(found, c.id)
		}
	}
	return found, nil
}

func TestCQLFinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cql  string
		want []string
	}{
		{`id = 1001`, []string{"1001"}},
		{`content in (1001, "1005")`, []string{"1001", "1005"}},
		{`ID = '1001'`, []string{"1001"}},
		{`type = attachment and title = "spec.pdf"`, []string{"att77"}},
		{`type = folder`, []string{"5005", "5006"}},
		{`type in (whiteboard, database, embed)`, []string{"5101", "5102", "5103"}},
		{`type = blogpost`, []string{"6006"}},
		{`type = comment and container = 1001`, []string{"8001", "8002", "8003"}},
		{`type = space and space.type = personal`, []string{"space ~712020abc"}},
		{`parent = 1001`, []string{"1005"}},
		{`ancestor = 1001 and type = page`, []string{"1005", "1006"}},
		{`ancestor = 1005 or ancestor = 5006`, []string{"1006", "4643979279", "9007199254740993"}},
		{`label = runbook`, []string{"1001", "2002"}},
		{`label in ("on-call", release) and type != blogpost`, []string{"1001", "1002", "1005"}},
		{`label = runbook and label != "on-call"`, []string{"2002"}},
		{`space = sec and type = page`, []string{"2000", "2002", "3003", "3004"}},
		{`space = "~712020abc" and type = page`, []string{"2100"}},
		{`space = "and" and type = page`, []string{"2300"}},
		{`space in ("2024","and") and type = page`, []string{"2200", "2300"}},
		{`space = NOSUCH`, nil},
		{`space.title ~ compliance and type = page and title ~ rotation`, []string{"2002"}},

		// Left to right, without any going before the other.
		{`id = 1001 or id = 1005 and title = Escalation`, []string{"1005"}},
		{`id = 1001 or (id = 1005 and title = Escalation)`, []string{"1001", "1005"}},
		{`type = page and not space = DOC and not label = runbook and title ~ home`, []string{"2000"}},
		{`space = SEC and type = page or id = 1001`, []string{"1001", "2000", "2002", "3003", "3004"}},
		{`((id = 1001))`, []string{"1001"}},
		{`id not in (1001) and id in (1001, 1005)`, []string{"1005"}},
		{`type=page AND id=1001 ORDER BY created DESC, title`, []string{"1001"}},

		// Titles: exact but for case with =, by words with ~.
		{`title = "run book" and type = page`, []string{"1001"}},
		{`title = "\"Run Book\""`, []string{"1001"}},
		{`title = "R&D \"x\" <env>"`, []string{"1003"}},
		{`title ~ "book run"`, []string{"1001", "8001", "8002", "8003"}},
		{`title ~ book and type = page`, []string{"1001"}},
		{`title !~ book and id in (1001, 1005)`, []string{"1005"}},

		// The language inside ~.
		{`text ~ "restart" and type = page`, []string{"1001", "1002", "2002"}},
		{`text ~ "restart signers"`, []string{"2002"}},
		{`text ~ "\"drain it first\""`, []string{"1001"}},
		{`text ~ "\"first drain\""`, nil},
		{`text ~ "resta*" and type = page`, []string{"1001", "1002", "2002"}},
		{`text ~ "r?start" and type = page`, []string{"1001", "1002", "2002"}},
		{`text ~ "restarp~" and type = page`, []string{"1001", "1002", "2002"}},
		{`text ~ "restart -ingest" and type = page`, []string{"1002", "2002"}},
		{`text ~ "restart NOT ingest" and type = page`, []string{"1002", "2002"}},
		{`text ~ "signers OR searches" and type = page`, []string{"1002", "2002"}},
		{`text ~ "RESTART" and id = 1001`, []string{"1001"}},
		{`text ~ "größe"`, []string{"1004"}},
		{`text ~ "日本語" and type = page`, []string{"1004"}},
		{`text ~ "ingestctl"`, []string{"1001"}},
		{`text ~ "language"`, nil},
		{`siteSearch ~ "restart" and type = page and space = SEC`, []string{"2002"}},
		{`space = SEC and siteSearch ~ "restart" and type = page`, []string{"2000", "2002", "3003", "3004"}}, // dropped in the middle of three
		{`space = SEC and siteSearch ~ "restart"`, []string{"2002"}},

		// Dates, in the account's zone: 2026-03-01T10:15Z is 11:15 in Berlin.
		{`lastmodified >= "2026-03-01 11:15" and type = page`, []string{"1001"}},
		{`lastmodified > "2026-03-01 11:15" and type = page`, nil},
		{`lastmodified > "2026/03/01 11:14" and type = page`, []string{"1001"}},
		{`lastmodified = "2026-03-01" and type = page`, []string{"1001"}},
		{`lastmodified = "2026-03-01 11:15"`, []string{"1001"}},
		{`lastmodified != "2026-03-01" and id in (1001, 1005)`, []string{"1005"}},
		{`created < 2025-11-05 and type = page`, []string{"1000", "2000"}},
		{`created <= "2025-11-03 09:00" and type = page`, []string{"1000"}},
		{`lastmodified >= now("-4d") and type = page`, []string{"1001"}},
		{`lastmodified >= startOfDay("-1d") and id != 0 and type = comment`, []string{"8003"}},
		{`lastmodified >= startOfMonth() and type = page`, []string{"1001"}},
		{`created < startOfYear() and created > startOfYear("-1y") and space = SEC and type = page`, []string{"2000"}},
		{`lastmodified <= endOfDay("-3d") and lastmodified >= startOfDay("-3d") and type = page`, []string{"1001"}},

		// People and macros.
		{`creator = currentUser()`, []string{"8002"}},
		{`creator = "712020:0b0b0b0b-0000-4000-8000-000000000001"`, []string{"8002"}},
		{`mention = "712020:abcabcab-0000-4000-8000-000000000002"`, []string{"1001"}},
		{`macro = warning`, []string{"1001"}},
		{`macro in (code, toc)`, []string{"1001"}},
	}
	for _, test := range tests {
		got, err := find(t, test.cql)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", test.cql, err, diff)
		}
	}
}

func TestCQLRefuses(t *testing.T) {
	t.Parallel()
	for cql, want := range map[string]string{
		`nosuchfield = 1`:                   "valid fields are",
		`status = current`:                  "valid fields are",
		`type = nosuchtype`:                 "valid types are",
		`not type = page`:                   "NOT",
		`(not type = page)`:                 "NOT",
		`type = page and`:                   "a field",
		`type = page type = page`:           "AND, OR",
		`(type = page`:                      "')'",
		`type = page)`:                      "AND, OR",
		`type page`:                         "an operator",
		`type =`:                            "a value",
		`type not page`:                     "IN",
		`type in page`:                      "'('",
		`type in ()`:                        "a value",
		`type in (page,)`:                   "a value",
		`type in (page`:                     "')'",
		`space = and`:                       "a value",
		`space = ~712020abc`:                "a value",
		`title = "a`:                        "no end",
		`title = "a\n"`:                     "backslash",
		`title = ""`:                        "empty",
		`text ~ ""`:                         "empty",
		`text = "a"`:                        "not supported by the field",
		`type ~ page`:                       "not supported by the field",
		`id > 5`:                            "not supported by the field",
		`text ~ "*start"`:                   "first sign",
		`lastmodified > "2026-03-01T10:15"`: "is not a date",
		`lastmodified > "March 1"`:          "is not a date",
		`lastmodified > now("4 weeks")`:     "is not an offset",
		`lastmodified > tomorrow()`:         "unknown function",
		`type = page order created`:         "BY",
		`type = page order by nosuch`:       "cannot be ordered by",
		`type = page order by created desc or id = 1`: "the end",
		`type = page; drop`:                           "unexpected",
		`type ! page`:                                 "unexpected",
		strings.Repeat("(", 500) + "id = 1":           "too deeply",
	} {
		got, err := find(t, cql)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, %v, want an error with %q", cql, got, err, want)
		}
	}
	if _, err := find(t, `siteSearch ~ " "`); !errors.Is(err, errNullPointer) {
		t.Errorf("a blank siteSearch: %v, want Confluence's own fault", err)
	}
}

func FuzzCQL(f *testing.F) {
	for _, seed := range []string{
		`type = page and (text ~ "a \"b c\" -d e*" or label in ('x', y)) order by created desc`, `title = "\\"`, `lastmodified > now("-4w")`, `"`, `((`, `not`,
	} {
		f.Add(seed)
	}
	site := SampleSite()
	d := dialect{site: site, account: site.accounts["broker"], now: time.Now()}
	f.Fuzz(func(t *testing.T, cql string) {
		q, err := d.parseCQL(cql)
		if err != nil {
			return
		}
		for _, c := range site.ordered {
			q.holds(hit{content: c, space: c.owner().space})
		}
		// What holds on its own holds in brackets, which is what clients rely on
		// that put theirs beside a query.
		if condition, _, ordered := cutOrder(cql); !ordered {
			if _, err := d.parseCQL("(" + condition + ")"); err != nil && strings.TrimSpace(cql) != "" {
				t.Errorf("%q parses, and not in brackets: %v", cql, err)
			}
		}
	})
}

// cutOrder tells whether the query has an ORDER BY.
func cutOrder(cql string) (condition, order string, found bool) {
	lexemes, err := lex(cql)
	i := slices.IndexFunc(lexemes, func(l lexeme) bool { return l.is("order") })
	if err != nil || i < 0 {
		return cql, "", false
	}
	return cql[:lexemes[i].offset], cql[lexemes[i].offset:], true
}
