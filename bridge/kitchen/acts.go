package kitchen

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/devices/printer"
)

// A LostRace reports an act on a ticket that somebody else had already moved on.
type LostRace struct {
	Act    string
	Ticket Ticket // as it stands
}

func (e *LostRace) Error() string {
	return fmt.Sprintf("the ticket is %s; %s does not fit it any more", e.Ticket.State, e.Act)
}

// UndoWithin is how long a bump can be undone.
const UndoWithin = 5 * time.Minute

// An act moves a ticket; false when its state does not allow it.
type act func(r *row, now time.Time, by string) bool

// Acts of people on tickets, by the last word of their path.
var acts = map[string]struct {
	event string
	do    act
}{
	"start": {"started", func(r *row, now time.Time, _ string) bool {
		if r.State != StateNew {
			return false
		}
		r.before, r.State, r.StartedAt = r.State, StateCooking, now
		return true
	}},
	"bump": {"bumped", func(r *row, now time.Time, by string) bool {
		if r.State != StateNew && r.State != StateCooking {
			return false
		}
		r.before, r.State, r.BumpedAt, r.BumpedBy, r.ChangedUnseen = r.State, StateReady, now, by, false
		return true
	}},
	"undo": {"undone", func(r *row, now time.Time, _ string) bool {
		if r.State != StateReady || r.before == "" || now.Sub(r.BumpedAt) > UndoWithin {
			return false
		}
		r.State, r.before, r.BumpedAt, r.BumpedBy = r.before, "", time.Time{}, ""
		return true
	}},
	"recall": {"recalled", func(r *row, now time.Time, _ string) bool {
		if r.State != StateReady {
			return false
		}
		r.before, r.State, r.BumpedAt, r.BumpedBy = r.State, StateCooking, time.Time{}, ""
		return true
	}},
	"seen": {"seen", func(r *row, _ time.Time, _ string) bool {
		if !r.ChangedUnseen {
			return false
		}
		r.ChangedUnseen = false
		settleLines(r)
		return true
	}},
	"fire": {"fired", func(r *row, now time.Time, _ string) bool {
		if r.State != StateHeld {
			return false
		}
		r.before, r.State, r.At = r.State, StateNew, now
		return true
	}},
	"hold": {"held", func(r *row, _ time.Time, _ string) bool {
		if r.State != StateNew {
			return false
		}
		r.before, r.State = r.State, StateHeld
		return true
	}},
}

// settleLines takes the marks of a change away: removed lines leave, the others stand as they are now.
func settleLines(r *row) {
	kept := r.Lines[:0]
	for _, l := range r.Lines {
		if l.Change == Removed && r.State != StateCancelled {
			continue
		}
		l.Change, l.Was = "", 0
		kept = append(kept, l)
	}
	r.Lines = kept
}

// Act does what somebody asked for on a ticket: start, bump, undo, recall, seen, hold or fire. The error is
// ErrUnknown, or a *LostRace with the ticket as it stands. key is the caller's Idempotency-Key, "" for none: the same
// key again changes nothing and gives the ticket.
func (k *Kitchen) Act(ctx context.Context, by access.Principal, key, name string, id journal.ID) (Ticket, error) {
	act, ok := acts[name]
	if !ok {
		return Ticket{}, fmt.Errorf("%q is no act on a ticket", name)
	}
	var ticket Ticket
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		r, err := loadTicket(tx, id)
		if err != nil {
			return err
		}
		if again, err := repeated(tx, by, key, name, id); err != nil || again {
			ticket = r.Ticket
			return err
		}
		now := tx.Now().UTC().Truncate(time.Millisecond)
		was := r.State
		if !act.do(&r, now, by.Name) {
			return &LostRace{name, r.Ticket}
		}
		if err := update(tx, &r, trail.Append(nil, now, act.event, by.Name, "")); err != nil {
			return err
		}
		ticket = r.Ticket
		if r.Kind == KindOrder && (was == StateReady) != (r.State == StateReady) {
			return k.tellReady(tx, r.Order, by.Name)
		}
		return nil
	})
	return ticket, err
}

// repeated notes the caller's Idempotency-Key and tells whether it was used for this very act before.
func repeated(tx *journal.Tx, by access.Principal, key, act string, id journal.ID) (bool, error) {
	if key == "" {
		return false, nil
	}
	_, again, err := tx.Idempotent(by.Subject(), key, digest(act, id), id.String())
	return again, err
}

const countOpen = `SELECT count(*) FROM tickets WHERE order_key = ? AND state IN ('held', 'new', 'cooking')`

// tellReady tells the order whether all its stations are ready.
func (k *Kitchen) tellReady(tx *journal.Tx, order journal.ID, by string) error {
	var open int
	if err := tx.QueryRow(countOpen, []any{order.Key()}, &open); err != nil {
		return err
	}
	return k.c.AllReady(tx, order, open == 0, by)
}

const updatePainted = `UPDATE tickets SET painted_at = ?, log = log || ? WHERE key = ? AND painted_at = 0`

// Painted records that a screen has shown the ticket; only the first counts.
func (k *Kitchen) Painted(ctx context.Context, by string, id journal.ID) error {
	at := k.c.Now()
	k.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(updatePainted, at.UnixMicro(), trail.Append(nil, at, "painted", by, ""), id.Key())
		return err
	})
	return nil
}

// Reprint prints every page of the ticket once more, under the banner.
func (k *Kitchen) Reprint(ctx context.Context, by access.Principal, key string, id journal.ID) (Ticket, error) {
	var ticket Ticket
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		r, err := loadTicket(tx, id)
		if err != nil {
			return err
		}
		ticket = r.Ticket
		if again, err := repeated(tx, by, key, "reprint", id); err != nil || again {
			return err
		}
		var jobs []newJob
		err = tx.Query(`SELECT printer, body FROM jobs WHERE ticket_key = ? AND redo = 0 AND state <> 'superseded' ORDER BY key`, []any{id.Key()}, func(scan func(...any) error) error {
			var name string
			var body []byte
			if err := scan(&name, &body); err != nil {
				return err
			}
			if q := k.queues[name]; q != nil {
				jobs = append(jobs, newJob{id: k.c.Journal.NewID(), queue: q, body: body, redo: true, reason: "asked"})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range jobs {
			if err := jobs[i].queue.insert(tx, &r.Ticket, &jobs[i]); err != nil {
				return err
			}
		}
		if err := access.Record(tx, by, "ticket_reprinted", id.String(), ""); err != nil {
			return err
		}
		return appendLog(tx, id, trail.Append(nil, tx.Now(), "reprint_asked", by.Name, ""))
	})
	return ticket, err
}

func appendLog(tx *journal.Tx, id journal.ID, log []byte) error {
	_, err := tx.Exec(`UPDATE tickets SET log = log || ? WHERE key = ?`, log, id.Key())
	return err
}

const (
	selectDroppable = `SELECT j.key, j.id, j.printer, t.id, t.key FROM jobs j JOIN tickets t ON t.key = j.ticket_key WHERE t.order_key = ? AND j.settled = 0 AND j.state IN ('queued', 'held') AND j.attempt = 0`
	updateDropped   = `UPDATE jobs SET state = 'cancelled', reason = 'order cancelled', settled = 1, log = log || ? WHERE key = ? AND settled = 0`
	countOthers     = `SELECT count(*) FROM jobs WHERE ticket_key = ? AND state <> 'cancelled'`
)

// dropJobs cancels the jobs of an order that did not begin. It tells of which tickets no paper can be out.
func (k *Kitchen) dropJobs(tx *journal.Tx, order journal.ID) (map[int64]bool, error) {
	type found struct {
		key, ticketKey int64
		id, ticket     journal.ID
		printer        string
	}
	var jobs []found
	err := tx.Query(selectDroppable, []any{order.Key()}, func(scan func(...any) error) error {
		var f found
		var id, ticket []byte
		err := scan(&f.key, &id, &f.printer, &ticket, &f.ticketKey)
		if err == nil {
			f.id, f.ticket = journal.ID(id), journal.ID(ticket)
		}
		jobs = append(jobs, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	none := map[int64]bool{}
	for _, f := range jobs {
		if err := k.dropJob(tx, f.id, f.ticket, order, f.printer); err != nil {
			return nil, err
		}
		var others int
		if err := tx.QueryRow(countOthers, []any{f.ticketKey}, &others); err != nil {
			return nil, err
		}
		none[f.ticketKey] = others == 0
	}
	return none, nil
}

func (k *Kitchen) dropJob(tx *journal.Tx, id, ticket, order journal.ID, name string) error {
	rows, err := tx.Exec(updateDropped, trail.Append(nil, tx.Now(), string(printer.Cancelled), "", ""), id.Key())
	if err != nil {
		return fmt.Errorf("cancel job %s: %w", id, err)
	}
	q := k.queues[name]
	if rows == 0 || q == nil {
		return nil
	}
	q.waiting.Add(-1)
	tx.After(func(err error) {
		if err != nil {
			q.waiting.Add(1)
		}
	})
	tx.Change("job", id.String(), q.notice(id, ticket, order, printer.Report{State: printer.Cancelled, Reason: "order cancelled"}, 0))
	return nil
}
