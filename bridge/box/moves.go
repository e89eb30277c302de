package box

import (
	"slices"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/order"
	"aboyeur/bridge/sale"
	"aboyeur/protocol/channel"
)

// checkHooks has what is ordered at a table stand on its check. A till that keeps the checks itself tells of the lines by
// itself: they would be there twice.
func (b *Box) checkHooks(c *order.Config) {
	if b.c.POS.Kind == firmwareconfig.KindBepoz || b.c.POS.Other() && b.c.POS.Checks == firmwareconfig.ChecksPOS {
		return
	}
	c.Checks = func(tx *journal.Tx, o order.Seated) (string, error) {
		ordered := floor.Ordered{Order: o.ID, Number: o.Number, Fresh: o.Fresh, Table: o.Table, Staff: o.Staff, Guest: o.Customer.Name, Covers: o.Covers}
		if !o.Gone {
			ordered.Lines, ordered.Payments = o.Lines, o.Payments
			if b.deliveries != nil && b.deliveries.Serves(o.Source) {
				h, ours, err := b.deliveries.Handover(tx, o.ID)
				if err != nil {
					return "", err
				}
				if ours {
					ordered.Payments = paidOnline(h.Order.Payments)
				}
			}
		}
		remark, err := b.checks.OrderIn(tx, o.By, ordered)
		return string(remark), err
	}
	before := c.Follow
	c.Follow = func(tx *journal.Tx, s order.Step) error {
		if before != nil {
			if err := before(tx, s); err != nil {
				return err
			}
		}
		return b.orderOver(tx, s)
	}
}

// paidOnline is what an aggregator has taken of a guest. What the guest has yet to pay is for the house to take.
func paidOnline(all []channel.Payment) []sale.Payment {
	var paid []sale.Payment
	for _, p := range all {
		if !p.Collect && p.Amount > 0 {
			paid = append(paid, sale.Payment{Method: "prepaid", Amount: p.Amount})
		}
	}
	return paid
}

// orderOver has the check that an order opened by itself close when the order is handed over, and open again when it is taken
// back. That must not keep the order from going on: what fails is undone alone, and a person closes the check.
func (b *Box) orderOver(tx *journal.Tx, s order.Step) error {
	over := func(state string) bool { return state == order.HandedOff || state == order.Fulfilled }
	if s.From == s.State || s.Order.Service != sale.DineIn || over(s.From) && over(s.State) || !over(s.From) && !over(s.State) {
		return nil
	}
	err := tx.Try(func(tx *journal.Tx) error { return b.checks.OverIn(tx, s.By, s.Order.ID, over(s.From)) })
	if err != nil {
		b.log.Error("the check of an order that is over was left as it is", "order", s.Order.ID, "table", s.Order.Table, "err", err)
	}
	return nil
}

// moveTickets has the tickets of a party follow its check to another table, in the same transaction. Food of a table on
// which another check still stands stays: nobody can tell whose it is. A bill that is split moves nothing.
func (b *Box) moveTickets(tx *journal.Tx, s floor.Step) error {
	var left []string
	to := s.Check
	switch s.Kind {
	case floor.Moved:
		left = s.Before
	case floor.MergedInto:
		left = s.Check.Tables
		var err error
		if to, err = b.checks.Load(tx, s.Other); err != nil {
			return err
		}
	}
	if len(left) == 0 || len(to.Tables) == 0 {
		return nil
	}
	for _, table := range left {
		if table == to.Tables[0] || s.Kind == floor.Moved && slices.Contains(to.Tables, table) {
			continue
		}
		standing, err := b.checks.On(tx, table)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(standing, func(c *floor.Check) bool { return c.ID != s.Check.ID && c.ID != to.ID }) {
			continue
		}
		if err := b.orders.MoveTable(tx, b.kitchen.OrdersAt(table), to.Tables[0], s.By); err != nil {
			return err
		}
	}
	return nil
}
