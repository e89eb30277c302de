package kitchen

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// LeaveFor is how long a ticket that is being cooked when the business day ends stays on its screen: a kitchen that
// works through the night does not lose what it has in hand.
const LeaveFor = time.Hour

const selectLeftOpen = `SELECT t.id FROM tickets t JOIN orders o ON o.key = t.order_key
WHERE t.key >= ? AND t.key < ? AND t.parent = 0 AND (t.state IN ('held', 'new', 'cooking') OR t.unseen = 1) AND o.business_day < ? ORDER BY t.key LIMIT 100`

// CloseDay archives the tickets of former business days that nobody said were ready: they leave the screens as left
// open. What was ordered within LeaveFor stays; wait is how long until that is due, 0 when nothing is left. Tickets that
// no screen shows could not be bumped by anybody; they count as served.
func (k *Kitchen) CloseDay(ctx context.Context) (wait time.Duration, err error) {
	now := k.c.Now()
	oldest, newest := now.Add(-loadFor).UnixMilli()<<12, now.Add(-LeaveFor).UnixMilli()<<12
	today := k.c.Day(now)
	for {
		var ids []journal.ID
		err := queryAll(ctx, k.c.Journal.Read(), selectLeftOpen, []any{oldest, newest, today}, func(scan func(...any) error) error {
			var id journal.ID
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("read what was left open: %w", err)
		}
		if len(ids) == 0 {
			break
		}
		err = k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			for _, id := range ids {
				if err := k.leave(tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, fmt.Errorf("archive what was left open: %w", err)
		}
	}
	var young int
	err = k.c.Journal.Read().QueryRowContext(ctx, `SELECT count(*) FROM (`+selectLeftOpen+`)`, newest, now.Add(time.Minute).UnixMilli()<<12, today).Scan(&young)
	if err != nil {
		return 0, fmt.Errorf("read what was left open: %w", err)
	}
	if young > 0 {
		wait = LeaveFor
	}
	return wait, nil
}

func (k *Kitchen) leave(tx *journal.Tx, id journal.ID) error {
	r, err := loadTicket(tx, id)
	if err != nil {
		return err
	}
	now := tx.Now()
	switch {
	case working(r.State) && k.board.shown(r.Station):
		r.before, r.State = r.State, StateLeftOpen
	case working(r.State):
		r.before, r.State = r.State, StateServed
	}
	r.ChangedUnseen = false
	return update(tx, &r, trail.Append(nil, now, "left_open", "", ""))
}
