package kitchen

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
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
	for _, t := range k.split(o) {
		p.add(t, 0)
	}
	for i := range o.Lines {
		if _, claimed := k.routes.of(&o.Lines[i]); !claimed {
			p.unclaimed++
		}
	}
	return p
}

// split makes a ticket per station that has lines of the order, in the order of the stations.
func (k *Kitchen) split(o sale.Placed) []*Ticket {
	tickets := make([]*Ticket, len(k.c.Stations))
	var also []string
	for i := range o.Lines {
		at, _ := k.routes.of(&o.Lines[i])
		t := tickets[at]
		if t == nil {
			t = k.ticket(o, at)
			tickets[at] = t
			also = append(also, t.Station)
		}
		t.Lines = append(t.Lines, lineOf(i, &o.Lines[i]))
	}
	tickets = slices.DeleteFunc(tickets, func(t *Ticket) bool { return t == nil })
	for _, t := range tickets {
		slices.SortStableFunc(t.Lines, func(a, b Line) int { return a.Course - b.Course })
		if !slices.ContainsFunc(t.Lines, func(l Line) bool { return !l.Hold }) {
			t.State = StateHeld
		}
		for _, s := range also {
			if s != t.Station {
				t.Also = append(t.Also, s)
			}
		}
	}
	return tickets
}

// ticket is an empty ticket of a station.
func (k *Kitchen) ticket(o sale.Placed, station int) *Ticket {
	s := &k.c.Stations[station]
	t := &Ticket{
		ID: k.c.Journal.NewID(), Order: o.ID, Number: o.Number, Station: s.Name, Kind: KindOrder, State: StateNew, Version: 1,
		Service: o.Service, Table: o.Table, Covers: o.Covers, Staff: o.Staff, Partner: o.Partner, Customer: o.Customer.Name,
		Notes: o.Notes, AllergyNote: o.AllergyNote, At: k.c.Now().UTC().Truncate(time.Millisecond),
		WarnAfter: int(s.WarnAfter.Seconds()), LateAfter: int(s.LateAfter.Seconds()),
	}
	if o.Service != sale.DineIn {
		t.Due = o.ReadyAt
	}
	return t
}

// add renders t for each printer of its station.
func (p *Plan) add(t *Ticket, parent int64) {
	entry := planned{Ticket: *t, parent: parent}
	entry.content = entry.Ticket.encode()
	i := p.k.stationAt(t.Station)
	if i < 0 { // a former configuration's
		p.tickets = append(p.tickets, entry)
		return
	}
	for _, name := range p.k.c.Stations[i].Printers {
		q := p.k.Queue(name)
		body := q.paper.render(&entry.Ticket, "")
		for range max(1, p.k.c.Stations[i].Copies) {
			entry.jobs = append(entry.jobs, newJob{id: p.k.c.Journal.NewID(), queue: q, body: body, received: p.order.Received, buzz: p.k.buzz(i, q)})
		}
	}
	p.tickets = append(p.tickets, entry)
}

// buzz is how often a printer sounds for a ticket of a station.
func (k *Kitchen) buzz(station int, q *Queue) int {
	return cmp.Or(k.c.Stations[station].Buzz, q.c.Buzz)
}

// stationAt is where a station stands in the configuration, -1 for one that is not there any more.
func (k *Kitchen) stationAt(name string) int {
	return slices.IndexFunc(k.c.Stations, func(s Station) bool { return s.Name == name })
}

// prints tells whether a station has paper.
func (k *Kitchen) prints(station string) bool {
	at := k.stationAt(station)
	return at >= 0 && len(k.c.Stations[at].Printers) > 0
}

// Write puts tickets and jobs into the order's transaction.
func (p *Plan) Write(tx *journal.Tx) error {
	if p.late != nil {
		p.tickets = p.tickets[:0]
		if err := p.late(tx, p); err != nil {
			return err
		}
	}
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
		for j := range t.jobs {
			if err := t.jobs[j].queue.insert(tx, &t.Ticket, &t.jobs[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Change plans what the stations must be told when earlier became o. A station whose ticket is still open sees the
// difference marked on it until somebody has seen it; paper gets the difference as a ticket of its own, and so do
// screens where the ticket is gone already. What concerns the whole order (a note, an allergy, another table or time)
// is told to each of its stations.
func (k *Kitchen) Change(o sale.Placed, earlier *sale.Order) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		was, now := k.split(sale.Placed{ID: o.ID, Number: o.Number, Day: o.Day, Received: o.Received, Order: earlier}), k.split(o)
		open, err := ticketsIn(tx, selectOpen, o.ID)
		if err != nil {
			return err
		}
		all, fresh := !sameHead(earlier, o.Order), 0
		for i := range k.c.Stations {
			name := k.c.Stations[i].Name
			step := difference(linesOf(was, name), linesOf(now, name))
			marked := marks(step)
			if len(step) == 0 || len(marked) == 0 && !all {
				continue
			}
			if len(linesOf(was, name)) == 0 { // news to this station
				for _, t := range now {
					if t.Station == name {
						p.add(t, 0)
						fresh += k.toCook(t)
					}
				}
				continue
			}
			t := k.ticket(o, i)
			t.Kind = KindChange
			if t.Lines = marked; len(marked) == 0 {
				t.Lines = step
			}
			at := slices.IndexFunc(open, func(r row) bool { return r.Station == name && r.Kind == KindOrder })
			if at < 0 {
				t.ChangedUnseen = true
				p.add(t, 0)
				fresh += k.toCook(t)
				continue
			}
			// The open ticket shows the change; the ticket of the difference exists for paper.
			parent := &open[at]
			if err := k.mark(tx, parent, t, linesOf(now, name), o.Version); err != nil {
				return err
			}
			if k.prints(name) {
				t.State = StateServed
				p.add(t, parent.ID.Key())
			}
		}
		return k.tellReady(tx, o.ID, "", fresh)
	}}
}

// toCook is 1 for a ticket that somebody will say is ready, else 0.
func (k *Kitchen) toCook(t *Ticket) int {
	if working(t.State) && k.board.shown(t.Station) {
		return 1
	}
	return 0
}

// mark shows on an open ticket what changed since somebody last saw it: change is the ticket that tells of the latest
// step, now what the station has to cook.
func (k *Kitchen) mark(tx *journal.Tx, open *row, change *Ticket, now []Line, version int) error {
	if fired := open.State != StateHeld; fired && !slices.ContainsFunc(now, func(l Line) bool { return !l.Hold }) {
		now = slices.Clone(now)
		for i := range now {
			now[i].Hold = false
		}
		change.Lines = slices.Clone(change.Lines)
		for i := range change.Lines {
			change.Lines[i].Hold = false
		}
	}
	open.Lines, open.ChangedUnseen = difference(linesBefore(open.Lines), now), true
	open.Service, open.Table, open.Covers, open.Staff, open.Due = change.Service, change.Table, change.Covers, change.Staff, change.Due
	open.Partner, open.Customer, open.Notes, open.AllergyNote = change.Partner, change.Customer, change.Notes, change.AllergyNote
	switch {
	case len(now) == 0:
		open.before, open.State = open.State, StateCancelled
	case open.State == StateHeld && slices.ContainsFunc(now, func(l Line) bool { return !l.Hold }):
		open.before, open.State = open.State, StateNew
	}
	return update(tx, open, trail.Append(nil, tx.Now(), "changed", "", fmt.Sprintf("version %d", version)))
}

// sameHead tells whether a and b are alike in what stands above the lines of every ticket and matters to its cook.
func sameHead(a, b *sale.Order) bool {
	return a.Service == b.Service && a.Table == b.Table && a.Covers == b.Covers && a.Partner == b.Partner && a.Customer.Name == b.Customer.Name &&
		a.Notes == b.Notes && a.AllergyNote == b.AllergyNote && a.ReadyAt.Equal(b.ReadyAt)
}

func linesOf(tickets []*Ticket, station string) []Line {
	for _, t := range tickets {
		if t.Station == station {
			return t.Lines
		}
	}
	return nil
}

// difference marks on the new lines what changed against the old ones, and puts what is gone behind them. Two lines
// are the same dish when all but their quantity is alike; of several such, those of the same quantity belong together.
func difference(was, now []Line) []Line {
	lines := slices.Clone(now)
	gone := slices.Clone(was)
	matched := make([]bool, len(lines))
	for _, exact := range []bool{true, false} {
		for i := range lines {
			l := &lines[i]
			if matched[i] {
				continue
			}
			at := slices.IndexFunc(gone, func(g Line) bool { return sameDish(g, *l) && (!exact || g.Quantity == l.Quantity) })
			switch {
			case at >= 0:
				if matched[i] = true; !exact {
					l.Change, l.Was = Changed, gone[at].Quantity
				}
				gone = slices.Delete(gone, at, at+1)
			case !exact:
				l.Change = Added
			}
		}
	}
	for _, g := range gone {
		g.Change = Removed
		lines = append(lines, g)
	}
	return lines
}

// marks are the lines that a difference marked.
func marks(lines []Line) []Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Change == "" })
}

// linesBefore takes the marks of a difference back: the lines as they were.
func linesBefore(lines []Line) []Line {
	var was []Line
	for _, l := range lines {
		switch l.Change {
		case Added:
			continue
		case Changed:
			l.Quantity = l.Was
		}
		l.Change, l.Was = "", 0
		was = append(was, l)
	}
	return was
}

func sameDish(a, b Line) bool {
	return a.Name == b.Name && a.Notes == b.Notes && a.Course == b.Course && a.Hold == b.Hold &&
		slices.Equal(a.Allergens, b.Allergens) && slices.Equal(a.Modifiers, b.Modifiers)
}

// Cancel plans the end of an order: its tickets are crossed out until somebody has seen it, those that are ready too,
// since their dishes wait at the pass; jobs that did not begin are dropped, and stations whose paper may be out get a
// ticket that says so.
func (k *Kitchen) Cancel(o sale.Placed, by string) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		rows, err := ticketsIn(tx, selectUnserved, o.ID)
		if err != nil {
			return err
		}
		if err := k.dropJobs(tx, o.ID); err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			t := r.Ticket
			r.before, r.State, r.ChangedUnseen = r.State, StateCancelled, true
			if err := update(tx, r, trail.Append(nil, tx.Now(), "cancelled", by, "")); err != nil {
				return err
			}
			out, err := begun(tx, r.ID)
			if err != nil {
				return err
			}
			if !out || !k.prints(r.Station) {
				continue
			}
			t.ID, t.Kind, t.State, t.ChangedUnseen, t.Version = k.c.Journal.NewID(), KindCancel, StateServed, false, 1
			t.StartedAt, t.BumpedAt, t.BumpedBy = time.Time{}, time.Time{}, ""
			t.Lines = linesNow(t.Lines)
			p.add(&t, r.ID.Key())
		}
		return nil
	}}
}

// linesNow takes the marks of a difference away: the lines as they are.
func linesNow(lines []Line) []Line {
	var are []Line
	for _, l := range lines {
		if l.Change != Removed {
			l.Change, l.Was = "", 0
			are = append(are, l)
		}
	}
	return are
}

const (
	selectOpen     = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state IN ('held', 'new', 'cooking') ORDER BY key`
	selectUnserved = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state IN ('held', 'new', 'cooking', 'ready') ORDER BY key`
)

// ticketsIn reads the tickets of an order that query selects.
func ticketsIn(tx *journal.Tx, query string, order journal.ID) ([]row, error) {
	var list []row
	err := tx.Query(query, []any{order.Key()}, func(scan func(...any) error) error {
		r, err := scanTicket(scan)
		list = append(list, r)
		return err
	})
	return list, err
}

// Hand records that everything of the order left the kitchen.
func (k *Kitchen) Hand(tx *journal.Tx, order journal.ID, by string) error {
	rows, err := ticketsIn(tx, selectUnserved, order)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		r.before, r.State, r.ChangedUnseen = r.State, StateServed, false
		r.Lines = linesNow(r.Lines)
		if err := update(tx, r, trail.Append(nil, tx.Now(), "served", by, "")); err != nil {
			return err
		}
	}
	return nil
}
