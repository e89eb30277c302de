package reservation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
)

// Act does something to a reservation for a person, once per Idempotency-Key ("": none), notes it in the audit log, and gives
// the reservation after it.
func (s *Service) act(ctx context.Context, by access.Principal, key, what string, id journal.ID, body any, do func(*journal.Tx, *integration, *row) error) (Entry, error) {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if key != "" {
			_, again, err := tx.Idempotent(by.Subject(), key, sha256.Sum256(append([]byte(what+" "+id.String()+" "), encode(body)...)), id.String())
			if errors.Is(err, journal.ErrKeyReused) {
				return ErrOther
			}
			if err != nil || again {
				return err
			}
		}
		r, err := load(tx, id)
		if err != nil {
			return err
		}
		i := s.link(r.Platform)
		if i == nil {
			return ErrPlatform
		}
		if err := do(tx, i, r); err != nil {
			return err
		}
		return access.Record(tx, by, "reservation_"+what, id.String(), string(encode(body)))
	})
	if err != nil {
		return Entry{}, err
	}
	return s.Entry(ctx, id)
}

// set changes what a person may change of a reservation, and does what follows.
func (s *Service) set(tx *journal.Tx, i *integration, r *row, by string, change func(m *booking.Reservation, status *booking.Status)) error {
	before, from := r.Content, r.Status
	r.Content.Tables = slices.Clone(r.Content.Tables)
	change(&r.Content, &r.Status)
	r.Content.Assumed = false
	r.Content.Stage = ""
	if from != r.Status {
		r.note(tx.Now(), "status", by, string(r.Status))
	}
	_, err := s.settle(tx, i, r, before, from, by)
	return err
}

// relay tells the platform what a person did to a reservation, where it takes that. told is false where it does not.
func (s *Service) relay(tx *journal.Tx, i *integration, r *row, u booking.Update) (told bool, err error) {
	u.Reservation, u.Venue = r.Ref, i.Venue
	if !i.on() || !i.can.Takes(&u) {
		return false, nil
	}
	return true, s.c.Relay.Put(tx, i.Name, r.ID.Key(), u)
}

// Seat seats a party, at other tables if some are named, and opens its check by the rules of a seated one.
func (s *Service) Seat(ctx context.Context, by access.Principal, key string, id journal.ID, tables []string) (Entry, error) {
	return s.act(ctx, by, key, "seat", id, tables, func(tx *journal.Tx, i *integration, r *row) error {
		if r.Status == booking.Departed {
			return ErrOver
		}
		if r.Order == Open && r.live() && len(tables) == 0 {
			return nil
		}
		set := i.settings.Load()
		if _, err := s.relay(tx, i, r, booking.Update{Kind: booking.KindStatus, Status: booking.Seated, Tables: set.theirs(tables)}); err != nil {
			return err
		}
		return s.set(tx, i, r, by.Name, func(m *booking.Reservation, status *booking.Status) {
			*status = booking.Seated
			if len(tables) > 0 {
				m.Tables = set.theirs(tables)
			}
		})
	})
}

// Assign gives a party other tables. One that sits has its check moved there, or opened.
func (s *Service) Assign(ctx context.Context, by access.Principal, key string, id journal.ID, tables []string) (Entry, error) {
	return s.act(ctx, by, key, "assign", id, tables, func(tx *journal.Tx, i *integration, r *row) error {
		if r.Status.Over() {
			return ErrOver
		}
		set := i.settings.Load()
		theirs := set.theirs(tables)
		if r.Order == Open {
			list, err := checks(tx, r.ID.Key())
			if err != nil {
				return err
			}
			if len(list) > 0 {
				// The step that this makes tells the platform.
				if err := s.c.Floor.Move(tx, list[0], by.Name, tables); err != nil {
					return err
				}
				if r, err = load(tx, id); err != nil {
					return err
				}
			}
		} else if _, err := s.relay(tx, i, r, booking.Update{Kind: booking.KindTables, Tables: theirs}); err != nil {
			return err
		}
		r.note(tx.Now(), "assigned", by.Name, fmt.Sprint(tables))
		return s.set(tx, i, r, by.Name, func(m *booking.Reservation, _ *booking.Status) { m.Tables = theirs })
	})
}

// Retry decides on a seated party once more.
func (s *Service) Retry(ctx context.Context, by access.Principal, key string, id journal.ID) (Entry, error) {
	return s.act(ctx, by, key, "retry", id, nil, func(tx *journal.Tx, i *integration, r *row) error {
		set := i.settings.Load()
		if !Opens(&r.Content, r.Status, &set.Settings) {
			return ErrNotSeated
		}
		if r.Order == Open {
			return nil
		}
		if r.SeatedAt.IsZero() {
			r.SeatedAt = tx.Now()
		}
		r.note(tx.Now(), "retry", by.Name, "")
		if err := s.store(tx, r); err != nil {
			return err
		}
		_, err := s.decide(tx, i, id, by.Name)
		return err
	})
}

// Link makes an open check the party's (RES-41).
func (s *Service) Link(ctx context.Context, by access.Principal, key string, id, check journal.ID) (Entry, error) {
	return s.act(ctx, by, key, "link", id, check, func(tx *journal.Tx, i *integration, r *row) error {
		c, err := s.c.Floor.Load(tx, check)
		if err != nil {
			return err
		}
		if !c.Open {
			return ErrCheck
		}
		belongs, err := parties(tx, check)
		if err != nil {
			return err
		}
		switch {
		case slices.Contains(belongs, id.Key()):
			return nil
		case len(belongs) > 0:
			return ErrLinked
		case r.Order == Open:
			return ErrHasCheck
		case r.Status.Over():
			return ErrOver
		}
		return s.join(tx, i, id, check, originOperator, by.Name)
	})
}

// End cancels a reservation or notes that nobody came, where the platform lets a till do so.
func (s *Service) End(ctx context.Context, by access.Principal, key string, id journal.ID, status booking.Status) (Entry, error) {
	return s.act(ctx, by, key, string(status), id, nil, func(tx *journal.Tx, i *integration, r *row) error {
		if r.Status == status {
			return nil
		}
		if !Allowed(r.Status, status) {
			return ErrOver
		}
		told, err := s.relay(tx, i, r, booking.Update{Kind: booking.KindStatus, Status: status})
		if err != nil {
			return err
		}
		if !told {
			return ErrUnsupported
		}
		return s.set(tx, i, r, by.Name, func(_ *booking.Reservation, now *booking.Status) { *now = status })
	})
}

// Covers changes how many people the party is.
func (s *Service) Covers(ctx context.Context, by access.Principal, key string, id journal.ID, covers int) (Entry, error) {
	return s.act(ctx, by, key, "covers", id, covers, func(tx *journal.Tx, i *integration, r *row) error {
		if r.Status.Over() {
			return ErrOver
		}
		if _, err := s.relay(tx, i, r, booking.Update{Kind: booking.KindCovers, Covers: covers}); err != nil {
			return err
		}
		r.note(tx.Now(), "covers", by.Name, strconv.Itoa(covers))
		return s.set(tx, i, r, by.Name, func(m *booking.Reservation, _ *booking.Status) { m.PartySize = covers })
	})
}

// OpenFor gives the check of a party that sits, and opens it if it has none: what a till's booking list does (BEP-18).
func (s *Service) OpenFor(ctx context.Context, by access.Principal, key string, id journal.ID) (Entry, error) {
	e, err := s.Entry(ctx, id)
	switch {
	case err != nil:
		return e, err
	case e.OrderState == Open:
		return e, nil
	}
	return s.Retry(ctx, by, key, id)
}
