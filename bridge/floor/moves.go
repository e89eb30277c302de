package floor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Move sets an open check to other tables. A table on which another check is open refuses it: two parties at one table are
// two checks that somebody opened there on purpose, or one that is merged.
func (s *Service) Move(ctx context.Context, by access.Principal, key string, id journal.ID, tables []string) (Check, error) {
	return s.act(ctx, by, key, "move", id, tables, func(tx *journal.Tx, c *Check) error {
		return s.move(tx, c, by.Name, tables)
	})
}

// MoveIn is Move within a transaction of somebody else's.
func (s *Service) MoveIn(tx *journal.Tx, id journal.ID, by string, tables []string) error {
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	return s.move(tx, c, by, tables)
}

func (s *Service) move(tx *journal.Tx, c *Check, by string, tables []string) error {
	if err := c.works(); err != nil {
		return err
	}
	if slices.Equal(c.Tables, tables) {
		return nil
	}
	for _, t := range tables {
		others, err := s.On(tx, t)
		if err != nil {
			return err
		}
		for _, other := range others {
			if other.ID != c.ID && !slices.Contains(c.Tables, t) {
				return fmt.Errorf("%w: check %d stands on %q; close, move or merge it", ErrTable, other.Number, t)
			}
		}
	}
	before := c.Tables
	c.Tables = slices.Clone(tables)
	if err := stand(tx, c); err != nil {
		return err
	}
	return s.store(tx, c, Step{Kind: Moved, By: by, Before: before}, map[string][]string{"from": before, "to": tables})
}

// Merge puts lines and payments of one open check on another, and ends the first.
func (s *Service) Merge(ctx context.Context, by access.Principal, key string, id, into journal.ID) (Check, error) {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, again, err := repeated(tx, by, key, "merge "+id.String(), into, into); err != nil || again {
			return err
		}
		if id == into {
			return ErrSame
		}
		from, err := load(tx, id)
		if err != nil {
			return err
		}
		to, err := load(tx, into)
		if err != nil {
			return fmt.Errorf("into: %w", err)
		}
		for _, c := range []*Check{from, to} {
			if err := c.works(); err != nil {
				return fmt.Errorf("check %d: %w", c.Number, err)
			}
			if c.byRoom() {
				return fmt.Errorf("check %d: %w", c.Number, ErrRoom)
			}
		}
		if len(to.Lines)+len(from.Lines) > maxLines || len(to.Payments)+len(from.Payments) > maxPayments {
			return fmt.Errorf("%w: check %d", ErrFull, to.Number)
		}
		n := to.next()
		for i := range from.Lines {
			l := from.Lines[i]
			l.N = n + i
			to.Lines = append(to.Lines, l)
		}
		if err := follows(tx, to, from.Lines); err != nil {
			return err
		}
		to.Payments = append(to.Payments, from.Payments...)
		to.Covers = min(to.Covers+from.Covers, maxCovers)
		for _, t := range from.Tables {
			if !slices.Contains(to.Tables, t) && len(to.Tables) < maxTables {
				to.Tables = append(to.Tables, t)
			}
		}
		from.State, from.ClosedAt, from.MergedInto = Merged, tx.Now(), to.ID.String()
		from.Lines, from.Payments = []Sold{}, []Payment{}
		if err := errors.Join(stand(tx, from), stand(tx, to)); err != nil {
			return err
		}
		// The one that goes on is told first: whoever follows a party always finds a check of it.
		if err := s.store(tx, to, Step{Kind: TookOver, By: by.Name, Other: from.ID}, map[string]int64{"from": from.Number}); err != nil {
			return err
		}
		return s.store(tx, from, Step{Kind: MergedInto, By: by.Name, Other: to.ID}, map[string]int64{"into": to.Number})
	})
	if err != nil {
		return Check{}, err
	}
	return s.Get(ctx, into)
}

// Split moves some lines of an open check to a new one on the same tables, and gives that.
func (s *Service) Split(ctx context.Context, by access.Principal, key string, id journal.ID, lines []int) (c Check, known bool, err error) {
	fresh := s.c.Journal.NewID()
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		if fresh, known, err = repeated(tx, by, key, "split "+id.String(), lines, fresh); err != nil || known {
			return err
		}
		from, err := load(tx, id)
		if err != nil {
			return err
		}
		if err := from.works(); err != nil {
			return err
		}
		if from.byRoom() {
			return ErrRoom
		}
		to := &Check{ID: fresh, Number: s.next(), BusinessDay: s.c.Calendar.Day(tx.Now()), State: Open, Version: 1, OpenedAt: tx.Now()}
		to.content = from.content
		to.Tables = slices.Clone(from.Tables)
		to.Covers, to.BilledAt, to.Table, to.SplitFrom = 0, time.Time{}, "", from.ID.String()
		to.Lines, to.Payments = []Sold{}, []Payment{}
		for _, n := range lines {
			at := slices.IndexFunc(from.Lines, func(l Sold) bool { return l.N == n && !l.Voided })
			if at < 0 {
				return fmt.Errorf("%w: %d", ErrLine, n)
			}
			l := from.Lines[at]
			l.N = len(to.Lines)
			to.Lines = append(to.Lines, l)
			from.Lines = slices.Delete(from.Lines, at, at+1)
		}
		if from.reckon(); from.Total < from.claimed() {
			return ErrClaimed
		}
		if err := follows(tx, to, to.Lines); err != nil {
			return err
		}
		if err := s.store(tx, from, Step{Kind: Split, By: by.Name, Other: to.ID}, map[string]any{"lines": lines, "check": to.Number}); err != nil {
			return err
		}
		return s.insert(tx, to, Step{Kind: SplitOff, By: by.Name, Other: from.ID}, map[string]int64{"from": from.Number})
	})
	if err != nil {
		return Check{}, false, err
	}
	c, err = s.Get(ctx, fresh)
	return c, known, err
}

// takeOff marks lines as taken off and gives those that were not yet, in the order of their numbers as given.
func (c *Check) takeOff(numbers []int) (gone []Sold, err error) {
	for _, n := range numbers {
		at := slices.IndexFunc(c.Lines, func(l Sold) bool { return l.N == n })
		if at < 0 {
			return nil, fmt.Errorf("%w: %d", ErrLine, n)
		}
		if !c.Lines[at].Voided {
			c.Lines[at].Voided = true
			gone = append(gone, c.Lines[at])
		}
	}
	return gone, nil
}

// Void takes lines off an open check; they stay on it, marked.
func (s *Service) Void(ctx context.Context, by access.Principal, key string, id journal.ID, lines []int) (Check, error) {
	return s.act(ctx, by, key, "void", id, lines, func(tx *journal.Tx, c *Check) error {
		if err := c.works(); err != nil {
			return err
		}
		gone, err := c.takeOff(lines)
		if err != nil {
			return err
		}
		if c.reckon(); c.Total < c.claimed() {
			return ErrClaimed
		}
		if len(gone) == 0 {
			return nil
		}
		return s.store(tx, c, Step{Kind: LineVoided, By: by.Name, Lines: gone}, lines)
	})
}

// Covers says how many people the check is for.
func (s *Service) Covers(ctx context.Context, by access.Principal, key string, id journal.ID, covers int) (Check, error) {
	return s.act(ctx, by, key, "covers", id, covers, func(tx *journal.Tx, c *Check) error {
		return s.covers(tx, c, by.Name, covers, "", "")
	})
}

// PartyIn changes covers, guest and notes of an open check in a transaction of somebody else's; what is zero stays.
func (s *Service) PartyIn(tx *journal.Tx, id journal.ID, by string, covers int, guest, notes string) error {
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	if covers == 0 {
		covers = c.Covers
	}
	return s.covers(tx, c, by, covers, guest, notes)
}

func (s *Service) covers(tx *journal.Tx, c *Check, by string, covers int, guest, notes string) error {
	if err := c.works(); err != nil {
		return err
	}
	if c.Covers == covers && (guest == "" || guest == c.Guest) && (notes == "" || notes == c.Notes) {
		return nil
	}
	c.Covers = covers
	if guest != "" {
		c.Guest = guest
	}
	if notes != "" {
		c.Notes = notes
	}
	return s.store(tx, c, Step{Kind: CoversChanged, By: by}, map[string]int{"covers": covers})
}

// LinkIn notes whose party a check is of, "" for nobody's, in a transaction of somebody else's.
func (s *Service) LinkIn(tx *journal.Tx, id journal.ID, by, reservation, guest string) error {
	c, err := load(tx, id)
	if err != nil {
		return err
	}
	if c.Reservation == reservation {
		return nil
	}
	c.Reservation, c.Guest = reservation, guest
	return s.store(tx, c, Step{Kind: Linked, By: by}, map[string]string{"reservation": reservation})
}

// Table says what staff did at the table itself: TableCleared, TableBussing or TableFree. A closed check takes it too, since
// that is when tables are freed.
func (s *Service) Table(ctx context.Context, by access.Principal, key string, id journal.ID, what string) (Check, error) {
	return s.act(ctx, by, key, "table", id, what, func(tx *journal.Tx, c *Check) error {
		if c.State != Open && c.State != Closed {
			return c.works()
		}
		if c.Table == what {
			return nil
		}
		c.Table = what
		return s.store(tx, c, Step{Kind: what, By: by.Name}, nil)
	})
}

// Cancel ends an open check that has neither lines nor payments: one that was opened by mistake.
func (s *Service) Cancel(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "cancel", id, nil, func(tx *journal.Tx, c *Check) error {
		if c.State == Cancelled {
			return nil
		}
		if err := c.works(); err != nil {
			return err
		}
		if !c.Empty() {
			return ErrUsed
		}
		c.State, c.ClosedAt = Cancelled, tx.Now()
		if err := stand(tx, c); err != nil {
			return err
		}
		return s.store(tx, c, Step{Kind: CheckCancelled, By: by.Name}, nil)
	})
}

// Empty tells that nothing counts on the check.
func (c *Check) Empty() bool {
	return !slices.ContainsFunc(c.Lines, func(l Sold) bool { return !l.Voided }) && !slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.State != Voided })
}
