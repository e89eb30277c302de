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
// one slip without lines says so on paper, at the first station of the order that has a printer (spec/delivery.md 8).
func (k *Kitchen) NotInPOS(tx *journal.Tx, o sale.Placed, missing bool) error {
	rows, err := ticketsIn(tx, selectOwn, o.ID)
	if err != nil {
		return err
	}
	event := "in_pos"
	if missing {
		event = "not_in_pos"
	}
	for i := range rows {
		r := &rows[i]
		if r.NotInPOS == missing || !r.open() && r.State != StateReady {
			continue
		}
		r.NotInPOS = missing
		if err := update(tx, r, trail.Append(nil, tx.Now(), event, "", "")); err != nil {
			return err
		}
	}
	if !missing {
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
