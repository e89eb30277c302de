package reservation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/protocol/booking"
)

func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run opens what a till that is not ours could not open at once, keeps the links to the platforms up, reads those that tell
// nothing by themselves, and forgets guests when their time is over. A platform that does not answer keeps nobody else waiting.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for _, i := range s.links {
		if i.on() {
			s.c.Relay.Release(i.Name)
		}
		if i.Client != nil {
			all.Go(func() { s.tendLink(ctx, i) })
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var forget time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		pause, err := s.tend(ctx)
		if err != nil && ctx.Err() == nil {
			stop()
			return err
		}
		if now := s.c.Now(); !now.Before(forget) {
			if err := s.forget(ctx); err != nil && ctx.Err() == nil {
				stop()
				return err
			}
			forget = now.Add(time.Hour)
		}
		timer.Reset(min(pause, time.Hour))
	}
}

const (
	selectPending = `SELECT ` + columns + ` FROM reservations WHERE order_state = 'pending' AND retry_at <= ? ORDER BY retry_at LIMIT 50`
	selectRetry   = `SELECT min(retry_at) FROM reservations WHERE order_state = 'pending'`
	selectForget  = `SELECT ` + columns + ` FROM reservations WHERE forget_at > 0 AND forget_at <= ? LIMIT 100`
)

// tend does what is due and tells how long nothing more is.
func (s *Service) tend(ctx context.Context) (time.Duration, error) {
	pause := time.Hour
	if s.c.Till == nil {
		return pause, nil
	}
	list, err := s.read(ctx, selectPending, journal.Micros(s.c.Now()))
	if err != nil {
		return 0, err
	}
	if len(list) > 0 {
		info, down := s.c.Till.Info(ctx)
		for _, r := range list {
			if err := s.attempt(ctx, r, info, down); err != nil {
				return 0, err
			}
		}
	}
	var next sql.NullInt64
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectRetry).Scan(&next); err != nil {
		return 0, fmt.Errorf("read what waits for the till: %w", err)
	}
	if next.Valid {
		pause = min(pause, max(time.UnixMicro(next.Int64).Sub(s.c.Now()), time.Millisecond))
	}
	return pause, nil
}

func (s *Service) read(ctx context.Context, query string, args ...any) ([]*row, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	defer rows.Close()
	var list []*row
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read reservations: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// attempt tries to open the check of one party at the till. The reference is the reservation's id: a check that was opened
// without our hearing of it is found by that, and no second one is opened.
func (s *Service) attempt(ctx context.Context, r *row, info TillInfo, down error) error {
	i := s.link(r.Platform)
	if i == nil {
		return nil
	}
	set := i.settings.Load()
	now := s.c.Now()
	if !r.GiveUpAt.After(now) {
		return s.endPending(ctx, r.ID, Failed, Expired, "")
	}
	device, active := choose(set.Tills, info.Devices)
	if down != nil || !active {
		return s.putOff(ctx, r.ID)
	}
	if set.Staff != "" && info.Staff != nil && !slices.Contains(info.Staff, set.Staff) {
		return s.endPending(ctx, r.ID, Failed, StaffUnknown, set.Staff)
	}
	reference := r.ID.String()
	opened, found, err := s.c.Till.Find(ctx, reference)
	if err != nil {
		return s.putOff(ctx, r.ID)
	}
	tables := s.floorTables(&set.Settings, r.Content.Tables)
	if !found {
		profile := set.OrderProfile
		if set.DefaultProfile {
			profile = ""
		}
		opened, err = s.c.Till.Open(ctx, reference, Opening{
			Reservation: reference, Tables: tables, Covers: r.Content.PartySize, Guest: r.Content.Guest.Name(), Notes: s.notes(&r.Content), Staff: set.Staff, Profile: profile,
			Till: device, WalkIn: r.Content.WalkIn, Reference: reference,
		})
		var refused *TillError
		if errors.As(err, &refused) {
			return s.endPending(ctx, r.ID, Failed, refused.Problem, refused.Detail)
		}
		if err != nil {
			return s.putOff(ctx, r.ID) // nobody knows; the next attempt looks first
		}
	}
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		fresh, err := load(tx, r.ID)
		if err != nil || fresh.Order != Pending {
			return err
		}
		fresh.RetryAt = time.Time{}
		fresh.note(tx.Now(), "opened_at_till", device, opened.ID)
		if err := s.store(tx, fresh); err != nil {
			return err
		}
		return s.open(tx, i, r.ID, tables, device, opened.ID, byPlatform)
	})
}

// choose is the till that opens checks: the first of the wanted ones that is online, or the first active one where none is wanted
// (RES-18, RES-19).
func choose(wanted []string, devices []Device) (string, bool) {
	if len(wanted) == 0 {
		for _, d := range devices {
			if d.Active {
				return d.Name, true
			}
		}
		return "", false
	}
	for _, w := range wanted {
		for _, d := range devices {
			if d.Name == w && d.Active {
				return w, true
			}
		}
	}
	return "", false
}

func (s *Service) putOff(ctx context.Context, id journal.ID) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		r, err := load(tx, id)
		if err != nil || r.Order != Pending {
			return err
		}
		r.RetryAt = tx.Now().Add(s.c.Retry)
		return s.store(tx, r)
	})
}

func (s *Service) endPending(ctx context.Context, id journal.ID, state, problem, detail string) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		r, err := load(tx, id)
		if err != nil || r.Order != Pending {
			return err
		}
		r.Order, r.Problem, r.Detail = state, problem, detail
		r.RetryAt, r.GiveUpAt = time.Time{}, time.Time{}
		r.note(tx.Now(), state, byTimer, problem)
		return s.store(tx, r)
	})
}

// forget erases the guests of reservations whose time is over.
func (s *Service) forget(ctx context.Context) error {
	for {
		list, err := s.read(ctx, selectForget, journal.Micros(s.c.Now()))
		if err != nil || len(list) == 0 {
			return err
		}
		err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			for _, old := range list {
				r, err := load(tx, old.ID)
				if err != nil {
					return err
				}
				r.Content.Guest, r.Content.Notes, r.Content.GuestRequest, r.Content.Tags = booking.Guest{}, "", "", nil
				r.ForgetAt = time.Time{}
				r.note(tx.Now(), "guest_forgotten", byTimer, "")
				if err := s.store(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

const (
	selectOpening = `SELECT ` + columns + ` FROM reservations WHERE order_state = 'pending'`
	maxWaiting    = 50                // tables that are named at a time
	maxMatch      = 241 * time.Minute // the longest that a check is looked for after a seating
)

// Opening tells whether a check is being opened at a till that is not ours for a party of a table.
func (s *Service) Opening(tx *journal.Tx, table string) (found bool, err error) {
	err = tx.Query(selectOpening, nil, func(read func(...any) error) error {
		r, err := scan(read)
		if err != nil {
			return err
		}
		if i := s.link(r.Platform); i != nil {
			set := i.settings.Load()
			found = found || slices.Contains(s.floorTables(&set.Settings, r.Content.Tables), table)
		}
		return nil
	})
	return found, err
}

// Waiting names the tables at which a party sits without a check, as long as one that staff opened would be taken for its own.
func (s *Service) Waiting(ctx context.Context) (tables []string, err error) {
	now := s.c.Now()
	list, err := s.read(ctx, selectWanting, journal.Micros(now.Add(-maxMatch)), journal.Micros(now))
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		i := s.link(r.Platform)
		if i == nil || !i.on() || r.Order == Pending {
			continue
		}
		set := i.settings.Load()
		if now.Sub(r.SeatedAt) > time.Duration(set.MatchAfter)*time.Minute+time.Minute {
			continue
		}
		for _, t := range s.floorTables(&set.Settings, r.Content.Tables) {
			if s.c.Floor.Known(t) && !slices.Contains(tables, t) && len(tables) < maxWaiting {
				tables = append(tables, t)
			}
		}
	}
	return tables, nil
}

// Maps tells whether a value of a statistic category stands for a course of any platform.
func (s *Service) Maps(value string) bool {
	value = stage.Normal(value)
	for _, i := range s.links {
		set := i.settings.Load()
		for _, c := range set.Courses {
			for _, g := range c.Groups {
				if stage.Normal(g.Value) == value {
					return true
				}
			}
		}
	}
	return false
}
