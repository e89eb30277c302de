package floor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// Ordered is an order from a table, as it is now.
type Ordered struct {
	Order    journal.ID
	Number   int  // what people call it
	Fresh    bool // no check has seen it yet
	Table    string
	Staff    string
	Guest    string
	Covers   int
	Lines    []sale.Line // none: it is wanted no more
	Payments []sale.Payment
}

// Remark is what somebody has to look at of an order's place on a check.
type Remark string

// Remarks. "" is none.
const (
	RemarkNoTable Remark = "no_table" // the floor has no such table; lines of the order are on no check
	RemarkPaid    Remark = "paid"     // a check that is closed, or paid too far, still has lines that the order has no more
)

const (
	selectOrdered = `SELECT ` + columns + ` FROM checks WHERE key IN (SELECT check_key FROM check_orders WHERE order_key = ?) ORDER BY key`
	insertOrdered = `INSERT INTO check_orders (order_key, check_key) VALUES (?, ?) ON CONFLICT DO NOTHING`
)

// OrderIn puts the lines of an order, and what was paid for it, on the open check of its table, in the order's transaction;
// the oldest one that has room, else a new one. Told again of the same order it makes the lines those that the order has now:
// what the order lost is voided where it stands, what it gained is added. A house that named no tables opens no check by an
// order; there it joins those that somebody opened.
func (s *Service) OrderIn(tx *journal.Tx, by string, o Ordered) (Remark, error) {
	has, err := s.having(tx, o)
	if err != nil {
		return "", err
	}
	add := slices.Clone(o.Lines)
	gone := make([][]int, len(has)) // of each check: the numbers of lines that the order has no more
	var remark Remark
	at := slices.IndexFunc(has, func(c *Check) bool { return c.State == Open && slices.Contains(c.Tables, o.Table) })
	stays := at < 0 && len(o.Lines) > 0 && !s.Known(o.Table) // nobody knows where to
	if stays {
		remark = RemarkNoTable
		at = slices.IndexFunc(has, func(c *Check) bool { return c.State == Open })
	}
	for i, c := range has {
		for _, l := range c.Lines {
			if l.Order != o.Order || l.Voided {
				continue
			}
			// A line keeps its place as long as the order has it, unless the order has gone to another table. What is sold
			// and paid stays where it is.
			if n := slices.IndexFunc(add, func(w sale.Line) bool { return equal(&w, &l.Line.Line) }); n >= 0 && (c.State != Open || stays || slices.Contains(c.Tables, o.Table)) {
				add = slices.Delete(add, n, n+1)
				continue
			}
			gone[i] = append(gone[i], l.N)
		}
	}
	if len(add) > 0 {
		var c *Check
		if at >= 0 && len(has[at].Lines)+len(add) <= maxLines {
			c = has[at]
		} else if c, err = s.joins(tx, by, &o, len(add)); err != nil {
			return "", err
		}
		if c == nil {
			if len(s.c.Areas) > 0 || len(has) > 0 { // else nobody keeps checks here
				remark = RemarkNoTable
			}
		} else if err := s.bring(tx, c, by, &o, add); err != nil {
			return "", err
		}
	}
	for i, c := range has {
		taken, err := s.withdraw(tx, c, by, &o, gone[i])
		if err != nil {
			return "", err
		}
		if !taken && remark == "" { // what is on no bill at all is the worse
			remark = RemarkPaid
		}
	}
	return remark, nil
}

// equal tells whether two lines are the same to the guest and the kitchen.
func equal(a, b *sale.Line) bool {
	if a.Name != b.Name || a.Quantity != b.Quantity {
		return false
	}
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// having reads the checks that have lines of the order, the oldest first.
func (s *Service) having(tx *journal.Tx, o Ordered) ([]*Check, error) {
	if o.Fresh {
		return nil, nil
	}
	list, err := query(tx, selectOrdered, o.Order.Key())
	if err != nil {
		return nil, fmt.Errorf("find the checks of order %s: %w", o.Order, err)
	}
	return list, nil
}

// joins is the check that an order comes to with n lines; nil when there is none and none may be opened.
func (s *Service) joins(tx *journal.Tx, by string, o *Ordered, n int) (*Check, error) {
	if !s.Known(o.Table) {
		return nil, nil
	}
	on, err := s.On(tx, o.Table)
	if err != nil {
		return nil, err
	}
	for _, c := range on {
		if len(c.Lines)+n <= maxLines {
			return c, nil
		}
	}
	if len(s.c.Areas) == 0 {
		return nil, nil
	}
	opened, err := s.Open(tx, by, Opening{Tables: []string{o.Table}, Covers: o.Covers, Staff: o.Staff, Guest: o.Guest})
	if err != nil {
		return nil, err
	}
	c, err := load(tx, opened.ID) // whoever follows may have changed it
	if err == nil {
		c.OpenedFor = o.Order // it is stored with the lines
	}
	return c, err
}

// OverIn closes the check that an order opened by itself, once the order has been handed over, in the order's transaction: where
// nothing else is or was on it, nobody's party sits at it, and the order's own payments have paid all of it. Any other check is
// for a person to close. back undoes that, for an order that was taken back.
func (s *Service) OverIn(tx *journal.Tx, by string, order journal.ID, back bool) error {
	has, err := s.having(tx, Ordered{Order: order})
	if err != nil {
		return err
	}
	for _, c := range has {
		switch {
		case back && c.State == Closed && c.ClosedFor == order:
			c.ClosedFor = journal.ID{}
			err = s.reopen(tx, by, c)
		case !back && c.settledBy(order):
			c.ClosedFor = order
			err = s.end(tx, access.Principal{Name: by}, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settledBy tells whether an open check is wholly an order's own, and paid by it.
func (c *Check) settledBy(order journal.ID) bool {
	others := func(l Sold) bool { return l.Order != order }
	unpaid := func(p Payment) bool { return p.State != Voided && (p.State != Paid || p.Order != order) }
	return c.State == Open && c.OpenedFor == order && c.Reservation == "" && c.Balance == 0 && c.Paid > 0 &&
		!slices.ContainsFunc(c.Lines, others) && !slices.ContainsFunc(c.Payments, unpaid)
}

// bring puts lines of an order on a check, and what was paid for it: the source takes that money itself, so it counts as paid.
func (s *Service) bring(tx *journal.Tx, c *Check, by string, o *Ordered, lines []sale.Line) error {
	if _, err := tx.Exec(insertOrdered, o.Order.Key(), c.ID.Key()); err != nil {
		return fmt.Errorf("note that check %s has lines of order %s: %w", c.ID, o.Order, err)
	}
	from, n := len(c.Lines), c.next()
	for i, l := range lines {
		c.Lines = append(c.Lines, Sold{Line: Line{Line: l}, N: n + i, At: tx.Now(), By: by, Order: o.Order})
	}
	detail := map[string]any{"order": o.Order, "number": o.Number, "lines": len(lines)}
	if err := s.store(tx, c, Step{Kind: LineAdded, By: by, Lines: c.Lines[from:]}, detail); err != nil {
		return err
	}
	for _, p := range o.Payments {
		fresh, err := load(tx, c.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(fresh.Payments, func(was Payment) bool {
			return was.Order == o.Order && was.State == Paid && was.Method == told(p.Method) && was.Amount == p.Amount
		}) {
			continue // an earlier version of the order said so
		}
		amount := min(p.Amount, fresh.Total-fresh.claimed())
		if amount <= 0 || len(fresh.Payments) >= maxPayments {
			continue
		}
		payment := Payment{ID: s.c.Journal.NewID(), Method: told(p.Method), Amount: amount, State: Paid, At: tx.Now(), By: by, Order: o.Order}
		fresh.Payments = append(fresh.Payments, payment)
		if err := s.store(tx, fresh, Step{Kind: PaymentTaken, By: by}, payment); err != nil {
			return err
		}
	}
	return nil
}

// told is a method of payment in the mouth of somebody else: the words that move money here move none.
func told(method string) string {
	if method == Room || method == Deposit || method == RoomCode {
		return "till " + method
	}
	return method
}

// withdraw takes lines of an order off a check, with what the order's source was paid for it once no line is left. It gives
// false where that is for a person to do.
func (s *Service) withdraw(tx *journal.Tx, c *Check, by string, o *Ordered, lines []int) (bool, error) {
	if len(lines) == 0 {
		return true, nil
	}
	if c.State != Open {
		return false, nil
	}
	c, err := load(tx, c.ID) // with what was just added
	if err != nil {
		return false, err
	}
	gone, err := c.takeOff(lines)
	if err != nil {
		return false, err
	}
	if len(gone) == 0 {
		return true, nil
	}
	left := slices.ContainsFunc(c.Lines, func(l Sold) bool { return l.Order == o.Order && !l.Voided })
	var back []Payment
	for i := range c.Payments {
		if p := &c.Payments[i]; !left && p.Order == o.Order && p.State == Paid {
			p.State = Voided
			back = append(back, *p)
		}
	}
	if c.reckon(); c.Total < c.claimed() {
		return false, nil
	}
	for _, p := range back {
		if err := s.store(tx, c, Step{Kind: PaymentVoided, By: by}, p); err != nil {
			return false, err
		}
	}
	return true, s.store(tx, c, Step{Kind: LineVoided, By: by, Lines: gone}, map[string]any{"order": o.Order, "number": o.Number, "lines": len(gone)})
}

// follows notes that lines of orders stand on another check now.
func follows(tx *journal.Tx, to *Check, lines []Sold) error {
	var last journal.ID
	for i := range lines {
		if id := lines[i].Order; id != last && id != (journal.ID{}) {
			if _, err := tx.Exec(insertOrdered, id.Key(), to.ID.Key()); err != nil {
				return fmt.Errorf("note that check %s has lines of order %s: %w", to.ID, id, err)
			}
			last = id
		}
	}
	return nil
}
