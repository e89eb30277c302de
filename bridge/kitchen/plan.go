package kitchen

import (
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
		k.countUnclaimed(o.Order)
		p.add(t, 0)
	}
	return p
}

// countUnclaimed counts the lines that only the default station took.
func (k *Kitchen) countUnclaimed(o *sale.Order) {
	for i := range o.Lines {
		if _, claimed := k.routes.of(&o.Lines[i]); !claimed {
			k.metrics.unclaimed.Inc()
		}
	}
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
	i := slices.IndexFunc(p.k.c.Stations, func(s Station) bool { return s.Name == t.Station })
	entry := planned{Ticket: *t, parent: parent}
	entry.content = entry.Ticket.encode()
	for _, name := range p.k.c.Stations[i].Printers {
		q := p.k.queues[name]
		body := q.paper.render(&entry.Ticket, "")
		for range max(1, p.k.c.Stations[i].Copies) {
			entry.jobs = append(entry.jobs, newJob{id: p.k.c.Journal.NewID(), queue: q, body: body, received: p.order.Received})
		}
	}
	p.tickets = append(p.tickets, entry)
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
			p.k.board.expect(p.order.ID, p.order.Received)
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

// Change plans what the stations must be told when before became o. A station whose ticket is still open sees the
// difference marked on it until somebody has seen it; paper gets the difference as a ticket of its own, and so do
// screens where the ticket is gone already.
func (k *Kitchen) Change(o sale.Placed, before *sale.Order) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		was, now := k.split(sale.Placed{ID: o.ID, Number: o.Number, Day: o.Day, Received: o.Received, Order: before}), k.split(o)
		open, err := openTickets(tx, o.ID)
		if err != nil {
			return err
		}
		anyOpen := false
		for i := range k.c.Stations {
			name := k.c.Stations[i].Name
			lines := difference(linesOf(was, name), linesOf(now, name))
			if !slices.ContainsFunc(lines, func(l Line) bool { return l.Change != "" }) {
				anyOpen = anyOpen || slices.ContainsFunc(open, func(r row) bool { return r.Station == name })
				continue
			}
			t := k.ticket(o, i)
			t.Kind = KindChange
			t.Lines = slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Change == "" })
			at := slices.IndexFunc(open, func(r row) bool { return r.Station == name })
			if at < 0 {
				t.ChangedUnseen = true
				anyOpen = true
				p.add(t, 0)
				continue
			}
			// The open ticket shows the change; the ticket of the difference exists for paper.
			parent := &open[at]
			parent.Lines, parent.ChangedUnseen = lines, true
			parent.Notes, parent.AllergyNote, parent.Table, parent.Covers, parent.Due = t.Notes, t.AllergyNote, t.Table, t.Covers, t.Due
			if len(linesOf(now, name)) == 0 {
				parent.State, parent.before = StateCancelled, parent.State
			} else {
				anyOpen = true
			}
			if err := update(tx, parent, trail.Append(nil, tx.Now(), "changed", "", fmt.Sprintf("version %d", o.Version))); err != nil {
				return err
			}
			t.State = StateServed
			p.add(t, parent.ID.Key())
		}
		if anyOpen {
			return nil
		}
		return k.c.AllReady(tx, o.ID, true, "")
	}}
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
// are the same dish when all but their quantity is alike.
func difference(was, now []Line) []Line {
	lines := slices.Clone(now)
	gone := slices.Clone(was)
	for i := range lines {
		l := &lines[i]
		at := slices.IndexFunc(gone, func(g Line) bool { return sameDish(g, *l) })
		switch {
		case at < 0:
			l.Change = Added
			continue
		case gone[at].Quantity != l.Quantity:
			l.Change, l.Was = Changed, gone[at].Quantity
		}
		gone = slices.Delete(gone, at, at+1)
	}
	for _, g := range gone {
		g.Change = Removed
		lines = append(lines, g)
	}
	return lines
}

func sameDish(a, b Line) bool {
	return a.Name == b.Name && a.Notes == b.Notes && a.Course == b.Course && a.Hold == b.Hold &&
		slices.Equal(a.Allergens, b.Allergens) && slices.Equal(a.Modifiers, b.Modifiers)
}

// Cancel plans the end of an order: open tickets are crossed out until somebody has seen it, jobs that did not begin
// are dropped, and stations whose paper may be out get a ticket that says so.
func (k *Kitchen) Cancel(o sale.Placed, by string) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		open, err := openTickets(tx, o.ID)
		if err != nil {
			return err
		}
		dropped, err := k.dropJobs(tx, o.ID)
		if err != nil {
			return err
		}
		for i := range open {
			r := &open[i]
			r.before, r.State, r.ChangedUnseen = r.State, StateCancelled, true
			if err := update(tx, r, trail.Append(nil, tx.Now(), "cancelled", by, "")); err != nil {
				return err
			}
			if dropped[r.ID.Key()] {
				continue
			}
			t := r.Ticket
			t.ID, t.Kind, t.State, t.ChangedUnseen, t.Version = k.c.Journal.NewID(), KindCancel, StateServed, false, 1
			p.add(&t, r.ID.Key())
		}
		return nil
	}}
}

const selectOpen = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state IN ('held', 'new', 'cooking') ORDER BY key`

func openTickets(tx *journal.Tx, order journal.ID) ([]row, error) {
	var open []row
	err := tx.Query(selectOpen, []any{order.Key()}, func(scan func(...any) error) error {
		r, err := scanTicket(scan)
		open = append(open, r)
		return err
	})
	return open, err
}

// Hand records that everything of the order left the kitchen.
func (k *Kitchen) Hand(tx *journal.Tx, order journal.ID, by string) error {
	var rows []row
	err := tx.Query(`SELECT `+columns+` FROM tickets WHERE order_key = ? AND state IN ('held', 'new', 'cooking', 'ready') ORDER BY key`, []any{order.Key()}, func(scan func(...any) error) error {
		r, err := scanTicket(scan)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].before, rows[i].State = rows[i].State, StateServed
		if err := update(tx, &rows[i], trail.Append(nil, tx.Now(), "served", by, "")); err != nil {
			return err
		}
	}
	return nil
}
