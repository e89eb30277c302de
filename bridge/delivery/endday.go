package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// overAfter is how long after its time an order of a day that is over counts as eaten: the kitchen may close after midnight,
// and the day change in the middle of an order.
const overAfter = 4 * time.Hour

// openFor is how long orders of earlier days are looked at.
const openFor = 7 * 24 * time.Hour

const selectStale = `SELECT o.id, o.key, d.content FROM delivery_orders d JOIN orders o ON o.key = d.order_key
WHERE d.order_key >= ? AND d.order_key < ? AND o.state IN ('accepted', 'prepared', 'handed_off') AND o.in_pos IN ('yes', 'manual')`

// EndDay ends the orders of business days that are over, of which nobody said that they are done: not every aggregator says so,
// and a kitchen that works by paper tells nobody what it handed over. The aggregator hears it where it wants to. An order that
// is not in the POS stays open: somebody has to look after it.
func (s *Service) EndDay(ctx context.Context) error {
	now := s.c.Now()
	day := s.c.DayStart(now)
	type stale struct {
		id  journal.ID
		key int64
	}
	var list []stale
	err := s.c.Journal.Each(ctx, selectStale, []any{journal.KeyAt(day.Add(-openFor)), journal.KeyAt(day)}, func(scan func(...any) error) error {
		var id, content []byte
		var x stale
		if err := scan(&id, &x.key, &content); err != nil {
			return err
		}
		var o channel.Order
		if err := json.Unmarshal(content, &o); err != nil {
			return err
		}
		copy(x.id[:], id)
		if at := timeOf(&o, x.key); at.Before(day) && now.Sub(at) >= overAfter {
			list = append(list, x)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the orders of days that are over: %w", err)
	}
	for _, x := range list {
		err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			return s.c.Orders.Advance(tx, x.id, string(channel.Fulfilled), "")
		})
		if err != nil {
			return fmt.Errorf("end order %s of a day that is over: %w", x.id, err)
		}
	}
	if len(list) > 0 {
		s.c.Log.Info("orders of a day that is over were ended", "orders", len(list))
	}
	return nil
}

// timeOf is when an order is to be eaten, by all that is known of it; key is that of its arrival.
func timeOf(o *channel.Order, key int64) time.Time {
	at := journal.MadeAt(key)
	for _, t := range []time.Time{o.PlacedAt, o.PickupAt, o.EstimatedPickupAt, o.DeliverAt} {
		if t.After(at) {
			at = t
		}
	}
	return at
}
