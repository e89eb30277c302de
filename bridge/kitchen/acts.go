package kitchen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
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
		r.before, r.State, r.BumpedAt, r.BumpedBy, r.ChangedUnseen, r.WasTable = r.State, StateReady, now, by, false, ""
		settleLines(r) // who finished it saw what it says
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
		if r.StartedAt.IsZero() {
			r.StartedAt = now
		}
		return true
	}},
	"seen": {"seen", func(r *row, _ time.Time, _ string) bool {
		if !r.ChangedUnseen && (r.AllergySeen || !r.allergic() || !r.open()) {
			return false
		}
		r.ChangedUnseen, r.AllergySeen, r.WasTable = false, r.allergic(), ""
		settleLines(r)
		if r.Kind == KindChange && len(r.Lines) == 0 && working(r.State) {
			r.before, r.State = r.State, StateServed // it only said what is wanted no more
		}
		return true
	}},
	"priority": {"prioritised", func(r *row, _ time.Time, _ string) bool {
		if r.Priority || !working(r.State) {
			return false
		}
		r.Priority = true
		return true
	}},
	"unpriority": {"unprioritised", func(r *row, _ time.Time, _ string) bool {
		if !r.Priority || !working(r.State) {
			return false
		}
		r.Priority = false
		return true
	}},
}

// settleLines takes the marks of a change away: removed lines leave, the others stand as they are now. A ticket that is
// cancelled keeps what it said.
func settleLines(r *row) {
	if r.State != StateCancelled {
		r.Lines = linesNow(r.Lines)
	}
}

// Act does what somebody asked for on a ticket: start, bump, undo, recall, seen, hold, fire, priority or unpriority. The
// error is ErrUnknown, or a *LostRace with the ticket as it stands. key is the caller's Idempotency-Key, "" for none: the
// same key again changes nothing and gives the ticket.
func (k *Kitchen) Act(ctx context.Context, by access.Principal, key, name string, id journal.ID) (Ticket, error) {
	return k.do(ctx, by, key, name, id, func(tx *journal.Tx, r *row) error {
		switch name {
		case "fire":
			if r.State != StateHeld {
				return &LostRace{name, r.Ticket}
			}
			return k.fire(tx, r, by.Name, "")
		case "hold":
			if r.State != StateNew {
				return &LostRace{name, r.Ticket}
			}
			return k.hold(tx, r, by.Name)
		}
		act, ok := acts[name]
		if !ok {
			return fmt.Errorf("%q is no act on a ticket", name)
		}
		now := tx.Now().UTC().Truncate(time.Millisecond)
		if !act.do(r, now, by.Name) {
			return &LostRace{name, r.Ticket}
		}
		return update(tx, r, trail.Append(nil, now, act.event, by.Name, ""))
	})
}

// ErrAllergyUnseen reports a tick on a ticket whose allergy nobody has seen yet.
type ErrAllergyUnseen struct{ Ticket Ticket }

func (e *ErrAllergyUnseen) Error() string {
	return "nobody has seen the allergy of this ticket yet; say Seen first"
}

// Tick marks a line as done, or as not done after all. n is the line's number on the ticket. The error is ErrUnknown, a
// *LostRace, or *ErrAllergyUnseen. A ticket with a change that nobody has seen takes no tick: the numbers of its lines are
// not those that the cook looks at.
func (k *Kitchen) Tick(ctx context.Context, by access.Principal, key string, id journal.ID, n int, done bool) (Ticket, error) {
	name, event := "tick", "ticked"
	if !done {
		name, event = "untick", "unticked"
	}
	return k.do(ctx, by, key, name+" "+strconv.Itoa(n), id, func(tx *journal.Tx, r *row) error {
		x := slices.IndexFunc(r.Lines, func(l Line) bool { return l.N == n && l.Change != Removed })
		switch {
		case x < 0:
			return fmt.Errorf("line %d: %w", n, ErrUnknown)
		case r.State != StateNew && r.State != StateCooking || r.ChangedUnseen || r.Lines[x].Ticked == done:
			return &LostRace{name, r.Ticket}
		case done && r.allergic() && !r.AllergySeen:
			return &ErrAllergyUnseen{r.Ticket}
		}
		r.Lines[x].Ticked = done
		return update(tx, r, trail.Append(nil, tx.Now(), event, by.Name, r.Lines[x].Name))
	})
}

// do lets act move a ticket, once for the caller's Idempotency-Key.
func (k *Kitchen) do(ctx context.Context, by access.Principal, key, name string, id journal.ID, act func(*journal.Tx, *row) error) (Ticket, error) {
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
		was := r.State
		if err := act(tx, &r); err != nil {
			return err
		}
		ticket = r.Ticket
		if r.parent != 0 || working(was) == working(r.State) {
			return nil
		}
		if working(was) {
			if err := k.fireNext(tx, r.Order, by.Name); err != nil {
				return err
			}
		}
		return k.tellReady(tx, r.Order, by.Name, 0)
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

// working tells whether a ticket in this state is something to cook.
func working(state string) bool {
	return state == StateHeld || state == StateNew || state == StateCooking
}

const selectProgress = `SELECT station, state FROM tickets WHERE order_key = ? AND parent = 0`

// tellReady tells the order whether all its stations are ready. fresh is how many tickets to be cooked this transaction
// will still add. A station without a screen has nobody who could say it is ready, so it keeps none of the others back.
func (k *Kitchen) tellReady(tx *journal.Tx, order journal.ID, by string, fresh int) error {
	ready, open := 0, fresh
	err := tx.Query(selectProgress, []any{order.Key()}, func(scan func(...any) error) error {
		var station, state string
		if err := scan(&station, &state); err != nil {
			return err
		}
		switch {
		case state == StateReady:
			ready++
		case working(state) && k.board.shown(station):
			open++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.c.AllReady(tx, order, open == 0 && ready > 0, by)
}

// maxPainting bounds the reports of screens that wait to be recorded.
const maxPainting = 256

const updatePainted = `UPDATE tickets SET painted_at = ?, log = log || ? WHERE key = ? AND painted_at = 0`

// Painted records that a screen has shown the ticket; only the first counts. journal.ErrBusy when too many such reports
// wait: they tell nothing that is worth a queue.
func (k *Kitchen) Painted(ctx context.Context, by string, id journal.ID) error {
	if k.painting.Add(1) > maxPainting {
		k.painting.Add(-1)
		return journal.ErrBusy
	}
	at := k.c.Now()
	var once sync.Once
	k.c.Journal.Later(func(tx *journal.Tx) error {
		once.Do(func() { k.painting.Add(-1) })
		_, err := tx.Exec(updatePainted, at, trail.Append(nil, at, "painted", by, ""), id.Key())
		return err
	})
	return nil
}

// ErrNoPaper reports a ticket that no printer prints.
var ErrNoPaper = errors.New("its station has no printer")

const selectPages = `SELECT printer, body FROM jobs WHERE ticket_key = ? AND redo = 0 AND replaces = 0 ORDER BY key`

// Reprint prints every page of the ticket once more, under the banner, where it was first meant to be printed. The error
// is ErrUnknown, ErrNoPaper, or a *LostRace for a ticket that is cancelled.
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
		if r.State == StateCancelled {
			return &LostRace{"reprint", r.Ticket}
		}
		var jobs []newJob
		err = tx.Query(selectPages, []any{id.Key()}, func(scan func(...any) error) error {
			var name string
			var body []byte
			if err := scan(&name, &body); err != nil {
				return err
			}
			q := k.Queue(name)
			if q == nil { // that printer is gone
				if q = k.printerOf(r.Station); q == nil {
					return nil
				}
				body = q.paper.render(&r.Ticket, "")
			}
			jobs = append(jobs, newJob{id: k.c.Journal.NewID(), queue: q, body: body, redo: true, reason: printer.ReasonAsked})
			return nil
		})
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return fmt.Errorf("ticket %s: %w", id, ErrNoPaper)
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
	selectDroppable  = `SELECT j.id, j.printer, t.id FROM jobs j JOIN tickets t ON t.key = j.ticket_key WHERE t.order_key = ? AND j.settled = 0 AND j.state IN ('queued', 'held') AND j.attempt = 0`
	selectTicketJobs = `SELECT j.id, j.printer, t.id FROM jobs j JOIN tickets t ON t.key = j.ticket_key WHERE t.key = ? AND j.settled = 0 AND j.state IN ('queued', 'held') AND j.attempt = 0`
	updateDropped    = `UPDATE jobs SET state = 'cancelled', reason = ?, settled = 1, log = log || ? WHERE key = ? AND settled = 0 AND state IN ('queued', 'held') AND attempt = 0`
	countBegun       = `SELECT count(*) FROM jobs WHERE ticket_key = ? AND attempt > 0`
)

// dropJobs cancels the jobs that did not begin among those that query finds for of: a ticket's, or all of its order.
func (k *Kitchen) dropJobs(tx *journal.Tx, query string, of, order journal.ID, reason string) error {
	type found struct {
		id, ticket journal.ID
		printer    string
	}
	var jobs []found
	err := tx.Query(query, []any{of.Key()}, func(scan func(...any) error) error {
		var f found
		err := scan(&f.id, &f.printer, &f.ticket)
		jobs = append(jobs, f)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range jobs {
		if err := k.dropJob(tx, f.id, f.ticket, order, f.printer, reason); err != nil {
			return err
		}
	}
	return nil
}

// begun tells whether paper of the ticket may be out.
func begun(tx *journal.Tx, ticket journal.ID) (bool, error) {
	var n int
	err := tx.QueryRow(countBegun, []any{ticket.Key()}, &n)
	return n > 0, err
}

// dropJob cancels a job that did not begin.
func (k *Kitchen) dropJob(tx *journal.Tx, id, ticket, order journal.ID, name, reason string) error {
	rows, err := tx.Exec(updateDropped, reason, trail.Append(nil, tx.Now(), string(printer.Cancelled), "", reason), id.Key())
	if err != nil {
		return fmt.Errorf("cancel job %s: %w", id, err)
	}
	if rows == 0 {
		return nil
	}
	if q := k.Queue(name); q != nil {
		q.lose(tx, id)
	}
	k.gone(tx, id, ticket, order, name, printer.Cancelled, reason)
	return nil
}
