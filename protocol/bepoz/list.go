package bepoz

import (
	"strings"
	"time"
)

// Items of the filter, as the till function writes them. They can be added.
const (
	All       = 0
	Seated    = 1
	NotSeated = 2
	Active    = 4 // neither over nor called off
	Search    = 8
)

// Sub-items of the filter: the days. They can be added, and then any of them counts.
const (
	AllDays    = 0
	Today      = 1
	Asked      = 2 // From and To
	Tomorrow   = 4
	Next3Days  = 8
	Next7Days  = 16
	Yesterday  = 32
	LastWeek   = 128
	knownItems = Seated | NotSeated | Active | Search
	knownDays  = Today | Asked | Tomorrow | Next3Days | Next7Days | Yesterday | LastWeek
)

// A Filter says which bookings a list shows.
type Filter struct {
	Item, Sub int
	Text      string    // with Search: part of a name, table or reference, in any case
	From, To  time.Time // with Asked: business days, To not included
}

// Valid tells whether a till could mean f.
func (f Filter) Valid() bool {
	return f.Item&^knownItems == 0 && f.Sub&^knownDays == 0 && f.Item >= 0 && f.Sub >= 0
}

// A Booking is a row of the list.
type Booking struct {
	Reference string    `json:"reference"`
	Day       time.Time `json:"day"` // its business day
	At        time.Time `json:"at"`
	Name      string    `json:"name"`
	Covers    int       `json:"covers"`
	Table     string    `json:"table"`
	State     string    `json:"state"`
	Seated    bool      `json:"seated"`
	Over      bool      `json:"over"`
}

// Shows tells whether a booking is in the list on business day today.
func (f Filter) Shows(b *Booking, today time.Time) bool {
	switch {
	case f.Item&Seated != 0 && !b.Seated, f.Item&NotSeated != 0 && b.Seated, f.Item&Active != 0 && b.Over:
		return false
	}
	if f.Item&Search != 0 {
		text := strings.ToLower(f.Text)
		if !strings.Contains(strings.ToLower(b.Name), text) && !strings.Contains(strings.ToLower(b.Reference), text) && !strings.EqualFold(b.Table, f.Text) {
			return false
		}
	}
	if f.Sub == AllDays {
		return true
	}
	for _, p := range []struct{ bit, from, to int }{{Today, 0, 1}, {Tomorrow, 1, 2}, {Next3Days, 0, 3}, {Next7Days, 0, 7}, {Yesterday, -1, 0}, {LastWeek, -7, 0}} {
		if f.Sub&p.bit != 0 && !b.Day.Before(today.AddDate(0, 0, p.from)) && b.Day.Before(today.AddDate(0, 0, p.to)) {
			return true
		}
	}
	return f.Sub&Asked != 0 && !b.Day.Before(f.From) && (f.To.IsZero() || b.Day.Before(f.To))
}
