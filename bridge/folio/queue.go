package folio

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/bridge/warning"
)

const (
	selectLeft   = `SELECT ` + postingColumns + ` FROM postings WHERE watch > 0 AND state IN ('queued', 'inquiring', 'sending') AND key <= ? ORDER BY key LIMIT 200`
	selectDue    = `SELECT ` + postingColumns + ` FROM postings WHERE watch > 0 AND state = 'queued' AND queue = 1 AND next_at <= ? ORDER BY key LIMIT 1`
	selectNext   = `SELECT min(next_at) FROM postings WHERE watch > 0 AND state = 'queued' AND queue = 1`
	countUnknown = `SELECT count(*) FROM postings WHERE watch > 0 AND state = 'unknown'`
)

// revive sees to what a former run left open, once: what was being sent is unknown, what somebody waited for and nothing
// was sent of is refused, and what may wait goes back into the queue.
func (s *Service) revive(ctx context.Context) error {
	if s.revived {
		return nil
	}
	for {
		n := 0
		err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			var left []*posting
			err := tx.Query(selectLeft, []any{s.floor}, func(scan func(...any) error) error {
				p, err := scanPosting(scan)
				if err != nil {
					return err
				}
				if p.State != Queued || !p.Queue {
					left = append(left, p)
				}
				return nil
			})
			if err != nil {
				return err
			}
			n = len(left)
			for _, p := range left {
				if err := s.reviveOne(tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("see to postings of the former run: %w", err)
		}
		if n == 0 {
			s.revived = true
			return nil
		}
	}
}

func (s *Service) reviveOne(tx *journal.Tx, p *posting) error {
	const why = "the box was restarted"
	now := tx.Now()
	if p.State != Sending && p.Queue {
		p.State = Queued
		_, err := tx.Exec(updateQueued, p.NextAt, p.Answer, p.AnswerText, trail.Append(nil, now, Queued, "", why), p.ID.Key(), Inquiring)
		s.tell(tx, p)
		return err
	}
	before := p.State
	p.State, p.Reason, p.SettledAt = Refused, LinkDown, now
	if before == Sending {
		p.State, p.Reason = Unknown, ""
		s.countUnknown(tx, 1)
	}
	if _, err := tx.Exec(updateSettled, p.State, p.Reason, p.State == Unknown, p.Answer, p.AnswerText, now, trail.Append(nil, now, p.State, "", why), p.ID.Key(), before); err != nil {
		return err
	}
	s.tell(tx, p)
	return s.ended(tx, p)
}

// drain brings what waits to the hotel, the oldest first, one at a time, while the link is well.
func (s *Service) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		again := time.Duration(-1)
		if s.gate() == "" {
			p, err := s.due(ctx)
			if err != nil {
				return err
			}
			if p != nil {
				if p.Method == "" {
					key := p.ID.Key()
					s.c.Journal.Later(func(tx *journal.Tx) error {
						_, err := tx.Exec(updateLooking, key)
						return err
					})
					p.State = Inquiring
				}
				s.carry(ctx, p)
				continue
			}
			if again, err = s.nextDue(ctx); err != nil {
				return err
			}
		}
		var timer <-chan time.Time
		if again >= 0 {
			t := time.NewTimer(max(again, time.Millisecond))
			defer t.Stop()
			timer = t.C
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer:
		}
	}
	return nil
}

// due is the oldest posting whose time has come, nil for none.
func (s *Service) due(ctx context.Context) (*posting, error) {
	p, err := scanPosting(s.c.Journal.Read().QueryRowContext(ctx, selectDue, journal.Micros(s.c.Now())).Scan)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, sql.ErrNoRows) || ctx.Err() != nil:
		return nil, nil
	}
	return nil, fmt.Errorf("read the queue of postings: %w", err)
}

// nextDue is how long the queue can be left alone; negative: until something is put in.
func (s *Service) nextDue(ctx context.Context) (time.Duration, error) {
	var next sql.NullInt64
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectNext).Scan(&next); err != nil {
		if ctx.Err() != nil {
			return -1, nil
		}
		return 0, fmt.Errorf("read the queue of postings: %w", err)
	}
	if !next.Valid {
		return -1, nil
	}
	return max(0, journal.FromMicros(next.Int64).Sub(s.c.Now())), nil
}

const selectByNumber = `SELECT ` + postingColumns + ` FROM postings WHERE watch > 0 AND number = ? ORDER BY key DESC LIMIT 1`

// Late takes an answer that nobody waits for any more. It ends the posting of that number if its outcome is unknown, and
// speaks up when it contradicts what a manager decided.
func (s *Service) Late(number int64, a Answer) {
	if a.Status == "" {
		return
	}
	s.c.Journal.Later(func(tx *journal.Tx) error { return s.late(tx, number, a) })
}

func (s *Service) late(tx *journal.Tx, number int64, a Answer) error {
	p, err := byNumber(tx, number)
	if err != nil || p == nil {
		return err
	}
	v := judge(a.Status)
	switch {
	case p.State == Unknown || p.State == Sending:
		reason := ""
		if v.state == Refused {
			reason = reasonOf(a.Status)
		}
		_, err := s.end(tx, p, v.state, reason, a, Resolution{By: "late_answer", At: tx.Now(), Note: strings.TrimSpace(a.Status + " " + a.Text)}, "")
		return err
	case p.Resolution != nil && p.State != v.state && p.Resolution.By != "late_answer":
		id := p.ID.String()
		tx.After(func(err error) {
			if err == nil {
				s.raise("pms_contradiction", warning.Critical, id, p.Room, p.Check, p.State, a.Status)
			}
		})
		return tx.Audit("", "", "pms_contradiction", id, "the hotel answered late: "+a.Status+" "+a.Text)
	}
	return nil
}

// byNumber is the latest posting sent under a number, nil for none.
func byNumber(tx *journal.Tx, number int64) (p *posting, err error) {
	err = tx.Query(selectByNumber, []any{number}, func(scan func(...any) error) (err error) {
		p, err = scanPosting(scan)
		return err
	})
	return p, err
}

// answeredIn is how long an acknowledgement may wait for the disk (spec/fias.md 1.4 gives it three seconds).
const answeredIn = 2 * time.Second

// Answered puts an answer on disk before its line acknowledges it. An answer after which the posting is tried again books
// nothing, and can be lost.
func (s *Service) Answered(number int64, a Answer) {
	v := judge(a.Status)
	if a.Status == "" || v.again {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), answeredIn)
	defer stop()
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		p, err := byNumber(tx, number)
		if err != nil || p == nil || p.State != Sending {
			return err
		}
		return s.close(tx, p, v.state, a, strings.TrimSpace(a.Status+" "+a.Text))
	})
	if err != nil {
		s.c.Log.Error("answer of the hotel not recorded before its acknowledgement", "number", number, "err", err)
	}
}

// end is how an unknown posting is ended from outside. It tells whether the posting still was one.
func (s *Service) end(tx *journal.Tx, p *posting, state, reason string, a Answer, r Resolution, by string) (bool, error) {
	watch := 0
	if by != "" {
		watch = 2 // the hotel may say otherwise yet
	}
	rows, err := tx.Exec(updateEnded, state, reason, a.Status, a.Status, a.Text, a.Text, tx.Now(), encode(r), watch, trail.Append(nil, tx.Now(), state, by, r.Note), p.ID.Key())
	if err != nil || rows != 1 {
		return false, err
	}
	was := p.State
	p.State, p.Reason, p.SettledAt, p.Resolution = state, reason, tx.Now(), &r
	if a.Status != "" {
		p.Answer, p.AnswerText = a.Status, a.Text
	}
	if was == Unknown {
		s.countUnknown(tx, -1)
	}
	s.tell(tx, p)
	return true, s.ended(tx, p)
}

// countUnknown changes the number of unknown postings once the change is on disk.
func (s *Service) countUnknown(tx *journal.Tx, by int) {
	tx.After(func(err error) {
		if err == nil {
			s.noticeUnknown(by)
		}
	})
}

// noticeUnknown keeps the warning of unknown postings.
func (s *Service) noticeUnknown(by int) {
	s.mu.Lock()
	s.unknown += by
	n := s.unknown
	s.mu.Unlock()
	if n > 0 {
		s.raise("pms_postings_unknown", warning.Critical, "pms", n)
	} else {
		s.lower("pms_postings_unknown", "pms")
	}
}
