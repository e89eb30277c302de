package order

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// Seated is an order that is for a table, as far as its check is concerned.
type Seated struct {
	sale.Placed
	Fresh bool // the kitchen gets it now for the first time
	Gone  bool // it is for the table no more: cancelled, or for somewhere else now
	By    string
}

const appendRemark = `UPDATE orders SET log = log || ? WHERE key = ?`

// seat tells the checks of an order that is for a table, or was: was is what it said before, nil for nothing. What somebody
// has to look at stands on its time line.
func (s *Service) seat(tx *journal.Tx, o Seated, was *sale.Order) error {
	if s.c.Checks == nil || !atTable(o.Order) && (was == nil || !atTable(was)) {
		return nil
	}
	o.Gone = o.Gone || !atTable(o.Order)
	var remark string
	err := tx.Try(func(tx *journal.Tx) (err error) {
		remark, err = s.c.Checks(tx, o)
		return err
	})
	if err != nil { // the kitchen gets it all the same; storage that failed answers below
		s.c.Log.Error("order could not be put on the check of its table", "order", o.ID, "table", o.Table, "err", err)
		remark = "failed"
	}
	if remark == "" {
		return nil
	}
	_, err = tx.Exec(appendRemark, trail.Append(nil, tx.Now(), "check_"+remark, o.By, o.Table), o.ID.Key())
	return err
}

func atTable(o *sale.Order) bool { return o.Service == sale.DineIn && o.Table != "" }

const updateTable = `UPDATE orders SET content = ?, log = log || ? WHERE key = ?`

// MoveTable puts orders to another table, in the caller's transaction: guests moved, or two tables became one. Each of
// their open tickets shows old and new table until somebody has seen it. What left the kitchen already keeps its table. A
// bill that is split moves nothing.
func (s *Service) MoveTable(tx *journal.Tx, orders []journal.ID, to, by string) error {
	for _, id := range orders {
		was, err := load(tx, id)
		if err != nil {
			return fmt.Errorf("move order %s to table %s: %w", id, to, err)
		}
		if was.Table == to || final(was.state) || was.state == HandedOff {
			continue
		}
		next := was.Placed
		moved := *was.Order
		moved.Table = to
		next.Order, next.Received = &moved, tx.Now()
		log := trail.Append(nil, tx.Now(), "table_moved", by, was.Table+" -> "+to)
		if _, err := tx.Exec(updateTable, moved.Encode(), log, id.Key()); err != nil {
			return fmt.Errorf("store order %s: %w", id, err)
		}
		tx.Change("order", id.String(), s.notice(next, was.state, was.inPOS))
		if was.state == Scheduled || was.state == WaitingAccept {
			continue // the kitchen does not know it yet
		}
		if err := s.c.Kitchen.Change(next, was.Order).Write(tx); err != nil {
			return err
		}
	}
	return nil
}

// maxScheduled bounds the orders for later that a screen counts.
const maxScheduled = 1000

const selectScheduled = `SELECT id, number, business_day, received_at, content FROM orders WHERE state = 'scheduled' ORDER BY release_at LIMIT ?`

// Scheduled reads the orders that wait for their time, the next ones first, at most 1000 of them.
func (s *Service) Scheduled(ctx context.Context) ([]sale.Placed, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectScheduled, maxScheduled)
	if err != nil {
		return nil, fmt.Errorf("read what is scheduled: %w", err)
	}
	defer rows.Close()
	var list []sale.Placed
	for rows.Next() {
		p := sale.Placed{Order: new(sale.Order)}
		var received int64
		var content []byte
		if err := rows.Scan(&p.ID, &p.Number, &p.Day, &received, &content); err != nil {
			return nil, err
		}
		p.Received = time.UnixMicro(received).UTC()
		if err := json.Unmarshal(content, p.Order); err != nil {
			return nil, fmt.Errorf("%w: order %s: %v", errCorrupt, p.ID, err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}
