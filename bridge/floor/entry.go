package floor

import (
	"context"
	"errors"
	"slices"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// ToEnter is the state of a payment that a person has to enter at the till that keeps the check. Until then it does not count.
const ToEnter = "to_enter"

// lump is the method of what a till says was paid without saying how.
const lump = "till"

// ErrEntered refuses a word about a payment that nobody has to enter at a till.
var ErrEntered = errors.New("the check has no such payment that has to be entered at the till")

// Entry is how a payment that was taken here comes to the till that keeps its check.
type Entry struct {
	Method string `json:"method,omitzero" doc:"the till's; absent: none is configured, and only a person can enter it"`
	Code   string `json:"code,omitzero" doc:"why a person has to enter it: no_method, overpaid, closed, unknown_method, validation, pos_offline, no_answer, or another of the till's"`
	Detail string `json:"detail,omitzero" doc:"the till's own words"`
}

// waits tells whether a payment is on its way to the till.
func (p *Payment) waits() bool { return p.Entry != nil && (p.State == Pending || p.State == ToEnter) }

// EnteredIn notes in a transaction of somebody else's what became of a payment at the till: Paid, or ToEnter with the reason. On
// a check that is closed by now what did not come is taken back. A payment that has settled stays as it is.
func (s *Service) EnteredIn(tx *journal.Tx, id, payment journal.ID, till, by, state string, why Entry) error {
	c, err := load(tx, id)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	n := slices.IndexFunc(c.Payments, func(p Payment) bool { return p.ID == payment && p.waits() })
	if n < 0 {
		return nil
	}
	p := &c.Payments[n]
	if state == ToEnter && c.State != Open {
		return s.takeBack(tx, c, by, []journal.ID{payment})
	}
	kind := PaymentTaken
	p.State, p.Entry.Code, p.Entry.Detail = state, why.Code, why.Detail
	if state == Paid {
		c.once(till, p)
	} else {
		kind = PaymentToEnter
	}
	told := *p
	return s.store(tx, c, Step{Kind: kind, By: by, Payment: &told}, told)
}

// Entered takes a person's word that a payment has been entered at the till.
func (s *Service) Entered(ctx context.Context, by access.Principal, key string, id, payment journal.ID) (Check, error) {
	return s.act(ctx, by, key, "entered "+payment.String(), id, nil, func(tx *journal.Tx, c *Check) error {
		if !slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.ID == payment && p.State == ToEnter && p.waits() }) {
			return ErrEntered
		}
		return s.EnteredIn(tx, id, payment, s.c.Till, by.Name, Paid, Entry{})
	})
}

// once takes off a payment that the till told of before it was known that it is p.
func (c *Check) once(till string, p *Payment) {
	for i := range c.Payments {
		if was := &c.Payments[i]; was.By == till && was.Entry == nil && was.State == Paid && was.is(p) {
			was.State = Voided
			return
		}
	}
	for i := range c.Payments {
		if was := &c.Payments[i]; was.By == till && was.Entry == nil && was.State == Paid && was.Method == lump && was.Amount >= p.Amount {
			if was.Amount -= p.Amount; was.Amount == 0 {
				was.State = Voided
			}
			return
		}
	}
}

// is tells whether a payment of the till's can be p.
func (was *Payment) is(p *Payment) bool {
	return was.Amount == p.Amount && was.Tip == p.Tip && was.Method != lump && (p.Entry.Method == "" || was.Method == told(p.Entry.Method))
}

// takeBack ends payments that never came to the till, which has closed the check.
func (s *Service) takeBack(tx *journal.Tx, c *Check, by string, list []journal.ID) error {
	for i := range c.Payments {
		p := &c.Payments[i]
		if !slices.Contains(list, p.ID) {
			continue
		}
		p.State = Voided
		told := *p
		if err := s.store(tx, c, Step{Kind: PaymentVoided, By: by, Payment: &told}, told); err != nil {
			return err
		}
	}
	return nil
}

// entered compares what the till says was paid, and is not a payment of its own on the check, with those that were to be entered
// there: it gives what is left, which of them have come, and which are not there. One that a person has to enter, by a method that
// nobody configured, is only known to be there when somebody says so.
func (c *Check) entered(pays []Taken) (left []Taken, come, missing []journal.ID) {
	for i := range c.Payments {
		p := &c.Payments[i]
		if p.Entry == nil || p.State == Voided {
			continue
		}
		at := slices.IndexFunc(pays, func(t Taken) bool {
			return (&Payment{Method: t.Method, Amount: t.Amount, Tip: t.Tip}).is(p) && (p.State == Paid || p.Entry.Method != "")
		})
		if at < 0 && p.State == Paid { // as paid it is in what the till says without saying how
			at = slices.IndexFunc(pays, func(t Taken) bool { return t.Method == lump && t.Amount >= p.Amount })
		}
		switch {
		case at < 0:
			missing = append(missing, p.ID)
			continue
		case pays[at].Method == lump && pays[at].Amount > p.Amount:
			pays[at].Amount -= p.Amount
		default:
			pays = slices.Delete(pays, at, at+1)
		}
		if p.State == ToEnter {
			come = append(come, p.ID)
		}
	}
	return pays, come, missing
}
