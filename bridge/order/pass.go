package order

import (
	"context"
	"fmt"
	"strings"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Expo is the name of the screen at the pass.
const Expo = "expo"

// A Working error reports an order that somebody took for complete while stations of it are still at work.
type Working struct {
	Stations []string
}

func (e *Working) Error() string {
	return strings.Join(e.Stations, ", ") + " is still at work on this order"
}

// MakeReady records that the whole order stands at the pass, whatever its stations said; who does so while one of them
// is at work is in the audit log. With wholeOnly that is refused with a *Working error. Making a ready order ready is the
// same again. The other errors are those of Cancel.
func (s *Service) MakeReady(ctx context.Context, by access.Principal, key string, id journal.ID, wholeOnly bool) (View, error) {
	err := s.atPass(ctx, by, key, "ready", id, func(tx *journal.Tx, o stored) error {
		switch o.state {
		case Prepared:
			return nil
		case Accepted:
		default:
			return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
		}
		if err := s.witness(tx, by, "order_ready_early", id, wholeOnly); err != nil {
			return err
		}
		if err := s.c.Kitchen.Finish(tx, id, by.Name); err != nil {
			return err
		}
		return s.move(tx, o, Prepared, o.inPOS, "prepared", by.Name, "")
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// HandOver records that guest or courier has the order; who hands over while a station is at work is in the audit log.
// With wholeOnly that is refused with a *Working error. The other errors are those of Cancel.
func (s *Service) HandOver(ctx context.Context, by access.Principal, key string, id journal.ID, wholeOnly bool) (View, error) {
	err := s.atPass(ctx, by, key, "handed-over", id, func(tx *journal.Tx, o stored) error {
		switch o.state {
		case HandedOff:
			return nil
		case Accepted, Prepared:
		default:
			return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
		}
		if err := s.witness(tx, by, "order_handed_over_early", id, wholeOnly); err != nil {
			return err
		}
		if err := s.c.Kitchen.Hand(tx, id, by.Name); err != nil {
			return err
		}
		return s.move(tx, o, HandedOff, o.inPOS, "handed_over", by.Name, "")
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// TakeBack brings an order that was handed over back to the pass. The errors are those of Cancel.
func (s *Service) TakeBack(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
	err := s.atPass(ctx, by, key, "take-back", id, func(tx *journal.Tx, o stored) error {
		if o.state != HandedOff {
			return fmt.Errorf("%w: it is %s, and only an order that was handed over can be taken back", ErrTooLate, o.state)
		}
		if err := s.c.Kitchen.TakeBack(tx, id, by.Name); err != nil {
			return err
		}
		open, err := s.c.Kitchen.Working(tx, id)
		if err != nil {
			return err
		}
		state := Prepared
		if len(open) > 0 {
			state = Accepted
		}
		if err := access.Record(tx, by, "order_taken_back", id.String(), ""); err != nil {
			return err
		}
		return s.move(tx, o, state, o.inPOS, "recalled", by.Name, "")
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// atPass does something with an order in one transaction, once for each key.
func (s *Service) atPass(ctx context.Context, by access.Principal, key, act string, id journal.ID, do func(*journal.Tx, stored) error) error {
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if again, err := repeated(tx, by, key, act, id); err != nil || again {
			return err
		}
		o, err := load(tx, id)
		if err != nil {
			return err
		}
		return do(tx, o)
	})
}

// witness puts into the audit log that an order goes on while stations are at work on it, or refuses that.
func (s *Service) witness(tx *journal.Tx, by access.Principal, act string, id journal.ID, wholeOnly bool) error {
	open, err := s.c.Kitchen.Working(tx, id)
	switch {
	case err != nil || len(open) == 0:
		return err
	case wholeOnly:
		return &Working{open}
	}
	return access.Record(tx, by, act, id.String(), "still at work: "+strings.Join(open, ", "))
}
