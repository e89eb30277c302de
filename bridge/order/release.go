package order

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
)

// lookEvery is how often the clock is read though nothing is due: a clock that was set wrong, or jumps, is noticed
// within it.
const lookEvery = time.Second

// Run releases scheduled orders when their time has come, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.due:
		case <-timer.C:
		}
		next, err := s.Release(ctx)
		if err != nil {
			return err
		}
		wait := lookEvery
		if !next.IsZero() {
			wait = min(wait, max(0, next.Sub(s.c.Now())))
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
	selectDue  = `SELECT id FROM orders WHERE state = 'scheduled' AND release_at <= ? ORDER BY release_at LIMIT 100`
	selectNext = `SELECT coalesce(min(release_at), 0) FROM orders WHERE state = 'scheduled'`
)

// Release hands every scheduled order that is due to the kitchen, each once, and tells when the next one is; zero
// when none is waiting.
func (s *Service) Release(ctx context.Context) (next time.Time, err error) {
	for {
		due, err := s.dueNow(ctx)
		if err != nil {
			return next, err
		}
		for _, id := range due {
			if err := s.releaseOne(ctx, id); err != nil {
				return next, fmt.Errorf("release order %s: %w", id, err)
			}
		}
		if len(due) == 0 {
			break
		}
	}
	var us int64
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectNext).Scan(&us); err != nil {
		return next, fmt.Errorf("read the next release: %w", err)
	}
	return fromMicros(us), nil
}

func (s *Service) dueNow(ctx context.Context) ([]journal.ID, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectDue, s.c.Now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	defer rows.Close()
	var due []journal.ID
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		due = append(due, journal.ID(raw))
	}
	return due, rows.Err()
}

// releaseOne looks at the order again inside the transaction: one that was changed or cancelled meanwhile stays.
func (s *Service) releaseOne(ctx context.Context, id journal.ID) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		o, err := load(tx, id)
		if err != nil {
			return err
		}
		if o.state != Scheduled || s.release(o.Order).After(s.c.Now()) {
			return nil
		}
		if err := s.c.Kitchen.Plan(o.Placed).Write(tx); err != nil {
			return err
		}
		return s.move(tx, o, Accepted, Yes, "released", "", "")
	})
}
