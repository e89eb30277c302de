package kitchen

import (
	"database/sql"
	"errors"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

const selectSlip = `SELECT 1 FROM tickets WHERE order_key = ? AND kind = 'not_in_pos' LIMIT 1`

// NotInPOS marks the order's open tickets when the POS does not have it, and takes the mark away when it has. The first time
// it is said on paper: where the POS prints, by the tickets themselves, which the POS did not get; else by one slip without
// lines, at the first station of the order that has a printer (spec/delivery.md 8).
func (k *Kitchen) NotInPOS(tx *journal.Tx, o sale.Placed, missing bool) error {
	rows, err := ticketsIn(tx, selectOwn, o.ID)
	if err != nil {
		return err
	}
	event := "in_pos"
	if missing {
		event = "not_in_pos"
	}
	fallback := false
	for i := range rows {
		r := &rows[i]
		mine := missing && k.byPOS(&r.Ticket)
		if r.NotInPOS == missing || !r.open() && r.State != StateReady {
			continue
		}
		r.NotInPOS = missing
		if err := update(tx, r, trail.Append(nil, tx.Now(), event, "", "")); err != nil {
			return err
		}
		if mine && k.prints(r.Station) {
			if err := k.fallback(tx, o, r); err != nil {
				return err
			}
			fallback = true
		}
	}
	if !missing || fallback {
		return nil
	}
	var there int
	if err := tx.QueryRow(selectSlip, []any{o.ID.Key()}, &there); !errors.Is(err, sql.ErrNoRows) {
		return err // nil: it is out
	}
	for i := range rows {
		if r := &rows[i]; k.prints(r.Station) {
			t := k.ticket(o, k.stationAt(r.Station))
			t.Kind, t.State, t.NotInPOS = KindNotInPOS, StateServed, true // it exists for paper
			t.Lines = []Line{}
			p := &Plan{k: k, order: o}
			p.add(t, r.ID.Key())
			return p.store(tx)
		}
	}
	return nil
}

const selectPrinted = `SELECT 1 FROM jobs WHERE ticket_key = ? LIMIT 1`

// fallback prints a ticket that the POS was to print, once.
func (k *Kitchen) fallback(tx *journal.Tx, o sale.Placed, r *row) error {
	var there int
	if err := tx.QueryRow(selectPrinted, []any{r.ID.Key()}, &there); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	p := &Plan{k: k, order: o}
	entry := planned{Ticket: r.Ticket}
	p.print(&entry, &entry.Ticket)
	for j := range entry.jobs {
		if err := entry.jobs[j].queue.insert(tx, &entry.Ticket, &entry.jobs[j]); err != nil {
			return err
		}
	}
	return nil
}
