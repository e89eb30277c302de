package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// Tickets that stand for themselves: one that tells of a change to another (parent) or of a cancellation is not cooked. The
// key begins with the time, so this reads a stretch of the table and nothing else.
const selectTickets = `SELECT key, station, state, bumped_at, content, log FROM tickets
	WHERE key >= ? AND key < ? AND parent = 0 AND kind <> 'cancel' ORDER BY key LIMIT ?`

// ticket is as much of a ticket as its figures need.
type ticket struct {
	station, state   string
	at, due          time.Time
	bumped, over     time.Time // over: bumped, or cancelled; zero while it is open
	served           time.Time
	items, recalls   int
	warn, late       time.Duration
	towardsItsMoment bool // its clock runs towards due, not from at
}

func (r *Reporter) tickets(ctx context.Context, days []day, k *kitchen) error {
	return r.pages(ctx, selectTickets, days, func(scan func(...any) error) (int64, error) {
		var t ticket
		var key, bumped int64
		var content []byte
		var log string
		if err := scan(&key, &t.station, &t.state, &bumped, &content, &log); err != nil {
			return 0, err
		}
		var said struct {
			Service   string    `json:"service"`
			At        time.Time `json:"at"`
			Due       time.Time `json:"due"`
			WarnAfter int       `json:"warn_after"`
			LateAfter int       `json:"late_after"`
			Lines     []struct {
				Quantity int    `json:"quantity"`
				Change   string `json:"change"`
			} `json:"lines"`
		}
		if err := json.Unmarshal(content, &said); err != nil {
			return 0, fmt.Errorf("ticket %d: %w", key, err)
		}
		t.at, t.due, t.bumped = said.At, said.Due, journal.FromMicros(bumped)
		t.warn, t.late = time.Duration(said.WarnAfter)*time.Second, time.Duration(said.LateAfter)*time.Second
		t.towardsItsMoment = !t.due.IsZero() && said.Service != "dine_in"
		for _, l := range said.Lines {
			if l.Change != "removed" {
				t.items += l.Quantity
			}
		}
		t.over = t.bumped
		t.read(log)
		k.add(&t)
		return key, nil
	})
}

// read takes from a ticket's trail what its row does not say.
func (t *ticket) read(log string) {
	if !strings.Contains(log, "\trecalled\t") && !strings.Contains(log, "\tserved\t") && !strings.Contains(log, "\tcancelled\t") {
		return
	}
	for _, s := range trail.Parse(log) {
		switch s.Event {
		case "recalled":
			t.recalls++
		case "served":
			t.served = s.At
		case "cancelled":
			if t.state == "cancelled" {
				t.over = s.At
			}
		}
	}
	if t.state == "served" && t.over.IsZero() {
		t.over = t.served
	}
}

// took is how long the ticket took, or has been open at now.
func (t *ticket) took(now time.Time) time.Duration {
	end := t.over
	if end.IsZero() {
		end = now
	}
	return max(0, end.Sub(t.at))
}

// grade is 0 in time, 1 past the first limit, 2 past the second: as on the kitchen screens.
func (t *ticket) grade(now time.Time) int {
	if t.state == "cancelled" {
		return 0
	}
	if t.towardsItsMoment {
		end := t.over
		if end.IsZero() {
			end = now
		}
		switch left := t.due.Sub(end); {
		case left < 0:
			return 2
		case left < max(time.Minute, t.late-t.warn):
			return 1
		}
		return 0
	}
	switch took := t.took(now); {
	case t.late > 0 && took >= t.late:
		return 2
	case t.warn > 0 && took >= t.warn:
		return 1
	}
	return 0
}

// tally gathers the tickets of one station, half-hour or day.
type tally struct {
	Figures
	times, waits []float64 // seconds
	moves        []move
}

// A move is a ticket that comes or goes.
type move struct {
	at   int64 // microseconds
	step int
}

func (y *tally) add(t *ticket, now time.Time) {
	y.Tickets++
	y.Items += t.items
	y.Recalls += t.recalls
	switch t.grade(now) {
	case 1:
		y.Warned++
	case 2:
		y.Late++
	}
	switch {
	case t.state == "cancelled":
		y.Cancelled++
	case t.over.IsZero():
		y.LeftOpen++
	case !t.bumped.IsZero():
		y.Done++
		y.times = append(y.times, t.took(now).Seconds())
	}
	if !t.served.IsZero() && !t.bumped.IsZero() && t.state == "served" {
		y.Passed++
		y.waits = append(y.waits, max(0, t.served.Sub(t.bumped).Seconds()))
	}
}

// figures ends the counting.
func (y *tally) figures() Figures {
	f := y.Figures
	f.Median, f.P90, f.PassMedian = quantile(y.times, .5), quantile(y.times, .9), quantile(y.waits, .5)
	return f
}

// quantile is the least of values that is as large as or larger than the share q of them; 0 of none. It sorts values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	i := int(float64(len(values))*q+.9999999) - 1
	return values[min(max(i, 0), len(values)-1)]
}

// kitchen gathers the tickets of all stations.
type kitchen struct {
	days     []day
	now      time.Time
	location *time.Location
	all      tally
	perDay   []tally
	stations map[string]*station
}

type station struct {
	tally
	halves map[int64]*tally // by the moment a half-hour begins, in seconds since 1970
}

func newKitchen(days []day, now time.Time, location *time.Location) *kitchen {
	return &kitchen{days: days, now: now, location: location, perDay: make([]tally, len(days)), stations: map[string]*station{}}
}

// add counts a ticket. One that was fired after the report's end counts at its last moment.
func (k *kitchen) add(t *ticket) {
	if t.state == "held" {
		return // nobody fired it; it is not yet work
	}
	begins, ends := k.days[0].begins, k.days[len(k.days)-1].ends
	if t.at.Before(begins) {
		t.at = begins
	}
	fired := t.at
	if !fired.Before(ends) {
		fired = ends.Add(-time.Microsecond)
	}
	until := k.now // what is still open counts until now, or until the day is over
	at := at(k.days, fired)
	if ends := k.days[at].ends; ends.Before(until) {
		until = ends
	}
	s := k.stations[t.station]
	if s == nil {
		s = &station{halves: map[int64]*tally{}}
		k.stations[t.station] = s
	}
	half := k.days[at].begins.Add(fired.Sub(k.days[at].begins) / slot * slot).Unix()
	h := s.halves[half]
	if h == nil {
		h = &tally{}
		s.halves[half] = h
	}
	for _, y := range []*tally{&k.all, &k.perDay[at], &s.tally, h} {
		y.add(t, until)
	}
	end := t.over
	if end.IsZero() {
		end = until
	}
	if end.After(t.at) {
		s.moves = append(s.moves, move{t.at.UnixMicro(), 1}, move{end.UnixMicro(), -1})
	}
}

// into writes what was gathered.
func (k *kitchen) into(rep *Report) {
	var moves []move
	for name, s := range k.stations {
		moves = append(moves, s.moves...)
		s.PeakOpen = peaks(s.moves, s.halves)
		out := Station{Station: name, Figures: s.figures(), Halves: []Half{}}
		for begins, h := range s.halves {
			t := time.Unix(begins, 0)
			out.Halves = append(out.Halves, Half{At: t.UTC(), Label: label(t, k.location), Figures: h.figures()})
		}
		slices.SortFunc(out.Halves, func(a, b Half) int { return a.At.Compare(b.At) })
		rep.Stations = append(rep.Stations, out)
	}
	slices.SortFunc(rep.Stations, func(a, b Station) int { return cmp.Compare(a.Station, b.Station) })
	k.all.PeakOpen = peaks(moves, nil)
	rep.Kitchen = k.all.figures()
	for i := range k.days {
		f := k.perDay[i].figures()
		rep.Days = append(rep.Days, Day{Day: k.days[i].name, Tickets: f.Tickets, Items: f.Items, Median: f.Median, P90: f.P90,
			Warned: f.Warned, Late: f.Late, Recalls: f.Recalls, LeftOpen: f.LeftOpen})
	}
}

// peaks gives the most tickets that were open at one moment, and writes the same into each half-hour. A ticket that goes
// as another comes makes room first.
func peaks(moves []move, halves map[int64]*tally) int {
	slices.SortFunc(moves, func(a, b move) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) })
	begins := make([]int64, 0, len(halves))
	for b := range halves {
		begins = append(begins, b)
	}
	slices.Sort(begins)
	most, open, next := 0, 0, 0
	for _, b := range begins {
		from, to := b*1e6, (b+int64(slot/time.Second))*1e6
		for next < len(moves) && moves[next].at < from {
			open += moves[next].step
			most = max(most, open)
			next++
		}
		peak := open
		for next < len(moves) && moves[next].at < to {
			open += moves[next].step
			peak = max(peak, open)
			next++
		}
		halves[b].PeakOpen = peak
		most = max(most, peak)
	}
	for ; next < len(moves); next++ {
		open += moves[next].step
		most = max(most, open)
	}
	return most
}
