package box

import (
	"slices"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
)

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
