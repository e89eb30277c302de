package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
)

// lookEvery is how often the clock is read though nothing is due: a clock that was set wrong, or jumps, is noticed
// within it.
const lookEvery = time.Second

// Run releases scheduled orders when their time has come, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.alarmAll(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := "" // the fault that was logged last, so that it is logged once
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.due:
		case <-timer.C:
		}
		next, err := s.Release(ctx)
		var held *unreleased
		switch {
		case errors.As(err, &held):
			if text := err.Error(); text != told {
				s.c.Log.Error("scheduled orders not released", "err", err)
				told = text
			}
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		default:
			told = ""
		}
		wait := lookEvery
		if !next.IsZero() {
			wait = min(wait, max(0, next.Sub(s.clock())))
		}
		timer.Reset(wait)
	}
}

func (s *Service) lookAgain() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}

const (
	selectDue  = `SELECT id FROM orders WHERE state = 'scheduled' AND release_at <= ? ORDER BY release_at LIMIT 100 OFFSET ?`
	selectNext = `SELECT coalesce(min(release_at), 0) FROM orders WHERE state = 'scheduled' AND release_at > ?`
)

// unreleased tells of an order that is due and cannot be given to the kitchen.
type unreleased struct {
	id  journal.ID
	err error
}

func (e *unreleased) Error() string { return fmt.Sprintf("release order %s: %v", e.id, e.err) }
func (e *unreleased) Unwrap() error { return e.err }

// Release hands every scheduled order that is due to the kitchen, each once, and tells when the next one is; zero
// when none is waiting. An order that cannot be released keeps none of the others back; the error tells of it.
func (s *Service) Release(ctx context.Context) (next time.Time, err error) {
	var faults []error
	now := s.clock()
	for {
		due, err := s.dueAt(ctx, now, len(faults))
		if err != nil {
			return next, err
		}
		if len(due) == 0 {
			break
		}
		for _, id := range due {
			err := s.releaseOne(ctx, id, now)
			if ctx.Err() != nil || errors.Is(err, journal.ErrDown) || errors.Is(err, journal.ErrUncertain) {
				return next, err
			}
			if err != nil {
				faults = append(faults, &unreleased{id, err})
			}
		}
	}
	var us int64
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectNext, now.UnixMicro()).Scan(&us); err != nil {
		return next, fmt.Errorf("read the next release: %w", err)
	}
	return journal.FromMicros(us), errors.Join(faults...)
}

// dueAt reads whose time has come at now; the first skip of them could not be released.
func (s *Service) dueAt(ctx context.Context, now time.Time, skip int) ([]journal.ID, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectDue, now.UnixMicro(), skip)
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	defer rows.Close()
	var due []journal.ID
	for rows.Next() {
		var id journal.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		due = append(due, id)
	}
	return due, rows.Err()
}

// releaseOne looks at the order again inside the transaction: one that was changed or cancelled meanwhile stays. The
// time that counts is the stored one, whatever the configuration says by now.
func (s *Service) releaseOne(ctx context.Context, id journal.ID, now time.Time) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		o, err := load(tx, id)
		if err != nil {
			return err
		}
		if o.state != Scheduled || o.release.After(now) {
			return nil
		}
		return s.begin(tx, o, "released", "")
	})
}
