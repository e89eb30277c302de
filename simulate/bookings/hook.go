package bookings

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/simulate/cloud"
)

// Put books or changes a reservation on the platform's side, and tells the box. Without a Sequence and an UpdatedAt it gets
// the next of each. The error is what the box answered, after the platform's own repetitions, as a *HookError; a message that
// a fault keeps back goes later, and has none.
func (s *Simulator) Put(ctx context.Context, r booking.Reservation) error {
	if r.ID == "" {
		return errors.New("a reservation has an id")
	}
	if _, _, err := s.d.Message(&r, s.c.Now()); err != nil {
		return err
	}
	if s.Over() {
		return errors.New("the platform is closed")
	}
	s.mu.Lock()
	e, known := s.book[r.ID]
	if !known {
		e = &entry{}
		s.book[r.ID] = e
		s.order = append(s.order, r.ID)
	}
	before := e.r
	r.Tables = slices.Clone(r.Tables)
	sequence, updated := r.Sequence, r.UpdatedAt
	e.r = r
	s.stamp(e, &before, s.c.Now())
	if sequence != 0 {
		e.r.Sequence = sequence
	}
	if !updated.IsZero() {
		e.r.UpdatedAt = updated
	}
	r = e.r
	switch {
	case r.Status.Over():
		s.show(before.Tables, "")
		s.show(r.Tables, "")
	case r.Stage != "":
		s.show(r.Tables, r.Stage)
	case r.Status == booking.Seated:
		s.show(r.Tables, booking.AtTable)
	}
	released := e.held
	e.held = nil
	back, late, twice, by := s.Happens(OutOfOrder) && s.HookURL() != "", s.Happens(Late), s.Happens(Duplicate), time.Duration(s.Present().LateBy)
	if back {
		held := make(chan struct{})
		e.held = held
		s.Go(func(ctx context.Context) {
			cloud.Wait(ctx, by, held)
			s.send(ctx, &r)
		})
	}
	s.mu.Unlock()
	if released != nil {
		defer close(released)
	}
	if back {
		return nil
	}
	if late {
		if err := cloud.Wait(ctx, by, nil); err != nil {
			return err
		}
	}
	if twice {
		s.Go(func(ctx context.Context) { s.send(ctx, &r) })
	}
	return s.send(ctx, &r)
}

// Again repeats the last webhook of a reservation n times at once. The error is the first that one of them met.
func (s *Simulator) Again(ctx context.Context, id string, n int) error {
	r, ok := s.Reservation(id)
	if !ok {
		return fmt.Errorf("there is no reservation %q", id)
	}
	var mu sync.Mutex // guards errs
	var errs []error
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := s.send(ctx, &r); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// send tells the box of r until it takes it or refuses it for good.
func (s *Simulator) send(ctx context.Context, r *booking.Reservation) error {
	return s.Deliver(ctx, func(at time.Time) (http.Header, []byte, error) { return s.d.Message(r, at) })
}
