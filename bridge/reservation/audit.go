package reservation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Audit compares the floor's tables with those that a platform named (OT-02). Names are equal to the letter or they are two
// tables; those that only resemble one another are shown, and never corrected.
type Audit struct {
	Platform string    `json:"platform"`
	Matching []string  `json:"matching"`
	OnlyHere []string  `json:"only_here" doc:"tables of the floor that the platform has not named"`
	OnlyThem []string  `json:"only_there" doc:"tables that the platform named and the floor does not have: seating a party there fails"`
	Near     []Near    `json:"near" doc:"pairs that differ in case, blanks, leading zeros or a letter before the number"`
	Aliases  []Near    `json:"aliases" doc:"pairs that are one table on purpose"`
	Since    time.Time `json:"since" doc:"the platform's names are those of reservations from then on"`
}

// Near is two names that could be meant for one table.
type Near struct {
	Here  string `json:"here"`
	There string `json:"there"`
}

// auditDays is how far back the names of a platform are looked for.
const auditDays = 60

// Audit gives the comparison for a platform.
func (s *Service) Audit(ctx context.Context, platform string) (Audit, error) {
	i := s.link(platform)
	if i == nil {
		return Audit{}, ErrPlatform
	}
	a := Audit{Platform: platform, Matching: []string{}, OnlyHere: []string{}, OnlyThem: []string{}, Near: []Near{}, Aliases: []Near{}, Since: s.c.Now().AddDate(0, 0, -auditDays).UTC()}
	rows, err := s.c.Journal.Read().QueryContext(ctx,
		`SELECT DISTINCT t.value FROM reservations AS r, json_each(CAST(r.content AS TEXT), '$.tables') AS t WHERE r.platform = ? AND r.business_day >= ?`,
		platform, s.c.Calendar.Day(a.Since))
	if err != nil {
		return Audit{}, fmt.Errorf("read the tables that %s named: %w", platform, err)
	}
	defer rows.Close()
	var theirs []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return Audit{}, fmt.Errorf("read the tables that %s named: %w", platform, err)
		}
		theirs = append(theirs, name)
	}
	if err := rows.Err(); err != nil {
		return Audit{}, fmt.Errorf("read the tables that %s named: %w", platform, err)
	}
	set := i.settings.Load()
	ours := s.c.Floor.Tables()
	compareTables(&a, ours, theirs, set.Aliases)
	return a, nil
}

func compareTables(a *Audit, ours, theirs []string, aliases map[string]string) {
	named := map[string]bool{}
	for _, t := range theirs {
		if here, ok := aliases[t]; ok {
			a.Aliases = append(a.Aliases, Near{here, t})
			named[here] = true
			continue
		}
		if slices.Contains(ours, t) {
			a.Matching = append(a.Matching, t)
			named[t] = true
			continue
		}
		a.OnlyThem = append(a.OnlyThem, t)
		for _, here := range resembling(t, ours) {
			a.Near = append(a.Near, Near{here, t})
		}
	}
	for _, t := range ours {
		if !named[t] {
			a.OnlyHere = append(a.OnlyHere, t)
		}
	}
	slices.Sort(a.Matching)
	slices.Sort(a.OnlyThem)
	slices.SortFunc(a.Near, func(x, y Near) int { return strings.Compare(x.There+x.Here, y.There+y.Here) })
}

// resembling gives the names of a list that somebody could mean by name.
func resembling(name string, list []string) (found []string) {
	want := skeleton(name)
	for _, t := range list {
		if t != name && skeleton(t) == want {
			found = append(found, t)
		}
	}
	return found
}

// skeleton is a name without what people write differently: case, blanks and signs between, leading zeros, a word before the
// number ("T 07" and "7" are the same bones).
func skeleton(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch c {
		case ' ', '\u00a0', '-', '_', '.', '#':
		default:
			b.WriteRune(c)
		}
	}
	bones := b.String()
	for _, word := range []string{"table", "tisch", "tbl", "t"} {
		if rest, ok := strings.CutPrefix(bones, word); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			bones = rest
			break
		}
	}
	if trimmed := strings.TrimLeft(bones, "0"); trimmed != "" {
		bones = trimmed
	}
	return bones
}

// near says which tables somebody could have meant, "" when none resembles.
func near(name string, list []string, words string) string {
	found := resembling(name, list)
	if len(found) == 0 {
		return ""
	}
	return " (" + words + " " + strings.Join(found, ", ") + ")"
}
