package folio

import "time"

// Calendar is the clock of the venue: its zone, and when the business day ends.
type Calendar struct {
	Location *time.Location
	Close    time.Duration // after local midnight; the new business day begins then
}

// Day is the business day at t, as 2006-01-02. The close is read off the wall clock, so that a night which loses or gains
// an hour still ends then.
func (c Calendar) Day(t time.Time) string {
	local := t.In(c.Location)
	if wall(local) < c.Close {
		local = local.AddDate(0, 0, -1)
	}
	return local.Format(time.DateOnly)
}

// wall is how far the wall clock has come since midnight.
func wall(local time.Time) time.Duration {
	return time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
}

// Periods are the service periods as the hotel and the configuration name them; each begins with its first hour and ends
// before its last (OPR-29).
var periods = [...]string{"04-11", "11-14", "14-18", "18-04"}

// Period is the number of the service period at t, 1 to 4: what the hotel gets as serving time.
func (c Calendar) Period(t time.Time) int {
	switch h := t.In(c.Location).Hour(); {
	case h < 4:
		return 4
	case h < 11:
		return 1
	case h < 14:
		return 2
	case h < 18:
		return 3
	}
	return 4
}

// PeriodName is what configuration and pages call a period; "" for a number that is none.
func PeriodName(n int) string {
	if n < 1 || n > len(periods) {
		return ""
	}
	return periods[n-1]
}

// Slot is the end of the revenue slot that t lies in: the first moment after t at which the wall clock shows a multiple of
// every, or at which the business day ends, so that no slot belongs to two days.
func (c Calendar) Slot(t time.Time, every time.Duration) time.Time {
	local := t.In(c.Location)
	next := t.Add(every - wall(local)%every)
	// A slot of more than an hour that holds the hour which comes twice ends where the wall clock says so.
	if gained := offset(local) - offset(next.In(c.Location)); gained > 0 && every > time.Hour {
		next = next.Add(gained)
	}
	y, m, d := local.Date()
	for _, day := range []int{d, d + 1} {
		closing := time.Date(y, m, day, int(c.Close/time.Hour), int(c.Close%time.Hour/time.Minute), 0, 0, c.Location)
		if closing.After(t) && closing.Before(next) {
			next = closing
		}
	}
	return next.UTC()
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
