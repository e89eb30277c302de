package box

import (
	"context"
	"errors"
	"fmt"
	"slices"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/lightspeed"
)

// buildMirror makes what keeps the floor as the checks of a till are, where a till keeps them.
func (b *Box) buildMirror() (err error) {
	if b.pos == nil || b.pos.kSeries == nil || b.c.POS.Checks != firmwareconfig.ChecksPOS {
		return nil
	}
	b.mirror, err = pos.NewMirror(pos.MirrorConfig{Journal: b.journal, Till: b.pos.kSeries, Floor: mirrorFloor{b}, Every: b.o.mirror, Now: b.o.Now, Log: b.log})
	return err
}

// checkTold takes what a notification says of a check. Another kind of till's, and one that says nothing of a check, is none.
func (b *Box) checkTold(ctx context.Context, n lightspeed.Notification) error {
	if b.mirror == nil || n.Type == lightspeed.TypeItem || n.Account == nil && n.AccountID == "" {
		return nil
	}
	c, ok := b.pos.kSeries.Said(n)
	if !ok {
		if c.ID != "" {
			b.mirror.Ask(c.ID)
		}
		return nil
	}
	return b.mirror.Told(ctx, c)
}

// mirrorFloor is the floor as a till that keeps its checks knows it.
type mirrorFloor struct{ b *Box }

var _ pos.MirrorFloor = mirrorFloor{}

// Mirror makes a check what the till says.
func (m mirrorFloor) Mirror(tx *journal.Tx, check journal.ID, c booking.Check, sure bool) (journal.ID, bool, error) {
	v := floor.Mirrored{
		Open: c.Open, OpenedAt: c.OpenedAt, Tables: c.Tables, Covers: c.Covers, Staff: words.Tidy(c.Staff, sale.MaxName), Total: c.Total, Paid: c.Paid,
		Other: words.In(m.b.c.Site.Language).T("floor.other_at_till"),
	}
	for i := range c.Lines {
		if l, ok := m.line(&c.Lines[i]); ok {
			v.Lines = append(v.Lines, l)
		}
	}
	for _, p := range c.Payments {
		v.Payments = append(v.Payments, floor.Taken{Method: words.Tidy(p.Method, sale.MaxName), Amount: p.Amount, Tip: p.Tip})
	}
	id, fits, err := m.b.checks.MirrorIn(tx, m.b.c.POS.Kind, check, v, sure)
	if errors.Is(err, floor.ErrFull) {
		m.b.log.Warn("a check of the till is too long to be followed", "check", c.ID, "err", err)
		return id, true, nil
	}
	return id, fits, err
}

// line is a line of the till's as ours. Some of which the price of one is no whole number of minor units are one line.
func (m mirrorFloor) line(l *booking.Line) (floor.Line, bool) {
	quantity, price, name := l.Quantity, l.Amount, l.Name
	if quantity < 0 {
		quantity, price = -quantity, -max(l.Amount, -l.Amount)
	}
	switch {
	case quantity == 0 && price == 0:
		return floor.Line{}, false
	case quantity > 1 && price%int64(quantity) != 0:
		quantity, name = 1, fmt.Sprintf("%d × %s", quantity, name)
	case quantity > 1:
		price /= int64(quantity)
	}
	group := l.Group
	if m.b.bookings != nil {
		if n := slices.IndexFunc(l.Groups, m.b.bookings.Maps); n >= 0 {
			group = l.Groups[n]
		}
	}
	return floor.Line{Line: sale.Line{SKU: l.SKU, Name: words.Tidy(name, sale.MaxName), Course: l.Course, Quantity: max(quantity, 1), Price: &price}, Group: group}, true
}

// Wanted tells whether a check that nobody here knows is of this house's tables. One of a party whose check is being opened at
// the till at this moment is the party's: it becomes known with the answer to that.
func (m mirrorFloor) Wanted(tx *journal.Tx, c booking.Check) (bool, error) {
	if len(c.Tables) == 0 || !m.b.checks.Known(c.Tables[0]) {
		return false, nil
	}
	if m.b.bookings == nil {
		return true, nil
	}
	opening, err := m.b.bookings.Opening(tx, c.Tables[0])
	return !opening, err
}

// Waiting names the tables at which a party sits without a check.
func (m mirrorFloor) Waiting(ctx context.Context) ([]string, error) {
	if m.b.bookings == nil {
		return nil, nil
	}
	return m.b.bookings.Waiting(ctx)
}
