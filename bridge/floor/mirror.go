package floor

import (
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// Mirrored is a check as a till that keeps it says it stands now. Its parts are all there is, not what came.
type Mirrored struct {
	Open     bool
	OpenedAt time.Time
	Tables   []string // none: the till does not say
	Covers   int      // 0: the till does not say
	Staff    string
	Guest    string
	Lines    []Line // a price below zero takes back; whatever else makes the total differ from them is one more line
	Payments []Taken
	Total    int64
	Paid     int64
	Other    string // the name of that line
}

// Taken is a payment that a till took.
type Taken struct {
	Method      string
	Amount, Tip int64
}

// MirrorIn makes a check what the till by says, in a transaction of somebody else's; id zero opens one. A word that may be old
// is not sure: where it would take something away, or open a closed check again, it changes nothing and fits is false. What
// people put on the check at the box stays. The hotel is not told of what such a check sold: its till does that.
func (s *Service) MirrorIn(tx *journal.Tx, by string, id journal.ID, m Mirrored, sure bool) (at journal.ID, fits bool, err error) {
	if id.IsZero() {
		id = s.c.Journal.NewID()
		since := tx.Now()
		if !m.OpenedAt.IsZero() && m.OpenedAt.Before(since) {
			since = m.OpenedAt.UTC().Truncate(time.Microsecond)
		}
		if _, err := s.openSince(tx, id, by, Opening{Tables: m.Tables, Covers: m.Covers, Staff: m.Staff, Guest: m.Guest}, since); err != nil {
			return id, false, err
		}
	}
	c, err := load(tx, id)
	if err != nil {
		return id, false, err
	}
	m.complete()
	add, gone := c.differ(by, &m)
	pays, back, come, missing := c.owes(by, &m)
	again := m.Open && (c.State == Closed || c.State == Cancelled)
	switch {
	case c.State == Merged, !m.Open && c.State != Open:
		return id, true, nil
	case !sure && (c.loses(gone, &m) || len(back) > 0 || again || !m.Open && len(missing) > 0):
		return id, false, nil
	}
	if again {
		c.State, c.ClosedAt = Open, time.Time{}
		if err := stand(tx, c); err != nil {
			return id, false, err
		}
		if err := s.store(tx, c, Step{Kind: CheckReopened, By: by}, nil); err != nil {
			return id, false, err
		}
	}
	for _, step := range []func() error{
		func() error { return s.mirrorPlace(tx, id, by, &m) },
		func() error { return s.mirrorLines(tx, id, by, add, gone) },
		func() error { return s.mirrorMoney(tx, id, by, pays, back) },
		func() error { return s.mirrorEntered(tx, id, by, come) },
	} {
		if err := step(); err != nil {
			return id, false, err
		}
	}
	if m.Open {
		return id, true, nil
	}
	return id, true, s.mirrorEnd(tx, id, by, missing)
}

// mirrorEntered notes payments that somebody has entered at the till.
func (s *Service) mirrorEntered(tx *journal.Tx, id journal.ID, by string, come []journal.ID) error {
	for _, payment := range come {
		if err := s.EnteredIn(tx, id, payment, by, by, Paid, Entry{}); err != nil {
			return err
		}
	}
	return nil
}

// mirrorPlace follows the check to another table, and how many sit there.
func (s *Service) mirrorPlace(tx *journal.Tx, id journal.ID, by string, m *Mirrored) error {
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	// A party has several tables where the till knows one of them.
	if len(m.Tables) > 0 && !slices.Contains(c.Tables, m.Tables[0]) && s.Known(m.Tables[0]) {
		before := c.Tables
		c.Tables = slices.Clone(m.Tables)
		if err := stand(tx, c); err != nil {
			return err
		}
		if err := s.store(tx, c, Step{Kind: Moved, By: by, Before: before}, map[string][]string{"from": before, "to": c.Tables}); err != nil {
			return err
		}
		if c, err = load(tx, id); err != nil {
			return err
		}
	}
	if m.Covers > 0 && m.Covers <= maxCovers {
		return s.covers(tx, c, by, m.Covers, "", "")
	}
	return nil
}

func (s *Service) mirrorLines(tx *journal.Tx, id journal.ID, by string, add []Line, gone []int) error {
	if len(add)+len(gone) == 0 {
		return nil
	}
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	if len(c.Lines)+len(add) > maxLines { // what was taken off stays in the events
		c.Lines = slices.DeleteFunc(c.Lines, func(l Sold) bool { return l.Voided && l.By == by })
	}
	if len(c.Lines)+len(add) > maxLines {
		return fmt.Errorf("%w: %d lines", ErrFull, maxLines)
	}
	if len(add) > 0 {
		from, n := len(c.Lines), c.next()
		for i, l := range add {
			c.Lines = append(c.Lines, Sold{Line: l, N: n + i, At: tx.Now(), By: by})
		}
		if err := s.store(tx, c, Step{Kind: LineAdded, By: by, Lines: c.Lines[from:]}, add); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if c, err = load(tx, id); err != nil {
		return err
	}
	off, err := c.takeOff(gone)
	if err != nil {
		return err
	}
	return s.store(tx, c, Step{Kind: LineVoided, By: by, Lines: off}, gone)
}

func (s *Service) mirrorMoney(tx *journal.Tx, id journal.ID, by string, pays []Taken, back []journal.ID) error {
	if len(pays)+len(back) == 0 {
		return nil
	}
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	if len(c.Payments)+len(pays) > maxPayments {
		return fmt.Errorf("%w: %d payments", ErrFull, maxPayments)
	}
	for i := range c.Payments {
		p := &c.Payments[i]
		if !slices.Contains(back, p.ID) {
			continue
		}
		p.State = Voided
		if err := s.store(tx, c, Step{Kind: PaymentVoided, By: by}, *p); err != nil {
			return err
		}
	}
	for _, t := range pays {
		p := Payment{ID: s.c.Journal.NewID(), Method: t.Method, Amount: t.Amount, Tip: t.Tip, State: Paid, At: tx.Now(), By: by}
		c.Payments = append(c.Payments, p)
		if err := s.store(tx, c, Step{Kind: PaymentTaken, By: by}, p); err != nil {
			return err
		}
	}
	return nil
}

// mirrorEnd closes a check that the till closed. Payments that were to be entered there and are not are taken back. One on which
// nothing was ever is cancelled; what was paid beyond the total is a tip by another name.
func (s *Service) mirrorEnd(tx *journal.Tx, id journal.ID, by string, missing []journal.ID) error {
	c, err := load(tx, id)
	if err != nil || c.State != Open {
		return err
	}
	// What is still being sent is decided by what the till says of that: its check may tell of no single payment.
	missing = slices.DeleteFunc(missing, func(id journal.ID) bool {
		return slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.ID == id && p.State == Pending })
	})
	if err := s.takeBack(tx, c, by, missing); err != nil {
		return err
	}
	if c, err = load(tx, id); err != nil {
		return err
	}
	step := Step{Kind: CheckClosed, By: by}
	if c.State, c.ClosedAt = Closed, tx.Now(); c.Empty() {
		c.State, step.Kind = Cancelled, CheckCancelled
	}
	for i := range slices.Backward(c.Payments) {
		if p := &c.Payments[i]; c.Balance < 0 && p.State == Paid && p.By == by && p.Amount > 0 {
			over := min(-c.Balance, p.Amount)
			p.Amount, p.Tip = p.Amount-over, p.Tip+over
			c.reckon()
		}
	}
	if err := stand(tx, c); err != nil {
		return err
	}
	return s.store(tx, c, step, nil)
}

// complete makes lines and payments add up to what the till says they do.
func (m *Mirrored) complete() {
	lines, paid := m.Total, m.Paid
	for i := range m.Lines {
		lines -= m.Lines[i].Total()
	}
	for _, p := range m.Payments {
		paid -= p.Amount
	}
	if lines != 0 {
		m.Lines = append(slices.Clone(m.Lines), Line{Line: sale.Line{Name: m.Other, Quantity: 1, Price: &lines}})
	}
	if paid > 0 {
		m.Payments = append(slices.Clone(m.Payments), Taken{Method: lump, Amount: paid})
	}
}

// product is what makes two lines of a till the same but for how many.
type product struct {
	sku, name, group string
	course           int
	price            int64
}

func productOf(l *Line) product {
	p := product{l.SKU, l.Name, l.Group, l.Course, 0}
	if l.Price != nil {
		p.price = *l.Price
	}
	return p
}

// differ compares what a till says with its lines on the check, product by product: what came, and the numbers of lines to be
// taken off. A line of which some go is taken off, and what is left of it comes again.
func (c *Check) differ(by string, m *Mirrored) (add []Line, gone []int) {
	want := map[product]int{}
	for i := range m.Lines {
		want[productOf(&m.Lines[i])] += m.Lines[i].Quantity
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Voided || l.By != by {
			continue
		}
		p := productOf(&l.Line)
		if want[p] >= l.Quantity {
			want[p] -= l.Quantity
			continue
		}
		gone = append(gone, l.N)
	}
	for _, l := range m.Lines {
		p := productOf(&l)
		if n := min(want[p], l.Quantity); n > 0 {
			want[p] -= n
			l.Quantity = n
			add = append(add, l)
		}
	}
	return add, gone
}

// loses tells whether lines go that are more than what makes the total right.
func (c *Check) loses(gone []int, m *Mirrored) bool {
	return slices.ContainsFunc(c.Lines, func(l Sold) bool {
		return slices.Contains(gone, l.N) && (l.SKU != "" || l.Group != "" || l.Name != m.Other)
	})
}

// owes compares what a till says was paid with its payments on the check: what came, and which are gone. come and missing are
// those that were taken here and are, or are not, there.
func (c *Check) owes(by string, m *Mirrored) (pays []Taken, back, come, missing []journal.ID) {
	pays = slices.Clone(m.Payments)
	for i := range pays {
		pays[i].Method = told(pays[i].Method)
	}
	own := func(p *Payment) bool { return p.By == by && p.State == Paid && p.Entry == nil }
	var lumps []Payment
	for _, p := range c.Payments {
		switch {
		case !own(&p):
			continue
		case p.Method == lump: // what is left of it shows once those from here are known
			lumps = append(lumps, p)
			continue
		}
		if n := slices.Index(pays, Taken{p.Method, p.Amount, p.Tip}); n >= 0 {
			pays = slices.Delete(pays, n, n+1)
			continue
		}
		back = append(back, p.ID)
	}
	pays, come, missing = c.entered(pays)
	for _, p := range lumps {
		if n := slices.Index(pays, Taken{p.Method, p.Amount, p.Tip}); n >= 0 {
			pays = slices.Delete(pays, n, n+1)
			continue
		}
		back = append(back, p.ID)
	}
	return pays, back, come, missing
}
