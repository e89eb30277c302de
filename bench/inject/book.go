package main

import (
	"math/bits"
	"sync/atomic"
)

// An order is what the generator knows of one order it sent. Moments are nanoseconds of the stopwatch, zero means not yet.
// The dispatcher writes the plain fields before the request leaves; the rest is written by whoever sees it.
type order struct {
	phase    int   // which part of the whole it was sent in
	at       int64 // the moment the schedule gave
	sent     int64 // the moment the request was written: at plus the generator's own lateness
	stations uint32
	menu     int

	answered atomic.Int64
	status   atomic.Int32 // HTTP status; statusFailed when no answer came

	papers     atomic.Uint32 // printers that have the whole ticket
	paperFirst atomic.Int64  // first ticket byte at the first of them
	paperLast  atomic.Int64  // last ticket byte at the last of them
	shown      atomic.Uint64 // views that have shown it
	shownLast  atomic.Int64
}

const statusFailed = -1

// acknowledged says that the box has answered for this order and so owes it on paper and on screen.
func (o *order) acknowledged() bool {
	s := o.status.Load()
	return s == 201 || s == 200
}

// A book holds the orders of a whole run; readers of paper and of screens find them by their mark.
type book struct {
	salt     uint16
	layout   layout
	used     atomic.Uint32
	shelves  [maxOrders / shelf]atomic.Pointer[[shelf]order]
	extra    atomic.Int64 // tickets that came out again under a banner
	twice    atomic.Int64 // tickets that came out again without one
	strange  atomic.Int64 // tickets at a printer whose station is not concerned
	unmarked atomic.Int64 // tickets whose order could not be read
}

const shelf = 1 << 12

func newBook(salt uint16, l layout) *book { return &book{salt: salt, layout: l} }

// open takes the next free order; only the dispatcher calls it.
func (b *book) open() (*order, mark) {
	n := b.used.Load()
	s := &b.shelves[n/shelf]
	if s.Load() == nil {
		s.Store(new([shelf]order))
	}
	o := &s.Load()[n%shelf]
	b.used.Store(n + 1)
	return o, mark{b.salt, n}
}

// find gives the order of a mark, nil if it is not of this run.
func (b *book) find(m mark) *order {
	if m.salt != b.salt || m.n >= b.used.Load() {
		return nil
	}
	return &b.shelves[m.n/shelf].Load()[m.n%shelf]
}

// each calls fn for every order of the phase; phase -1 means all.
func (b *book) each(phase int, fn func(mark, *order)) {
	for n := range b.used.Load() {
		o := &b.shelves[n/shelf].Load()[n%shelf]
		if phase < 0 || o.phase == phase {
			fn(mark{b.salt, n}, o)
		}
	}
}

// printed notes one whole ticket at a printer: the first and the last moment of its bytes.
func (b *book) printed(printer int, text []byte, banner bool, first, last int64) {
	m, ok := findMark(text)
	if !ok {
		b.unmarked.Add(1)
		return
	}
	o := b.find(m)
	if o == nil {
		return
	}
	bit := uint32(1) << printer
	if o.stations&bit == 0 {
		b.strange.Add(1)
		return
	}
	if o.papers.Load()&bit != 0 {
		if banner {
			b.extra.Add(1)
		} else {
			b.twice.Add(1)
		}
		return
	}
	lower(&o.paperFirst, first)
	raise(&o.paperLast, last)
	o.papers.Or(bit)
}

// showed notes that a view, one screen's part of one station, has the order.
func (b *book) showed(view int, m mark, at int64) {
	o := b.find(m)
	if o == nil {
		return
	}
	bit := uint64(1) << view
	if o.shown.Load()&bit != 0 {
		return
	}
	raise(&o.shownLast, at)
	o.shown.Or(bit)
}

// onPaper and onScreen say that everything the order should come out at has it.
func (b *book) onPaper(o *order) bool {
	return b.layout.loose || o.papers.Load() == o.stations
}

func (b *book) onScreen(o *order) bool {
	want := b.layout.viewsOf(o.stations)
	return b.layout.loose || o.shown.Load()&want == want
}

// A tally counts how the orders of a phase ended.
type tally struct {
	Sent            int         `json:"sent"`
	Acknowledged    int         `json:"acknowledged"`
	Refused         int         `json:"refused"`
	Failed          int         `json:"failed"`
	FailedStatus    map[int]int `json:"failed_by_status,omitempty"`
	Unanswered      int         `json:"unanswered"`
	MissingOnPaper  int         `json:"missing_on_paper"`
	MissingOnScreen int         `json:"missing_on_screen"`
	Tickets         int         `json:"tickets_owed"`
	TicketsPrinted  int         `json:"tickets_printed"`
	Views           int         `json:"screen_tickets_owed"`
	ViewsShown      int         `json:"screen_tickets_shown"`
	Reprints        int64       `json:"printed_again_under_banner"`
	Twice           int64       `json:"printed_again_without_banner"`
	Strange         int64       `json:"at_wrong_printer"`
	Unmarked        int64       `json:"unreadable"`
	Seen            int64       `json:"refused_and_served"`
}

func (b *book) tally(phase int) tally {
	t := tally{Reprints: b.extra.Load(), Twice: b.twice.Load(), Strange: b.strange.Load(), Unmarked: b.unmarked.Load()}
	b.each(phase, func(_ mark, o *order) {
		t.Sent++
		switch status := o.status.Load(); {
		case o.acknowledged():
			t.Acknowledged++
			t.Tickets += bits.OnesCount32(o.stations)
			t.TicketsPrinted += bits.OnesCount32(o.papers.Load())
			want := b.layout.viewsOf(o.stations)
			t.Views += bits.OnesCount64(want)
			t.ViewsShown += bits.OnesCount64(o.shown.Load() & want)
			if !b.onPaper(o) {
				t.MissingOnPaper++
			}
			if !b.onScreen(o) {
				t.MissingOnScreen++
			}
		case status == 503:
			t.Refused++
			if o.papers.Load() != 0 || o.shown.Load() != 0 {
				t.Seen++ // refused and yet served
			}
		case status == 0:
			t.Unanswered++
		default:
			t.Failed++
			if t.FailedStatus == nil {
				t.FailedStatus = map[int]int{}
			}
			t.FailedStatus[int(status)]++
		}
	})
	return t
}

// complete says whether every acknowledged order of the phase is wherever it should be, and every sent one answered.
func (b *book) complete(phase int, screens bool) bool {
	done := true
	b.each(phase, func(_ mark, o *order) {
		switch {
		case o.status.Load() == 0:
			done = false
		case o.acknowledged() && (!b.onPaper(o) || screens && !b.onScreen(o)):
			done = false
		}
	})
	return done
}

// A layout says which printer and which screens a station has: station i prints on printer i.
type layout struct {
	stations int
	screens  int
	loose    bool // a box that others configured: what must come out where is not known
}

// screensOf lists the screens of a station: with at least as many screens as stations each screen shows one station,
// with fewer each station is on one screen. So a pair of station and screen, a view, is named by the larger of the two.
func (l layout) screensOf(station int) []int {
	var s []int
	if l.screens == 0 {
		return nil
	}
	if l.screens < l.stations {
		return []int{station % l.screens}
	}
	for i := station; i < l.screens; i += l.stations {
		s = append(s, i)
	}
	return s
}

// view numbers the pair of a screen and a station.
func (l layout) view(screen, station int) int {
	if l.screens < l.stations {
		return station
	}
	return screen
}

// viewsOf is the set of views that an order of these stations must show up in.
func (l layout) viewsOf(stations uint32) uint64 {
	var v uint64
	for s := range l.stations {
		if stations&(1<<s) == 0 {
			continue
		}
		for _, screen := range l.screensOf(s) {
			v |= 1 << l.view(screen, s)
		}
	}
	return v
}

func raise(v *atomic.Int64, to int64) {
	for {
		old := v.Load()
		if old >= to || v.CompareAndSwap(old, to) {
			return
		}
	}
}

// lower keeps the smallest moment; zero means none yet.
func lower(v *atomic.Int64, to int64) {
	for {
		old := v.Load()
		if old != 0 && old <= to || v.CompareAndSwap(old, to) {
			return
		}
	}
}
