package order

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// A Step is a change in the life of an order, told within its transaction.
type Step struct {
	Order        sale.Placed
	From, State  string // the same where only InPOS moved
	WasIn, InPOS string
	Event        string // the word on the time line
	By, Detail   string
}

// follow tells who wants to know.
func (s *Service) follow(tx *journal.Tx, o stored, state, inPOS, event, by, detail string) error {
	if s.c.Follow == nil {
		return nil
	}
	return s.c.Follow(tx, Step{Order: o.Placed, From: o.state, State: state, WasIn: o.inPOS, InPOS: inPOS, Event: event, By: by, Detail: detail})
}

// do is one act of a person on an order, in one transaction, once for each key.
func (s *Service) do(ctx context.Context, by access.Principal, key, act string, id journal.ID, f func(*journal.Tx, stored) error) (View, error) {
	if err := s.atPass(ctx, by, key, act, id, f); err != nil {
		return View{}, err
	}
	s.lookAgain()
	return s.Get(ctx, id)
}

// Accept takes an order that waits for a person's word: it goes to the kitchen, or waits for its time. Accepting it twice
// is the same again. The errors are those of Cancel.
func (s *Service) Accept(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
	return s.do(ctx, by, key, "accept", id, func(tx *journal.Tx, o stored) error {
		switch {
		case o.state == Scheduled || o.state == Accepted || o.state == Prepared:
			return nil
		case o.state != WaitingAccept:
			return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
		}
		if err := access.Record(tx, by, "order_accepted", id.String(), ""); err != nil {
			return err
		}
		return s.begin(tx, o, "accepted", by.Name)
	})
}

const updateAccepted = `UPDATE orders SET state = ?, in_pos = ?, release_at = ?, log = log || ? WHERE key = ? AND state = ?`

// begin gives an order to kitchen and POS, or puts it among those that wait for their time.
func (s *Service) begin(tx *journal.Tx, o stored, event, by string) error {
	now := tx.Now()
	if release := s.release(o.Order); event != "released" && release.After(s.clock()) {
		rows, err := tx.Exec(updateAccepted, Scheduled, NotYet, journal.Micros(release), trail.Append(nil, now, event, by, ""), o.ID.Key(), o.state)
		if err != nil {
			return fmt.Errorf("schedule order %s: %w", o.ID, err)
		}
		if rows != 1 {
			return fmt.Errorf("schedule order %s: %w", o.ID, errNoDetail)
		}
		tx.Change("order", o.ID.String(), s.notice(o.Placed, Scheduled, NotYet))
		return s.follow(tx, o, Scheduled, NotYet, event, by, "")
	}
	p := o.Placed
	p.Received = now
	if err := s.c.Kitchen.Plan(p).Write(tx); err != nil {
		return err
	}
	if err := s.seat(tx, Seated{Placed: p, Fresh: true, By: by}, nil); err != nil {
		return err
	}
	no, err := s.refusal(tx, p)
	if err != nil {
		return err
	}
	inPOS, err := s.hand(tx, p, no)
	if err != nil {
		return err
	}
	return s.move(tx, o, Accepted, inPOS, event, by, "")
}

// Reject refuses an order that waits for a person's word. Rejecting it twice is the same again. reason is one of an
// aggregator's, or a person's words. The errors are those of Cancel.
func (s *Service) Reject(ctx context.Context, by access.Principal, key, reason string, id journal.ID) (View, error) {
	return s.do(ctx, by, key, "reject", id, func(tx *journal.Tx, o stored) error {
		switch o.state {
		case Rejected:
			return nil
		case WaitingAccept:
		default:
			return fmt.Errorf("%w: it is %s; cancel it instead", ErrTooLate, o.state)
		}
		if err := access.Record(tx, by, "order_rejected", id.String(), reason); err != nil {
			return err
		}
		return s.move(tx, o, Rejected, NotYet, "rejected", by.Name, reason)
	})
}

// Expire refuses an order that nobody accepted in time, within the caller's transaction; one that is decided stays.
func (s *Service) Expire(tx *journal.Tx, id journal.ID, reason string) error {
	o, err := load(tx, id)
	if err != nil || o.state != WaitingAccept {
		return err
	}
	return s.move(tx, o, Rejected, NotYet, "rejected", "", reason)
}

// Advance follows what an aggregator says of an order, within the caller's transaction: prepared, handed over, fulfilled.
// An order never goes back by it, and one that is cancelled or rejected stays so. moved tells whether it made a difference.
func (s *Service) Advance(tx *journal.Tx, id journal.ID, state, by string) (moved bool, err error) {
	o, err := load(tx, id)
	if err != nil {
		return false, err
	}
	if final(o.state) || rank(state) <= rank(o.state) || o.state == Scheduled && state == Accepted {
		return false, nil
	}
	switch {
	case o.state == WaitingAccept && state == Accepted: // accepted at the aggregator's own tablet
		return true, s.begin(tx, o, "accepted", by)
	case o.state == WaitingAccept || o.state == Scheduled:
		// Whoever says so has it cooked already; the kitchen gets what it must know all the same.
		if err := s.begin(tx, o, "released", by); err != nil {
			return false, err
		}
		if o, err = load(tx, id); err != nil {
			return false, err
		}
	}
	switch state {
	case Prepared:
		if err := s.c.Kitchen.Finish(tx, id, by); err != nil {
			return false, err
		}
		return true, s.move(tx, o, Prepared, o.inPOS, "prepared", by, "")
	case HandedOff:
		if err := s.c.Kitchen.Hand(tx, id, by); err != nil {
			return false, err
		}
		return true, s.move(tx, o, HandedOff, o.inPOS, "handed_over", by, "")
	case Fulfilled:
		if err := s.c.Kitchen.Hand(tx, id, by); err != nil {
			return false, err
		}
		return true, s.move(tx, o, Fulfilled, o.inPOS, "fulfilled", by, "")
	}
	return false, nil
}

// ReleaseNow gives a scheduled order to the kitchen because its aggregator says that it is due, within the caller's
// transaction. One that is released already stays as it is.
func (s *Service) ReleaseNow(tx *journal.Tx, id journal.ID, by string) error {
	o, err := load(tx, id)
	if err != nil || o.state != Scheduled {
		return err
	}
	return s.begin(tx, o, "released", by)
}

// Stored reads an order within the caller's transaction.
func (s *Service) Stored(tx *journal.Tx, id journal.ID) (o *sale.Order, state, inPOS string, err error) {
	was, err := load(tx, id)
	return was.Order, was.state, was.inPOS, err
}

func rank(state string) int {
	switch state {
	case WaitingAccept:
		return 1
	case Scheduled:
		return 2
	case Accepted:
		return 3
	case Prepared:
		return 4
	case HandedOff:
		return 5
	case Fulfilled:
		return 6
	}
	return 7
}

// DefaultShowBefore is how long before its time a scheduled order is shown, unless Config says otherwise (spec/delivery.md 4).
const DefaultShowBefore = time.Hour
