package order

import "time"

// Calendar tells the business day of a moment: it changes at Close after local midnight, so that the guests of half
// past one belong to the evening before.
type Calendar struct {
	Location *time.Location
	Close    time.Duration // after local midnight
}

// Day is the business day at t, as 2006-01-02.
func (c Calendar) Day(t time.Time) string {
	local := t.In(c.Location)
	// On the wall clock, not by subtraction: a night that loses or gains an hour still ends at Close.
	if midnight := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute; midnight < c.Close {
		local = local.AddDate(0, 0, -1)
	}
	return local.Format(time.DateOnly)
}
