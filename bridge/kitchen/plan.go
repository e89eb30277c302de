package kitchen

import (
	"cmp"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// A Plan is what the kitchen will do about an order: tickets with their print jobs, rendered.
type Plan struct {
	k       *Kitchen
	order   sale.Placed
	tickets []planned
	// unclaimed is how many lines only the default station took.
	unclaimed int
	// late are steps that need to see the open tickets, so they run inside the transaction.
	late func(tx *journal.Tx, p *Plan) error
}

type planned struct {
	Ticket
	parent  int64
	content []byte
	jobs    []newJob
}

// Plan decides who cooks the order. It reads nothing but the order and the configuration.
func (k *Kitchen) Plan(o sale.Placed) *Plan {
	p := &Plan{k: k, order: o}
	tickets := k.split(o, firstCourse(o.Order))
	k.pace(tickets)
	p.tickets = make([]planned, 0, len(tickets))
	for _, t := range tickets {
		p.add(t, 0)
	}
	for i := range o.Lines {
		if _, claimed := k.routes.of(&o.Lines[i]); !claimed {
			p.unclaimed++
		}
	}
	return p
}

// split makes a ticket per station that has lines of the order, in the order of the stations, and further ones for what
// is fired later. first is the course that is cooked at once, with all before it.
func (k *Kitchen) split(o sale.Placed, first int) []*Ticket {
	atOnce := make([]*Ticket, len(k.c.Stations))
	var later []*Ticket
	var also []string
	for i := range o.Lines {
		l := &o.Lines[i]
		at, _ := k.routes.of(l)
		course, held := k.c.Stations[at].fires(o.Service, l, first)
		var t *Ticket
		if course == 0 {
			t = atOnce[at]
		} else if x := slices.IndexFunc(later, func(t *Ticket) bool { return t.is(k.c.Stations[at].Name, course) }); x >= 0 {
			t = later[x]
		}
		if t == nil {
			t = k.ticket(o, at)
			t.Lines = make([]Line, 0, min(len(o.Lines)-i, 4))
			if course == 0 {
				atOnce[at] = t
			} else {
				t.Course, t.Held, t.State = course, held, StateHeld
				later = append(later, t)
			}
			if !slices.Contains(also, t.Station) {
				also = append(also, t.Station)
			}
		}
		if t.Course > 0 && held == HeldWaiter {
			t.Held = held
		}
		t.Lines = append(t.Lines, lineOf(i, l))
	}
	tickets := make([]*Ticket, 0, len(also)+len(later))
	for i, t := range atOnce {
		if t != nil {
			tickets = append(tickets, t)
		}
		for _, l := range later {
			if l.Station == k.c.Stations[i].Name {
				tickets = append(tickets, l)
			}
		}
	}
	for _, t := range tickets {
		t.First = first
		slices.SortStableFunc(t.Lines, func(a, b Line) int { return a.Course - b.Course })
		for _, s := range also {
			if s != t.Station {
				t.Also = append(t.Also, s)
			}
		}
	}
	k.clock(tickets)
	return tickets
}

// is tells whether the ticket is a station's part of a course; 0 is what is cooked at once.
func (t *Ticket) is(station string, course int) bool {
	return t.Station == station && t.Course == course
}

// ticket is an empty ticket of a station.
func (k *Kitchen) ticket(o sale.Placed, station int) *Ticket {
	s := &k.c.Stations[station]
	t := &Ticket{
		ID: k.c.Journal.NewID(), Order: o.ID, Number: o.Number, Station: s.Name, Kind: KindOrder, State: StateNew, Version: 1,
		Service: o.Service, Table: o.Table, Covers: o.Covers, Staff: o.Staff, Partner: o.Partner, Customer: o.Customer.Name,
		Notes: o.Notes, AllergyNote: o.AllergyNote, At: k.c.Now().UTC().Truncate(time.Millisecond),
	}
	t.WarnAfter, t.LateAfter = s.limit(o.Service)
	if o.Service != sale.DineIn {
		t.Due = o.ReadyAt
	}
	return t
}

// add renders t for each printer of its station. A held ticket is printed when it is fired; one that nobody can see on
// a screen, and that waits for somebody's word, is also printed at once, so that the kitchen knows of it.
func (p *Plan) add(t *Ticket, parent int64) {
	entry := planned{Ticket: *t, parent: parent}
	entry.content = entry.Ticket.encode()
	if (t.State != StateHeld || t.Held != HeldTime && !p.k.board.shown(t.Station)) && !p.k.byPOS(t) {
		p.print(&entry, &entry.Ticket)
	}
	p.tickets = append(p.tickets, entry)
}

// print plans the pages of entry, which read as text says.
func (p *Plan) print(entry *planned, text *Ticket) {
	printers, copies, buzz, instead := p.k.outlets(text.Station)
	entry.jobs = slices.Grow(entry.jobs, len(printers)*copies)
	for _, name := range printers {
		q := p.k.Queue(name)
		body := q.paper.render(text, instead)
		for range copies {
			entry.jobs = append(entry.jobs, newJob{id: p.k.c.Journal.NewID(), queue: q, body: body, received: p.order.Received, buzz: cmp.Or(buzz, q.c.Buzz)})
		}
	}
}

// outlets are the printers of a station's tickets and the copies each prints. instead is the station's own name when
// another station's printers do it, which the paper then says; buzz is how often they sound, 0: as each printer does.
func (k *Kitchen) outlets(station string) (printers []string, copies, buzz int, instead string) {
	served := k.merged.of(station)
	i := k.stationAt(served)
	if i < 0 { // a former configuration's
		return nil, 0, 0, ""
	}
	if served != station {
		instead = station
	}
	return k.c.Stations[i].Printers, max(1, k.c.Stations[i].Copies), k.c.Stations[i].Buzz, instead
}

// stationAt is where a station stands in the configuration, -1 for one that is not there any more.
func (k *Kitchen) stationAt(name string) int {
	return slices.IndexFunc(k.c.Stations, func(s Station) bool { return s.Name == name })
}

// byPOS tells whether the POS prints a ticket. Of a change it knows nothing.
func (k *Kitchen) byPOS(t *Ticket) bool {
	if t.Kind != KindOrder || t.NotInPOS {
		return false
	}
	i := k.stationAt(k.merged.of(t.Station))
	return i >= 0 && k.c.Stations[i].ByPOS
}

// prints tells whether a station has paper.
func (k *Kitchen) prints(station string) bool {
	printers, _, _, _ := k.outlets(station)
	return len(printers) > 0
}

// Write puts tickets and jobs into the order's transaction.
func (p *Plan) Write(tx *journal.Tx) error {
	if p.late != nil {
		p.tickets = p.tickets[:0]
		if err := p.late(tx, p); err != nil {
			return err
		}
	}
	return p.store(tx)
}

// store writes what was planned.
func (p *Plan) store(tx *journal.Tx) error {
	tx.After(func(err error) {
		if err == nil {
			p.k.metrics.unclaimed.Add(float64(p.unclaimed))
			p.k.board.expect(p.order.ID, p.order.Received, p.tickets)
		}
	})
	for i := range p.tickets {
		t := &p.tickets[i]
		if err := insert(tx, &t.Ticket, t.parent, t.content); err != nil {
			return err
		}
		if !t.FireAt.IsZero() {
			if err := p.k.wait(tx, &t.Ticket); err != nil {
				return err
			}
		}
		for j := range t.jobs {
			if err := t.jobs[j].queue.insert(tx, &t.Ticket, &t.jobs[j]); err != nil {
				return err
			}
		}
	}
	return nil
}
