package box

import (
	"slices"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/order"
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
		}
		remark, err := b.checks.OrderIn(tx, o.By, ordered)
		return string(remark), err
	}
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
