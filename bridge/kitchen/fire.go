package kitchen

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// firstCourse is the lowest course of the lines that nobody holds back.
func firstCourse(o *sale.Order) int {
	first := -1
	for i := range o.Lines {
		if l := &o.Lines[i]; !l.Hold && (first < 0 || l.Course < first) {
			first = l.Course
		}
	}
	return first
}

// fires tells what the station does with a line: course 0 is cooked at once, another one is held and waits for what held
// says. Only guests at a table have courses.
func (s *Station) fires(service string, l *sale.Line, first int) (course int, held string) {
	if l.Hold {
		return l.Course + 1, HeldWaiter
	}
	if service != sale.DineIn || l.Course <= first {
		return 0, ""
	}
	switch s.Fire {
	case FireWaiter:
		return l.Course + 1, HeldWaiter
	case FirePrevious:
		return l.Course + 1, HeldPrevious
	case FireAfter:
		return l.Course + 1, HeldTime
	}
	return 0, ""
}

// clock sets when tickets are fired that wait for a time: as many times the station's pause as courses are held before.
func (k *Kitchen) clock(tickets []*Ticket) {
	var courses []int
	for _, t := range tickets {
		if t.Course > 0 && !slices.Contains(courses, t.Course) {
			courses = append(courses, t.Course)
		}
	}
	if len(courses) == 0 {
		return
	}
	slices.Sort(courses)
	for _, t := range tickets {
		if t.Held == HeldTime && t.Course > 0 {
			pause := k.c.Stations[k.stationAt(t.Station)].FireAfter
			t.FireAt = t.At.Add(time.Duration(slices.Index(courses, t.Course)+1) * pause)
		}
	}
}

// paceLeast is the shortest wait that is worth to hold a ticket for.
const paceLeast = 30 * time.Second

// pace holds tickets of stations that say what their dishes take, so that all of an order is ready together: with the
// slowest of them, or when the courier comes.
func (k *Kitchen) pace(tickets []*Ticket) {
	var longest time.Duration
	paced := false
	for _, t := range tickets {
		if t.State == StateNew {
			prep := k.c.Stations[k.stationAt(t.Station)].Prep
			longest, paced = max(longest, prep), paced || prep > 0
		}
	}
	if !paced {
		return
	}
	for _, t := range tickets {
		prep := k.c.Stations[k.stationAt(t.Station)].Prep
		if t.State != StateNew || prep == 0 {
			continue
		}
		ready := t.At.Add(longest)
		if t.Due.After(ready) {
			ready = t.Due
		}
		if at := ready.Add(-prep); at.Sub(t.At) >= paceLeast {
			t.State, t.Held, t.FireAt = StateHeld, HeldTime, at
		}
	}
}

const (
	insertFire  = `INSERT INTO fires (ticket_key, at) VALUES (?, ?) ON CONFLICT (ticket_key) DO UPDATE SET at = excluded.at`
	deleteFire  = `DELETE FROM fires WHERE ticket_key = ?`
	selectFire  = `SELECT coalesce(min(at), 0) FROM fires`
	selectFires = `SELECT t.id FROM fires f JOIN tickets t ON t.key = f.ticket_key WHERE f.at <= ? ORDER BY f.at LIMIT 50`
)

// wait notes that a ticket is fired by itself at FireAt.
func (k *Kitchen) wait(tx *journal.Tx, t *Ticket) error {
	if _, err := tx.Exec(insertFire, t.ID.Key(), t.FireAt.UnixMicro()); err != nil {
		return fmt.Errorf("note when to fire ticket %s: %w", t.ID, err)
	}
	at := t.FireAt.UnixMicro()
	tx.After(func(error) { // after a failure one look too many does no harm
		for {
			next := k.nextFire.Load()
			if next != 0 && next <= at || k.nextFire.CompareAndSwap(next, at) {
				return
			}
		}
	})
	return nil
}

// fire lets a held ticket be cooked and prints it; its age counts from now. Paper that is out already, since the ticket
// was held afterwards, is followed by one that says FIRE.
func (k *Kitchen) fire(tx *journal.Tx, r *row, by, why string) error {
	now := tx.Now().UTC().Truncate(time.Millisecond)
	timed := !r.FireAt.IsZero()
	r.before, r.State, r.At, r.Held, r.FireAt = r.State, StateNew, now, "", time.Time{}
	if err := update(tx, r, trail.Append(nil, now, "fired", by, why)); err != nil {
		return err
	}
	if timed {
		if _, err := tx.Exec(deleteFire, r.ID.Key()); err != nil {
			return fmt.Errorf("forget when to fire ticket %s: %w", r.ID, err)
		}
	}
	if err := k.dropJobs(tx, selectTicketJobs, r.ID, r.Order, "fired"); err != nil {
		return err
	}
	return k.printNow(tx, r, KindFire)
}

// printNow prints an order's own ticket now: for the first time as it is, else as a ticket of its own headed by kind.
func (k *Kitchen) printNow(tx *journal.Tx, r *row, kind string) error {
	if !k.prints(r.Station) {
		return nil
	}
	text := r.Ticket
	text.Lines = linesNow(text.Lines)
	p := &Plan{k: k, order: sale.Placed{ID: r.Order, Number: r.Number}}
	out, err := begun(tx, r.ID)
	if err != nil {
		return err
	}
	if out {
		text.ID, text.Kind, text.ChangedUnseen, text.Version = k.c.Journal.NewID(), kind, false, 1
		stored := text
		stored.State = StateServed // it exists for paper; the open ticket says the same
		entry := planned{Ticket: stored, parent: r.ID.Key()}
		entry.content = entry.Ticket.encode()
		p.print(&entry, &text)
		p.tickets = append(p.tickets, entry)
		return p.store(tx)
	}
	entry := planned{Ticket: r.Ticket}
	p.print(&entry, &text)
	for i := range entry.jobs {
		if err := entry.jobs[i].queue.insert(tx, &r.Ticket, &entry.jobs[i]); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps a ticket back that nobody has begun, until somebody fires it. What is not printed yet is not printed; paper
// that is out is followed by one that says HOLD.
func (k *Kitchen) hold(tx *journal.Tx, r *row, by string) error {
	r.before, r.State, r.Held = r.State, StateHeld, HeldWaiter
	if err := update(tx, r, trail.Append(nil, tx.Now(), "ticket_held", by, "")); err != nil {
		return err
	}
	if err := k.dropJobs(tx, selectTicketJobs, r.ID, r.Order, "held back"); err != nil {
		return err
	}
	if out, err := begun(tx, r.ID); err != nil || !out {
		return err
	}
	return k.printNow(tx, r, KindHold)
}

const selectOpen = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state IN ('held', 'new', 'cooking') ORDER BY key`

// fireNext fires the course of an order that waits for the one before it, once nothing before it is open any more. What
// no screen shows nobody can bump, so nothing waits for it.
func (k *Kitchen) fireNext(tx *journal.Tx, order journal.ID, by string) error {
	open, err := ticketsIn(tx, selectOpen, order)
	if err != nil {
		return err
	}
	next := 0
	for i := range open {
		if r := &open[i]; r.Held == HeldPrevious && (next == 0 || r.Course < next) {
			next = r.Course
		}
	}
	if next == 0 || slices.ContainsFunc(open, func(r row) bool { return r.Course < next && k.board.shown(r.Station) }) {
		return nil
	}
	for i := range open {
		if r := &open[i]; r.Held == HeldPrevious && r.Course == next {
			if err := k.fire(tx, r, by, "previous course ready"); err != nil {
				return err
			}
		}
	}
	return nil
}

// FireDue fires the tickets whose time has come.
func (k *Kitchen) FireDue(ctx context.Context) error {
	for {
		now := k.c.Now()
		if next := k.nextFire.Load(); next == 0 || next > now.UnixMicro() {
			return nil
		}
		err := k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			var due []journal.ID
			err := tx.Query(selectFires, []any{now.UnixMicro()}, func(scan func(...any) error) error {
				var id journal.ID
				err := scan(&id)
				due = append(due, id)
				return err
			})
			if err != nil {
				return err
			}
			for _, id := range due {
				r, err := loadTicket(tx, id)
				if err != nil {
					return err
				}
				if r.State != StateHeld || r.FireAt.IsZero() { // cancelled meanwhile, or held by hand
					_, err = tx.Exec(deleteFire, id.Key())
				} else {
					err = k.fire(tx, &r, "", "its time has come")
				}
				if err != nil {
					return err
				}
			}
			var next int64
			if err := tx.QueryRow(selectFire, nil, &next); err != nil {
				return err
			}
			tx.After(func(err error) {
				if err == nil {
					k.nextFire.Store(next)
				}
			})
			return nil
		})
		if err != nil {
			return fmt.Errorf("fire what is due: %w", err)
		}
	}
}
