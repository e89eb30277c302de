package delivery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// Details are what an aggregator's order has besides what every order has.
type Details struct {
	Aggregator, Other, Status string
	AcceptBy                  time.Time
	Order                     channel.Order
	Collect                   int64  // minor units
	Method                    string // of the payment, as the aggregator says
	Told                      []Told
}

// Told is one thing that the aggregator is told of an order.
type Told struct {
	At       time.Time
	Kind     string
	State    string
	Attempts int
	NextAt   time.Time
	Cause    string
}

const (
	selectDetails = `SELECT order_key, aggregator, other, status, accept_by, content FROM delivery_orders WHERE order_key IN (?`
	selectTold    = `SELECT created_at, kind, state, attempts, next_at, cause FROM delivery_calls WHERE order_key = ? AND order_key <> 0 ORDER BY key LIMIT 50`
)

// Details gives what aggregators said of orders, by their keys; whole adds what they were told.
func (s *Service) Details(ctx context.Context, orders []journal.ID, whole bool) (map[int64]*Details, error) {
	all := map[int64]*Details{}
	if len(orders) == 0 {
		return all, nil
	}
	args := make([]any, len(orders))
	for i, id := range orders {
		args[i] = id.Key()
	}
	err := s.c.Journal.Each(ctx, selectDetails+strings.Repeat(", ?", len(args)-1)+")", args, func(scan func(...any) error) error {
		d := new(Details)
		var key, by int64
		var content []byte
		if err := scan(&key, &d.Aggregator, &d.Other, &d.Status, &by, &content); err != nil {
			return err
		}
		if err := json.Unmarshal(content, &d.Order); err != nil {
			return err
		}
		d.AcceptBy = journal.FromMicros(by)
		d.Collect, d.Method = collect(&d.Order)
		all[key] = d
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what aggregators said: %w", err)
	}
	if !whole {
		return all, nil
	}
	for key, d := range all {
		if d.Told, err = s.told(ctx, key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Service) told(ctx context.Context, key int64) ([]Told, error) {
	var list []Told
	err := s.c.Journal.Each(ctx, selectTold, []any{key}, func(scan func(...any) error) error {
		var t Told
		var at, next int64
		if err := scan(&at, &t.Kind, &t.State, &t.Attempts, &next, &t.Cause); err != nil {
			return err
		}
		if t.At = journal.FromMicros(at); t.State == waiting {
			t.NextAt = journal.FromMicros(next)
		}
		list = append(list, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was told: %w", err)
	}
	return list, nil
}

// An Observed order is one that another system cooks while this box watches.
type Observed struct {
	At         time.Time `json:"at"`
	Aggregator string    `json:"aggregator"`
	Slug       string    `json:"slug"`
	Partner    string    `json:"partner"`
	PartnerID  string    `json:"partner_id"`
	FriendlyID string    `json:"friendly_id"`
	Status     string    `json:"status"`
	Total      int64     `json:"total"`
	Currency   string    `json:"currency"`
	Lines      int       `json:"lines"`
	Unlinked   []string  `json:"unlinked" doc:"names that the POS does not know: each would keep the order out of it"`
	Unsure     []string  `json:"unsure,omitzero"`
}

const selectObserved = `SELECT at, aggregator, slug, partner_id, status, unlinked, content FROM delivery_observed WHERE aggregator = ? ORDER BY key DESC LIMIT 200`

// Observed lists the latest orders of an aggregator that were only watched.
func (s *Service) Observed(ctx context.Context, name string) ([]Observed, error) {
	if s.link(name) == nil {
		return nil, ErrNone
	}
	list := []Observed{}
	err := s.c.Journal.Each(ctx, selectObserved, []any{name}, func(scan func(...any) error) error {
		o := Observed{Unlinked: []string{}}
		var at int64
		var unlinked string
		var content []byte
		var order channel.Order
		if err := scan(&at, &o.Aggregator, &o.Slug, &o.PartnerID, &o.Status, &unlinked, &content); err != nil {
			return err
		}
		if err := json.Unmarshal(content, &order); err != nil {
			return err
		}
		o.At, o.Partner, o.FriendlyID, o.Total, o.Currency, o.Lines, o.Unsure = journal.FromMicros(at), order.Partner, short(&order), order.Charges.Total, order.Currency, len(order.Lines), order.Unsure
		if unlinked != "" {
			o.Unlinked = strings.Split(unlinked, "\n")
		}
		list = append(list, o)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was observed: %w", err)
	}
	return list, nil
}

// A DayEnd is what somebody has to look after before going home (spec/delivery.md 8).
type DayEnd struct {
	Since       time.Time  `json:"since" doc:"begin of the business day"`
	ToVoid      []DayOrder `json:"to_void" doc:"cancelled, and still open in the POS"`
	NotInPOS    []DayOrder `json:"not_in_pos" doc:"failed or still trying, and nobody typed them in"`
	Open        []DayOrder `json:"open" doc:"neither fulfilled nor cancelled"`
	Unpaid      []DayOrder `json:"unpaid" doc:"of a marketplace without a payment method for the POS, or to be collected from the guest"`
	Differences []DayOrder `json:"differences" doc:"the POS makes another total of them than the marketplace"`
	Changed     []DayOrder `json:"changed" doc:"changed after the POS got them"`
}

// A DayOrder is one order of such a list.
type DayOrder struct {
	ID         journal.ID `json:"id"`
	Number     int        `json:"number"`
	ReceivedAt time.Time  `json:"received_at"`
	Aggregator string     `json:"aggregator"`
	Partner    string     `json:"partner"`
	FriendlyID string     `json:"friendly_id"`
	State      string     `json:"state"`
	InPOS      string     `json:"in_pos"`
	Cause      string     `json:"cause,omitzero"`
	Total      int64      `json:"total" doc:"of the food, minor units"`
	POSTotal   *int64     `json:"pos_total,omitzero"`
	Collect    int64      `json:"collect,omitzero"`
	Currency   string     `json:"currency"`
}

const selectDay = `SELECT o.id, o.number, o.received_at, o.state, o.in_pos, d.aggregator, d.slug, d.content,
	coalesce(p.cause, ''), coalesce(p.pos_total, -1), coalesce(p.void_pending, 0), coalesce(p.stale, 0)
FROM delivery_orders d JOIN orders o ON o.key = d.order_key LEFT JOIN order_pos p ON p.order_key = o.key
WHERE d.order_key >= ? OR p.void_pending = 1 ORDER BY d.order_key LIMIT 5000`

// DayEnd lists what is left of the current business day, and what is still to be voided of days before.
func (s *Service) DayEnd(ctx context.Context) (DayEnd, error) {
	e := DayEnd{ToVoid: []DayOrder{}, NotInPOS: []DayOrder{}, Open: []DayOrder{}, Unpaid: []DayOrder{}, Differences: []DayOrder{}, Changed: []DayOrder{}}
	e.Since = s.c.DayStart(s.c.Now()).UTC()
	err := s.c.Journal.Each(ctx, selectDay, []any{journal.KeyAt(e.Since)}, func(scan func(...any) error) error {
		var o DayOrder
		var id, content []byte
		var received, total int64
		var slug string
		var void, stale bool
		var order channel.Order
		if err := scan(&id, &o.Number, &received, &o.State, &o.InPOS, &o.Aggregator, &slug, &content, &o.Cause, &total, &void, &stale); err != nil {
			return err
		}
		if err := json.Unmarshal(content, &order); err != nil {
			return err
		}
		copy(o.ID[:], id)
		o.ReceivedAt, o.Partner, o.FriendlyID, o.Currency, o.Total = journal.FromMicros(received), order.Partner, short(&order), order.Currency, food(&order)
		o.Collect, _ = collect(&order)
		if total >= 0 {
			o.POSTotal = &total
		}
		over := o.State == "cancelled" || o.State == "rejected"
		if void {
			e.ToVoid = append(e.ToVoid, o)
		}
		if over {
			return nil
		}
		if o.InPOS == "no" || o.InPOS == "pending" {
			e.NotInPOS = append(e.NotInPOS, o)
		}
		if o.State != "fulfilled" {
			e.Open = append(e.Open, o)
		}
		if l := s.link(o.Aggregator); o.Collect > 0 || o.POSTotal != nil && l != nil && l.settings.Load().Channels[slug].PaymentMethod == "" {
			e.Unpaid = append(e.Unpaid, o)
		}
		if o.POSTotal != nil && *o.POSTotal != o.Total {
			e.Differences = append(e.Differences, o)
		}
		if stale {
			e.Changed = append(e.Changed, o)
		}
		return nil
	})
	if err != nil {
		return e, fmt.Errorf("read the orders of the day: %w", err)
	}
	return e, nil
}

// food is what the lines cost.
func food(o *channel.Order) int64 {
	var sum int64
	var of func([]channel.Modifier) int64
	of = func(list []channel.Modifier) int64 {
		var sum int64
		for i := range list {
			sum += int64(list[i].Quantity) * (list[i].Price + of(list[i].Modifiers))
		}
		return sum
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		sum += int64(l.Quantity) * (l.Price + of(l.Modifiers))
	}
	return sum
}
