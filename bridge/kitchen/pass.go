package kitchen

import (
	"slices"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// Working tells which stations of the order are still at work in front of a screen, where somebody will say that they
// are ready. A station that only prints is never among them.
func (k *Kitchen) Working(tx *journal.Tx, order journal.ID) ([]string, error) {
	var at []string
	err := tx.Query(selectProgress, []any{order.Key()}, func(scan func(...any) error) error {
		var station, state string
		if err := scan(&station, &state); err != nil {
			return err
		}
		if working(state) && k.board.shown(station) && !slices.Contains(at, station) {
			at = append(at, station)
		}
		return nil
	})
	return at, err
}

// Finish records, in the caller's transaction, that everything of the order stands at the pass: what a station still
// shows becomes ready as if it had bumped it.
func (k *Kitchen) Finish(tx *journal.Tx, order journal.ID, by string) error {
	rows, err := ticketsIn(tx, selectOpen, order)
	if err != nil {
		return err
	}
	now := tx.Now()
	for i := range rows {
		r := &rows[i]
		r.before, r.State, r.BumpedAt, r.BumpedBy, r.ChangedUnseen = r.State, StateReady, now, by, false
		settleLines(r)
		if err := update(tx, r, trail.Append(nil, now, "bumped", by, "at the pass")); err != nil {
			return err
		}
	}
	return nil
}

const selectServed = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state = 'served' ORDER BY key`

// TakeBack undoes Hand: the order's tickets are at the pass again, and those that were still cooked when it left are on
// their screens again.
func (k *Kitchen) TakeBack(tx *journal.Tx, order journal.ID, by string) error {
	rows, err := ticketsIn(tx, selectServed, order)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		if r.before == "" || len(r.Lines) == 0 {
			continue // it only told of something that is wanted no more
		}
		r.State, r.before = r.before, ""
		if err := update(tx, r, trail.Append(nil, tx.Now(), "recalled", by, "from hand-over")); err != nil {
			return err
		}
	}
	return nil
}
