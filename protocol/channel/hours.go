package channel

import (
	"cmp"
	"slices"
	"time"
)

// Opening is when a menu can be ordered from: the hours of every week, and the days that have others. It is in the time of one
// zone.
type Opening struct {
	Zone    string    `json:"zone"` // IANA; "" when it was not told
	Weekly  []Hours   `json:"weekly"`
	Special []Special `json:"special"`
}

// Hours is one opening of a weekday, in the store's time: minutes since midnight, From below 1440; To is later and lies behind
// midnight when it is more than 1440.
type Hours struct {
	Day  time.Weekday `json:"day"`
	From int          `json:"from"`
	To   int          `json:"to"`
}

// A Special is a day that the hours of its weekday do not count for. Without hours it is closed.
type Special struct {
	Date  string `json:"date"` // 2006-01-02
	Hours []Span `json:"hours"`
}

// A Span is a time of a day, as of Hours.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Midnight is the end of a day in minutes.
const Midnight = 24 * 60

// Sort brings hours and days in their order, the week from Monday, and joins what overlaps on one day.
func (o *Opening) Sort() {
	days := map[time.Weekday][]Span{}
	for _, h := range o.Weekly {
		days[h.Day] = append(days[h.Day], Span{h.From, h.To})
	}
	o.Weekly = []Hours{}
	for n := range 7 {
		day := time.Weekday((n + 1) % 7)
		for _, s := range joined(days[day]) {
			o.Weekly = append(o.Weekly, Hours{day, s.From, s.To})
		}
	}
	if o.Special == nil {
		o.Special = []Special{}
	}
	for i := range o.Special {
		o.Special[i].Hours = joined(o.Special[i].Hours)
	}
	slices.SortStableFunc(o.Special, func(a, b Special) int { return cmp.Compare(a.Date, b.Date) })
}

// joined is the spans of one day in their order. What overlaps becomes one, but for what would be longer than a day: no
// aggregator can write that.
func joined(list []Span) []Span {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Span) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	out := []Span{}
	for _, s := range list {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			if to := max(out[n-1].To, s.To); to-out[n-1].From <= Midnight {
				out[n-1].To = to
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// on is the spans of a day of the year.
func (o *Opening) on(date string) []Span {
	for _, s := range o.Special {
		if s.Date == date {
			return s.Hours
		}
	}
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return nil
	}
	var list []Span
	for _, h := range o.Weekly {
		if h.Day == at.Weekday() {
			list = append(list, Span{h.From, h.To})
		}
	}
	return list
}

// Together is when at least one of several menus is open. Their zones are one; the first one's is taken.
func Together(all []Opening) Opening {
	var o Opening
	special := map[string][]Span{}
	for i := range all {
		o.Zone = cmp.Or(o.Zone, all[i].Zone)
		o.Weekly = append(o.Weekly, all[i].Weekly...)
		for _, s := range all[i].Special {
			special[s.Date] = nil
		}
	}
	for date := range special {
		var list []Span
		for i := range all {
			list = append(list, all[i].on(date)...)
		}
		o.Special = append(o.Special, Special{date, list})
	}
	o.Sort()
	return o
}

// StoreHours is when a store takes orders, as its menus say. A way of serving that no menu has is nil.
type StoreHours struct {
	Zone     string    `json:"zone"`
	Delivery *Opening  `json:"delivery,omitzero"`
	Pickup   *Opening  `json:"pickup,omitzero"`
	At       time.Time `json:"at"` // when they changed last
}
