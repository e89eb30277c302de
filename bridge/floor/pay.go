package floor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
)

// Taking asks for a payment. A room payment names a posted posting, or the guest and makes one.
type Taking struct {
	Method      string      `json:"method" doc:"card, cash, room, deposit or the venue's own word"`
	Code        string      `json:"code,omitzero" doc:"IKPMS is a room payment, whatever method says"`
	Amount      int64       `json:"amount" minimum:"0" doc:"of the balance, without the tip"`
	Tip         int64       `json:"tip,omitzero" minimum:"0"`
	Posting     *journal.ID `json:"posting,omitzero" doc:"of a room payment that was posted already"`
	Room        string      `json:"room,omitzero"`
	Reservation string      `json:"reservation,omitzero"`
	Guest       string      `json:"guest,omitzero"`
	Manager     bool        `json:"manager,omitzero" doc:"a manager lets the credit limit be exceeded"`
}

// room tells whether the hotel is to pay.
func (t *Taking) room() bool { return t.Method == Room || t.Code == RoomCode }

// Pay takes a payment. A room's is a charge at the hotel and waits for its answer: the error is a *RefusedError or an
// *UnknownError when it did not come to a payment.
func (s *Service) Pay(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (Check, error) {
	if t.room() && t.Posting == nil {
		return s.payByRoom(ctx, by, key, id, t)
	}
	var posted *Posting
	if t.room() {
		p, ok, err := s.c.Hotel.Posting(ctx, *t.Posting)
		switch {
		case err != nil:
			return Check{}, err
		case !ok || p.Kind != "charge" || p.State != PostingPosted:
			return Check{}, fmt.Errorf("%w: it is not posted", ErrPosting)
		case p.Amount != t.Amount+t.Tip:
			return Check{}, fmt.Errorf("%w: it is of %d, amount and tip are %d", ErrPosting, p.Amount, t.Amount+t.Tip)
		}
		posted = &p
	}
	return s.act(ctx, by, key, "payment", id, t, func(tx *journal.Tx, c *Check) error {
		p := Payment{ID: s.c.Journal.NewID(), Method: t.Method, Code: t.Code, Amount: t.Amount, Tip: t.Tip, State: Paid, Posting: t.Posting, At: tx.Now(), By: by.Name}
		if posted != nil {
			for i := range c.Payments {
				if was := &c.Payments[i]; was.Posting != nil && *was.Posting == posted.ID && was.State != Unknown {
					return fmt.Errorf("%w: it pays this check already", ErrPosting)
				}
			}
			c.Payments = slices.DeleteFunc(c.Payments, func(was Payment) bool { return was.Posting != nil && *was.Posting == posted.ID })
			p.Method, p.Code = Room, RoomCode
		}
		return s.take(tx, c, p)
	})
}

// take puts a payment that is certain on the check.
func (s *Service) take(tx *journal.Tx, c *Check, p Payment) error {
	if err := fits(c, p.Amount); err != nil {
		return err
	}
	if p.Method == Deposit && s.c.Deposit != nil {
		if err := s.c.Deposit(tx, c, p.Amount+p.Tip, p.By); err != nil {
			return err
		}
	}
	step := Step{Kind: PaymentTaken, By: p.By}
	if p.Method == Deposit && s.c.Enter != nil {
		if err := s.c.Enter(tx, c, &p); err != nil {
			return err
		}
		if p.Entry != nil {
			step.Payment = &p
		}
		if p.State == ToEnter {
			step.Kind = PaymentToEnter
		}
	}
	c.Payments = append(c.Payments, p)
	return s.store(tx, c, step, p)
}

// DepositIn takes a payment by deposit in a transaction of somebody else's.
func (s *Service) DepositIn(tx *journal.Tx, id journal.ID, by string, amount int64) error {
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	return s.take(tx, c, Payment{ID: s.c.Journal.NewID(), Method: Deposit, Amount: amount, State: Paid, At: tx.Now(), By: by})
}

// fits tells whether a check can take a further payment of amount.
func fits(c *Check, amount int64) error {
	switch {
	case c.State != Open:
		return c.works()
	case len(c.Payments) >= maxPayments:
		return fmt.Errorf("%w: %d payments", ErrFull, maxPayments)
	case amount > c.Total-c.claimed():
		return fmt.Errorf("%w: %d are left", ErrOverpaid, c.Total-c.claimed())
	}
	return nil
}

// payByRoom charges a room with its share of every group, so that all rooms together carry exactly the check.
func (s *Service) payByRoom(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (Check, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Check{}, err
	}
	if key != "" {
		// A repeat of a payment that is on the check already.
		if again, err := s.paidBefore(ctx, by, key, id, t); err != nil || again {
			if err != nil {
				return Check{}, err
			}
			return s.Get(ctx, id)
		}
	}
	if err := fits(&c, t.Amount); err != nil {
		return Check{}, err
	}
	charge := Charge{
		ID: s.c.Journal.NewID(), Check: id.String(), Number: c.Number, Room: t.Room, Reservation: t.Reservation, Guest: t.Guest, Amount: t.Amount, Tip: t.Tip,
		Outlet: c.Outlet, Covers: c.Covers, Staff: c.Staff, Manager: t.Manager, Parts: s.shareOf(&c, t.Amount),
	}
	if len(c.Tables) > 0 {
		charge.Table = c.Tables[0]
	}
	payment := Payment{ID: s.c.Journal.NewID(), Method: Room, Code: RoomCode, Amount: t.Amount, Tip: t.Tip, State: Pending, Posting: &charge.ID, Room: t.Room, By: by.Name}
	p, err := s.c.Hotel.Charge(ctx, by, charge, func(tx *journal.Tx) error {
		if _, again, err := repeated(tx, by, key, "payment "+id.String(), t, id); err != nil || again {
			return errors.Join(err, errAgain(again))
		}
		now, err := load(tx, id)
		if err != nil {
			return err
		}
		if now.Version != c.Version {
			// Somebody else changed the check since we shared it out.
			return errMoved
		}
		if err := fits(now, t.Amount); err != nil {
			return err
		}
		payment.At = tx.Now()
		now.Payments = append(now.Payments, payment)
		return s.store(tx, now, Step{Kind: PaymentTaken, By: by.Name}, payment)
	})
	switch {
	case errors.Is(err, errMoved):
		return s.payByRoom(ctx, by, key, id, t)
	case errors.Is(err, errRepeated):
		return s.Get(ctx, id)
	case err != nil:
		return Check{}, err
	case p.State == PostingRefused:
		return Check{}, &RefusedError{p}
	case p.State != PostingPosted:
		return Check{}, &UnknownError{p}
	}
	return s.Get(ctx, id)
}

var (
	errMoved    = errors.New("the check was changed meanwhile")
	errRepeated = errors.New("done before")
)

func errAgain(again bool) error {
	if again {
		return errRepeated
	}
	return nil
}

const selectKey = `SELECT count(*) FROM idempotency WHERE owner = ? AND key = ?`

// paidBefore tells whether key was used; whether for this very payment the transaction decides.
func (s *Service) paidBefore(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (bool, error) {
	var n int
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectKey, by.Subject(), key).Scan(&n); err != nil || n == 0 {
		return false, err
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		_, _, err := repeated(tx, by, key, "payment "+id.String(), t, id)
		return err
	})
	return err == nil, err
}

// shareOf is what amount carries of the groups that no room carries yet.
func (s *Service) shareOf(c *Check, amount int64) []Part {
	left := c.parts()
	amounts := func() []int64 {
		list := make([]int64, len(left))
		for i, p := range left {
			list[i] = p.Amount
		}
		return list
	}
	// Payment after payment takes its share of what those before it left, in the same order each time.
	for _, p := range c.Payments {
		if p.State == Paid || p.State == Pending {
			for i, n := range money.Split(p.Amount, amounts()) {
				left[i].Amount -= n
			}
		}
	}
	var share []Part
	for i, n := range money.Split(amount, amounts()) {
		if n != 0 {
			share = append(share, Part{left[i].Group, n})
		}
	}
	return share
}

// Settled follows a charge within the transaction in which it was posted, refused, unknown or voided.
func (s *Service) Settled(tx *journal.Tx, check string, p Posting) error {
	id, err := journal.ParseID(check)
	if err != nil {
		return nil // a sale of somebody else
	}
	c, err := load(tx, id)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	about, state, event := p.ID, Paid, ""
	switch {
	case p.Kind == "void" && p.State == PostingPosted:
		about, state, event = p.Original, Voided, PaymentVoided
	case p.Kind != "charge":
		return nil
	case p.State == PostingRefused:
		state, event = "", PaymentRefused
	case p.State == PostingUnknown:
		state, event = Unknown, PaymentUnknown
	}
	at := slices.IndexFunc(c.Payments, func(was Payment) bool { return was.Posting != nil && *was.Posting == about })
	if at < 0 || c.Payments[at].State == state {
		return nil
	}
	was := c.Payments[at]
	if state == "" {
		c.Payments = slices.Delete(c.Payments, at, at+1)
	} else {
		c.Payments[at].State = state
	}
	if event == "" {
		event = PaymentTaken
	}
	was.State = cmp.Or(state, PostingRefused)
	return s.store(tx, c, Step{Kind: event, By: was.By}, was)
}
