package order

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// POS is the till system that orders are handed over to. What it is asked here happens in the order's own transaction, so
// that an order which was answered is also queued for the POS; how it comes there is the POS's matter, and it tells by
// Service.Injected.
type POS interface {
	// Put queues an order that is released, changed before the POS had it, or tried again by a person.
	Put(tx *journal.Tx, o sale.Placed) error
	// Change tells of an order that the POS may have. taken: it will bring the change to the POS; otherwise a person has to.
	Change(tx *journal.Tx, o sale.Placed) (taken bool, err error)
	// Withdraw ends what Put queued: no further attempt begins. under tells that one is under way and will be told of.
	Withdraw(tx *journal.Tx, id journal.ID) (under bool, err error)
}

// A Refusal says why an order is not handed to the POS though it should be there.
type Refusal struct {
	Cause string   // of Causes
	Names []string // what the POS does not know, as the guest reads it
}

// Causes of an order that is not in the POS, in the words that aggregators use (spec/delivery.md 5.6).
const (
	ItemMappingFailed = "ITEM_MAPPING_FAILED"            // a line or modifier has no link to the POS
	SwitchedOff       = "NO_INJECTABLE_EXTERNAL_SERVICE" // injection is switched off for its channel
	PossibleDuplicate = "POSSIBLE_DUPLICATE"             // the POS took it after somebody had typed it in
)

// States of Injection.
const (
	posQueued  = "queued"
	posFailing = "failing" // tried, and will be tried again
	posFailed  = "failed"
	posDone    = "done"
	posManual  = "manual"
)

// Handed is what became of an attempt to bring an order into the POS.
type Handed struct {
	InPOS     string // Pending: it will be tried again at NextAt; Yes; No: not without a person
	Cause     string // a word of spec/delivery.md 5.6
	Detail    string // the same for people, in the venue's language
	Attempts  int
	NextAt    time.Time
	ID        string // the POS's own id of the order
	Total     *int64 // what the POS makes of it, minor units; nil: not told
	OpenItems bool   // it went in with items that the POS does not know
}

const (
	upsertPOS = `INSERT INTO order_pos (order_key, state, cause, detail, attempts, next_at, pos_id, pos_total, open_items, stale, void_pending) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
ON CONFLICT (order_key) DO UPDATE SET state = excluded.state, cause = excluded.cause, detail = excluded.detail, attempts = excluded.attempts, next_at = excluded.next_at,
	pos_id = CASE excluded.pos_id WHEN '' THEN pos_id ELSE excluded.pos_id END, pos_total = CASE WHEN excluded.pos_total < 0 THEN pos_total ELSE excluded.pos_total END, open_items = excluded.open_items`
	updateStale = `UPDATE order_pos SET stale = 1 WHERE order_key = ?`
	updateVoid  = `INSERT INTO order_pos (order_key, state, cause, detail, attempts, next_at, pos_id, pos_total, open_items, stale, void_pending) VALUES (?, ?, '', '', 0, 0, '', -1, 0, 0, ?)
ON CONFLICT (order_key) DO UPDATE SET void_pending = excluded.void_pending`
	selectVoid   = `SELECT void_pending FROM order_pos WHERE order_key = ?`
	selectAlarms = `SELECT id, number, business_day, received_at, content, coalesce((SELECT cause FROM order_pos WHERE order_key = orders.key), '') FROM orders WHERE in_pos = 'no' AND state NOT IN ('fulfilled', 'cancelled', 'rejected')`
	updateInPOS  = `UPDATE orders SET in_pos = ?, log = log || ? WHERE key = ? AND in_pos = ?`
)

// hand gives an order that is released to the POS, unless no says why not, and tells how it stands there then. The
// built-in POS has it as soon as the journal does.
func (s *Service) hand(tx *journal.Tx, p sale.Placed, no *Refusal) (inPOS string, err error) {
	switch {
	case no != nil:
		if err := s.keepPOS(tx, p.ID, posFailed, Handed{Cause: no.Cause, Detail: strings.Join(no.Names, ", ")}); err != nil {
			return "", err
		}
		s.alarmAfter(tx, p, cmp.Or(no.Cause, ItemMappingFailed))
		return No, s.c.Kitchen.NotInPOS(tx, p, true)
	case s.c.POS == nil:
		return Yes, nil
	}
	if err := s.keepPOS(tx, p.ID, posQueued, Handed{}); err != nil {
		return "", err
	}
	return Pending, s.c.POS.Put(tx, p)
}

// handChanged brings a changed order to the POS, as far as it was released before or is by the change, and tells how it stands
// there then.
func (s *Service) handChanged(tx *journal.Tx, was stored, next sale.Placed) (inPOS string, err error) {
	switch was.inPOS {
	case NotYet, No:
		no, err := s.refusal(tx, next)
		if err != nil {
			return "", err
		}
		inPOS, err := s.hand(tx, next, no)
		if err == nil && was.inPOS == No && inPOS != No {
			s.alarmAfter(tx, next, "")
			err = s.c.Kitchen.NotInPOS(tx, next, false)
		}
		return inPOS, err
	case Manual:
		_, err = tx.Exec(updateStale, was.ID.Key())
	case Pending, Yes:
		if s.c.POS == nil {
			break
		}
		var taken bool
		if taken, err = s.c.POS.Change(tx, next); err == nil && !taken {
			_, err = tx.Exec(updateStale, was.ID.Key())
		}
	}
	return was.inPOS, err
}

// refusal asks whether the order may go to the POS.
func (s *Service) refusal(tx *journal.Tx, p sale.Placed) (*Refusal, error) {
	if s.c.Refuse == nil {
		return nil, nil
	}
	return s.c.Refuse(tx, p)
}

func (s *Service) keepPOS(tx *journal.Tx, id journal.ID, state string, h Handed) error {
	total := int64(-1)
	if h.Total != nil {
		total = *h.Total
	}
	_, err := tx.Exec(upsertPOS, id.Key(), state, h.Cause, h.Detail, h.Attempts, journal.Micros(h.NextAt), h.ID, total, h.OpenItems)
	if err != nil {
		return fmt.Errorf("record how order %s stands in the POS: %w", id, err)
	}
	return nil
}

// stand moves an order on the axis of the POS alone.
func (s *Service) stand(tx *journal.Tx, o stored, inPOS, event, by, detail string) error {
	rows, err := tx.Exec(updateInPOS, inPOS, trail.Append(nil, tx.Now(), event, by, detail), o.ID.Key(), o.inPOS)
	if err != nil {
		return fmt.Errorf("move order %s from %q to %q in the POS: %w", o.ID, o.inPOS, inPOS, err)
	}
	if rows != 1 {
		return fmt.Errorf("move order %s from %q to %q in the POS: %w", o.ID, o.inPOS, inPOS, errNoDetail)
	}
	tx.Change("order", o.ID.String(), s.notice(o.Placed, o.state, inPOS))
	if inPOS != No && o.inPOS == No {
		s.alarmAfter(tx, o.Placed, "")
		if err := s.c.Kitchen.NotInPOS(tx, o.Placed, false); err != nil {
			return err
		}
	}
	return s.follow(tx, o, o.state, inPOS, event, by, detail)
}

// Injected records, in the POS's own transaction, what became of an attempt. What a person said stands above it: an order
// that was added by hand stays so, and one that the POS has is never said to be missing again (spec/delivery.md 8, 11).
func (s *Service) Injected(tx *journal.Tx, id journal.ID, h Handed) error {
	o, err := load(tx, id)
	if err != nil {
		return err
	}
	gone := o.state == Cancelled || o.state == Rejected
	switch h.InPOS {
	case Yes:
		if o.inPOS == Manual {
			h.Cause = PossibleDuplicate
			if err := s.keepPOS(tx, id, posManual, h); err != nil {
				return err
			}
			return s.log(tx, o, "possible_duplicate", "", h.ID)
		}
		if err := s.keepPOS(tx, id, posDone, h); err != nil {
			return err
		}
		if gone {
			if err := s.void(tx, o, true); err != nil {
				return err
			}
		}
		if o.inPOS == Yes {
			return s.log(tx, o, "in_pos", "", h.ID)
		}
		return s.stand(tx, o, Yes, "in_pos", "", h.ID)
	case Pending:
		if o.inPOS == Yes || o.inPOS == Manual || gone {
			return nil
		}
		state := posFailing
		if h.Cause == "" {
			state = posQueued
		}
		if err := s.keepPOS(tx, id, state, h); err != nil {
			return err
		}
		return s.log(tx, o, "pos_attempt_failed", "", strings.TrimSpace(h.Cause+" "+h.Detail))
	case No:
		switch {
		case o.inPOS == Yes || o.inPOS == Manual:
			return nil
		case gone:
			if err := s.keepPOS(tx, id, posFailed, h); err != nil || o.inPOS == NotYet {
				return err
			}
			return s.stand(tx, o, NotYet, "not_in_pos", "", h.Cause) // it never came there
		}
		if err := s.keepPOS(tx, id, posFailed, h); err != nil {
			return err
		}
		if o.inPOS == No {
			return s.log(tx, o, "not_in_pos", "", strings.TrimSpace(h.Cause+" "+h.Detail))
		}
		if err := s.stand(tx, o, No, "not_in_pos", "", strings.TrimSpace(h.Cause+" "+h.Detail)); err != nil {
			return err
		}
		s.alarmAfter(tx, o.Placed, h.Cause)
		return s.c.Kitchen.NotInPOS(tx, o.Placed, true)
	}
	return fmt.Errorf("order %s cannot stand in the POS as %q", id, h.InPOS)
}

// Injection tells within the caller's transaction why an order is not in the POS, and how it went in.
func (s *Service) Injection(tx *journal.Tx, id journal.ID) (in Injection, err error) {
	const selectPOS = `SELECT state, cause, detail, attempts, pos_id, open_items, stale FROM order_pos WHERE order_key = ?`
	err = tx.QueryRow(selectPOS, []any{id.Key()}, &in.State, &in.Cause, &in.Detail, &in.Attempts, &in.POSID, &in.OpenItems, &in.Stale)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return in, err
}

const appendLog = `UPDATE orders SET log = log || ? WHERE key = ?`

// log adds a step to the time line that moves nothing, and tells the feed that there is news.
func (s *Service) log(tx *journal.Tx, o stored, event, by, detail string) error {
	if _, err := tx.Exec(appendLog, trail.Append(nil, tx.Now(), event, by, detail), o.ID.Key()); err != nil {
		return fmt.Errorf("note %s of order %s: %w", event, o.ID, err)
	}
	tx.Change("order", o.ID.String(), s.notice(o.Placed, o.state, o.inPOS))
	return nil
}

// void notes whether somebody has to void the order in the POS.
func (s *Service) void(tx *journal.Tx, o stored, pending bool) error {
	state := posDone
	if o.inPOS == Manual {
		state = posManual
	}
	if _, err := tx.Exec(updateVoid, o.ID.Key(), state, pending); err != nil {
		return fmt.Errorf("note that order %s is to be voided: %w", o.ID, err)
	}
	return nil
}

// leave ends what the POS was to do with an order that is wanted no more, and tells how it stands there then. What the
// POS has, or somebody typed into one, is voided by a person; the built-in POS drops it by itself.
func (s *Service) leave(tx *journal.Tx, o stored) (inPOS string, err error) {
	switch o.inPOS {
	case Manual:
		return Manual, s.void(tx, o, true)
	case Yes:
		if s.c.POS == nil {
			return Yes, nil
		}
		return Yes, s.void(tx, o, true)
	case Pending, No:
		if s.c.POS != nil {
			under, err := s.c.POS.Withdraw(tx, o.ID)
			if err != nil {
				return "", err
			}
			if under {
				return o.inPOS, nil // Injected tells how that ends
			}
		}
		if o.inPOS == No {
			s.alarmAfter(tx, o.Placed, "")
		}
		return NotYet, nil
	}
	return o.inPOS, nil
}

// Retry hands an order that is not in the POS over once more. The errors are those of Cancel.
func (s *Service) Retry(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
	return s.do(ctx, by, key, "retry", id, func(tx *journal.Tx, o stored) error {
		switch {
		case o.inPOS == Yes || o.inPOS == Manual:
			return fmt.Errorf("%w: the POS has it", ErrTooLate)
		case o.inPOS == NotYet || final(o.state):
			return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
		}
		if err := access.Record(tx, by, "order_retried", id.String(), ""); err != nil {
			return err
		}
		no, err := s.refusal(tx, o.Placed)
		if err != nil {
			return err
		}
		if no != nil {
			if err := s.keepPOS(tx, id, posFailed, Handed{Cause: no.Cause, Detail: strings.Join(no.Names, ", ")}); err != nil {
				return err
			}
			return s.log(tx, o, "retried", by.Name, no.Cause+" "+strings.Join(no.Names, ", "))
		}
		inPOS, err := s.hand(tx, o.Placed, nil)
		if err != nil {
			return err
		}
		if inPOS == o.inPOS {
			return s.log(tx, o, "retried", by.Name, "")
		}
		return s.stand(tx, o, inPOS, "retried", by.Name, "")
	})
}

// AddedManually records that a person typed the order into the POS. From then on nothing brings it there again.
func (s *Service) AddedManually(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
	return s.do(ctx, by, key, "added-manually", id, func(tx *journal.Tx, o stored) error {
		switch {
		case o.inPOS == Manual:
			return nil
		case o.inPOS == Yes:
			return fmt.Errorf("%w: the POS has it already; look for it there before typing it in", ErrTooLate)
		case o.inPOS == NotYet || o.state == Cancelled || o.state == Rejected:
			return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
		}
		if s.c.POS != nil {
			if _, err := s.c.POS.Withdraw(tx, id); err != nil {
				return err
			}
		}
		if err := s.keepPOS(tx, id, posManual, Handed{}); err != nil {
			return err
		}
		if err := access.Record(tx, by, "order_added_manually", id.String(), ""); err != nil {
			return err
		}
		return s.stand(tx, o, Manual, "added_manually", by.Name, "")
	})
}

// VoidDone records that a cancelled order was voided in the POS. Doing so twice is the same again.
func (s *Service) VoidDone(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
	return s.do(ctx, by, key, "void-done", id, func(tx *journal.Tx, o stored) error {
		pending := false
		err := tx.QueryRow(selectVoid, []any{id.Key()}, &pending)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		switch {
		case o.state != Cancelled:
			return fmt.Errorf("%w: it is %s, and only a cancelled order is voided", ErrTooLate, o.state)
		case !pending:
			return nil
		}
		if err := s.void(tx, o, false); err != nil {
			return err
		}
		if err := access.Record(tx, by, "order_voided", id.String(), ""); err != nil {
			return err
		}
		if err := s.log(tx, o, "voided", by.Name, ""); err != nil {
			return err
		}
		return s.follow(tx, o, o.state, o.inPOS, "voided", by.Name, "")
	})
}

// alarmAfter tells, once the commit holds, that an order is missing in the POS; "" that it is missing no more.
func (s *Service) alarmAfter(tx *journal.Tx, p sale.Placed, cause string) {
	if s.c.Alarm == nil {
		return
	}
	tx.After(func(err error) {
		if err == nil {
			s.c.Alarm(p, cause)
		}
	})
}

// alarmAll tells of every order that was missing in the POS when the box went down.
func (s *Service) alarmAll(ctx context.Context) error {
	if s.c.Alarm == nil {
		return nil
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectAlarms)
	if err != nil {
		return fmt.Errorf("read what is missing in the POS: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p := sale.Placed{Order: new(sale.Order)}
		var received int64
		var content []byte
		var cause string
		if err := rows.Scan(&p.ID, &p.Number, &p.Day, &received, &content, &cause); err != nil {
			return fmt.Errorf("read what is missing in the POS: %w", err)
		}
		if err := json.Unmarshal(content, p.Order); err != nil {
			return fmt.Errorf("%w: order %s: %v", errCorrupt, p.ID, err)
		}
		p.Received = time.UnixMicro(received).UTC()
		s.c.Alarm(p, cause)
	}
	return rows.Err()
}
