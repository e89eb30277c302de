package report

import (
	"fmt"
	"time"
)

// A day is a business day with its moments.
type day struct {
	name         string
	begins, ends time.Time
}

// span gives the business days from to to.
func (r *Reporter) span(from, to string) ([]day, error) {
	today := r.dayOf(r.c.Now())
	if from == "" {
		from = to
	}
	if from == "" {
		from = today
	}
	if to == "" {
		to = from
	}
	first, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return nil, fmt.Errorf("%w: from is %q; write a day as 2026-11-21", ErrDays, from)
	}
	last, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return nil, fmt.Errorf("%w: to is %q; write a day as 2026-11-21", ErrDays, to)
	}
	n := int(last.Sub(first)/(24*time.Hour)) + 1
	switch {
	case n < 1:
		return nil, fmt.Errorf("%w: %s lies after %s; write the earlier day first", ErrDays, from, to)
	case n > MaxDays:
		return nil, fmt.Errorf("%w: %s to %s are %d days; at most %d at a time", ErrDays, from, to, n, MaxDays)
	case first.Year() < 1971 || last.Year() > 9998:
		return nil, fmt.Errorf("%w: the year of %s to %s is none a box has seen", ErrDays, from, to)
	}
	days := make([]day, n)
	for i := range days {
		d := first.AddDate(0, 0, i)
		days[i] = day{d.Format(time.DateOnly), r.begin(d), r.begin(d.AddDate(0, 0, 1))}
	}
	return days, nil
}

// begin is the first moment of a business day. Where the wall clock never shows the hour of closing, the day begins when
// it has passed it.
func (r *Reporter) begin(d time.Time) time.Time {
	hour, minute := int(r.c.Close/time.Hour), int(r.c.Close%time.Hour/time.Minute)
	t := time.Date(d.Year(), d.Month(), d.Day(), hour, minute, 0, 0, r.c.Location)
	for range 6 { // half-hours: no zone ever jumped further than three hours
		if r.dayOf(t) >= d.Format(time.DateOnly) {
			break
		}
		t = t.Add(slot)
	}
	return t
}

// dayOf is the business day at t, by the wall clock, as orders are numbered.
func (r *Reporter) dayOf(t time.Time) string {
	local := t.In(r.c.Location)
	if wall := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute; wall < r.c.Close {
		local = local.AddDate(0, 0, -1)
	}
	return local.Format(time.DateOnly)
}

// at finds the day in which t lies; -1 for none. Days follow each other without a gap.
func at(days []day, t time.Time) int {
	for i := range days {
		if !t.Before(days[i].begins) && t.Before(days[i].ends) {
			return i
		}
	}
	return -1
}

// label is what the wall clock shows at t; where it shows that twice in this day, with its offset.
func label(t time.Time, location *time.Location) string {
	local := t.In(location)
	_, now := local.Zone()
	_, before := t.Add(-3 * time.Hour).In(location).Zone()
	_, after := t.Add(3 * time.Hour).In(location).Zone()
	clock := local.Format("15:04")
	for _, other := range []int{before, after} {
		if other != now && t.Add(time.Duration(now-other)*time.Second).In(location).Format("15:04") == clock {
			return local.Format("15:04 -07:00")
		}
	}
	return clock
}
