package kitchen

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/devices/printer"
)

// lookEvery is how often printers that take no work are looked at.
const lookEvery = 250 * time.Millisecond

// Run moves the jobs of printers that take no work to their fallback, has silent screens stood in for, looks for tickets
// that nobody has seen, fires held tickets when their time has come, and archives what was left open when the business day
// ends, until ctx ends.
func (k *Kitchen) Run(ctx context.Context) error {
	if err := k.adopt(ctx); err != nil {
		return err
	}
	began := k.began
	err := k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec(closeOutages, tx.Now(), began)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the outages of a former process: %w", err)
	}
	tick, look := time.NewTicker(lookEvery), time.NewTicker(lookUnseen)
	defer tick.Stop()
	defer look.Stop()
	day, again := "", time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.lookAtQueues()
			if err := k.look(ctx, &day, &again); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		case <-look.C:
			k.board.StandIn(k.c.OnScreen)
			if err := k.LookForUnseen(ctx); err != nil {
				return err
			}
		}
	}
}

// lookAtQueues tells of queues that grew above their threshold, and of those that are down to half of it again.
func (k *Kitchen) lookAtQueues() {
	for name, q := range k.roster().queues {
		jobs, _, _ := q.Waiting()
		limit := q.queueWarn()
		if long := q.long.Load(); !long && jobs > limit || long && jobs <= limit/2 {
			q.long.Store(!long)
			k.c.QueueLong(name, !long, jobs)
		}
	}
}

func (q *Queue) queueWarn() int { return cmp.Or(q.c.QueueWarn, DefaultQueueWarn) }

// look does what time brings: day is the business day it last closed, again when to look for what was left open once
// more.
func (k *Kitchen) look(ctx context.Context, day *string, again *time.Time) error {
	if err := k.Reroute(ctx); err != nil {
		return err
	}
	if err := k.FireDue(ctx); err != nil {
		return err
	}
	now := k.c.Now()
	today := k.c.Day(now)
	if today == *day && (again.IsZero() || now.Before(*again)) {
		return nil
	}
	wait, err := k.CloseDay(ctx)
	if err != nil {
		return err
	}
	if *day, *again = today, (time.Time{}); wait > 0 {
		*again = now.Add(wait)
	}
	return nil
}

// Reroute gives every job that its printer could not take for FallbackAfter to the fallback printer, headed by the
// station it is for. One whose paper may already be out goes under the banner as well.
func (k *Kitchen) Reroute(ctx context.Context) error {
	for _, q := range k.roster().queues {
		_, held, _ := q.Waiting()
		if q.c.Fallback == "" || held.IsZero() || k.c.Now().Sub(held) < q.c.FallbackAfter {
			continue
		}
		to := k.Queue(q.c.Fallback)
		if _, alsoHeld, _ := to.Waiting(); !alsoHeld.IsZero() {
			continue // no better there: the job stays where it belongs
		}
		if err := q.rerouteTo(ctx, to); err != nil {
			return fmt.Errorf("move the queue of printer %s to %s: %w", q.c.Name, to.c.Name, err)
		}
	}
	return nil
}

// A job moves when it was held for long, or when nobody knows what became of it. One that a former process left in the
// middle is unknown too, though nobody could say so yet. A fault in the middle while the link lives is not among these:
// the printer finishes by itself. Bills and receipts wait for a person.
const (
	selectMovable = `SELECT j.id, j.state, j.attempt, j.redo, j.kind, j.label, j.paper, t.content FROM jobs j JOIN tickets t ON t.key = j.ticket_key
WHERE j.printer = ? AND j.settled = 0 AND (j.held_at > 0 AND j.held_at <= ? AND j.state IN ('queued', 'held', 'unknown', 'cleared')
OR j.held_at = 0 AND j.state IN ('sending', 'sent', 'waiting', 'unknown', 'cleared')) ORDER BY j.key LIMIT 50`
	updateMoved = `UPDATE jobs SET state = 'superseded', reason = ?, settled = 1, log = log || ? WHERE key = ? AND settled = 0 AND state = ?`
)

// moving is a job on its way to another printer.
type moving struct {
	id      journal.ID
	state   string
	attempt int
	redo    bool
	kind    string
	label   string
	paper   int64
	ticket  Ticket
}

func scanMoving(scan func(...any) error) (m moving, err error) {
	var content []byte
	if err := scan(&m.id, &m.state, &m.attempt, &m.redo, &m.kind, &m.label, &m.paper, &content); err != nil {
		return m, err
	}
	if len(content) == 0 {
		return m, nil
	}
	return m, unmarshal(content, &m.ticket)
}

func (q *Queue) rerouteTo(ctx context.Context, to *Queue) error {
	due := q.k.c.Now().Add(-q.c.FallbackAfter)
	var some bool
	err := queryAll(ctx, q.k.c.Journal.Read(), selectMovable, []any{q.c.Name, due.UnixMicro()}, func(scan func(...any) error) error {
		m, err := scanMoving(scan)
		some = some || q.movable(&m)
		return err
	})
	if err != nil || !some {
		return err
	}
	return q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := q.moveAll(tx, to, selectMovable, q.c.Name, due.UnixMicro())
		return err
	})
}

// moveAll moves the jobs that query selects, as far as they may leave.
func (q *Queue) moveAll(tx *journal.Tx, to *Queue, query string, args ...any) (moved int, err error) {
	var jobs []moving
	err = tx.Query(query, args, func(scan func(...any) error) error {
		m, err := scanMoving(scan)
		jobs = append(jobs, m)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range jobs {
		m := &jobs[i]
		if !q.movable(m) {
			continue
		}
		ok, err := q.k.move(tx, m, q.c.Name, to, q.c.Name)
		if err != nil {
			return moved, err
		}
		if ok {
			q.lose(tx, m.id)
			moved++
		}
	}
	return moved, nil
}

// movable tells whether the job may leave: what the driver has in hand only when it cannot begin it, its outcome is
// unknown, or the printer threw it away. The driver then hears printer.ErrGone before it begins anew.
func (q *Queue) movable(m *moving) bool {
	switch printer.State(m.state) {
	case printer.Sending, printer.Sent, printer.Waiting:
		return reprints(m.kind) && !q.has(m.id)
	case printer.Unknown, printer.Cleared:
		return reprints(m.kind)
	}
	return true
}

// lose takes a job from the queue that this transaction ends or gives to another. The driver may have it in hand.
func (q *Queue) lose(tx *journal.Tx, id journal.ID) {
	if !q.has(id) {
		q.countIf(tx, -1)
		return
	}
	tx.After(func(err error) {
		if err == nil {
			q.letGo(id)
		}
	})
}

func (q *Queue) has(id journal.ID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, has := q.taken[printer.JobID(id)]
	return has
}

// move ends a job of one printer and queues its ticket on another; false when the job is not there any more. instead is
// the printer it stands in for, "" for none. If paper may be out already, the banner stands on it as well.
func (k *Kitchen) move(tx *journal.Tx, m *moving, from string, to *Queue, instead string) (bool, error) {
	reason := "moved to " + to.c.Name
	rows, err := tx.Exec(updateMoved, reason, trail.Append(nil, tx.Now(), string(printer.Superseded), "", reason), m.id.Key(), m.state)
	if err != nil {
		return false, fmt.Errorf("move job %s: %w", m.id, err)
	}
	if rows == 0 {
		return false, nil
	}
	k.gone(tx, m.id, m.ticket.ID, m.ticket.Order, from, printer.Superseded, reason)
	t := m.ticket
	if t.Kind == KindOrder && t.ChangedUnseen {
		// Paper tells the change by a ticket of its own, which follows; this one says what was ordered before.
		t.Lines = linesBefore(t.Lines)
	}
	j := newJob{id: k.c.Journal.NewID(), queue: to, replaces: m.id.Key(), redo: m.redo || m.attempt > 0, kind: m.kind, label: m.label, paper: m.paper, buzz: to.c.Buzz}
	switch {
	case m.paper != 0 && k.c.Papers != nil:
		if j.body, err = k.c.Papers.Render(tx, m.paper, to.c.Name, false); err != nil {
			return false, err
		}
		j.redo, j.buzz = false, 0
	default:
		j.body = to.paper.render(&t, instead)
	}
	if j.redo {
		j.reason = "unknown"
	}
	return true, to.insert(tx, &m.ticket, &j)
}

// gone tells feed and metrics of a job that ended without its printer.
func (k *Kitchen) gone(tx *journal.Tx, id, ticket, order journal.ID, from string, how printer.State, reason string) {
	tx.Change("job", id.String(), encode(jobNotice{ID: id, Ticket: ticket, Order: order, Printer: from, State: how, Reason: reason}))
	if q := k.Queue(from); q != nil {
		q.ended(tx, how)
	}
}

const (
	selectPrinters = `SELECT DISTINCT printer FROM jobs WHERE settled = 0`
	selectOrphans  = `SELECT j.id, j.state, j.attempt, j.redo, j.kind, j.label, j.paper, coalesce(t.content, '') FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key WHERE j.printer = ? AND j.settled = 0 ORDER BY j.key`
	updateOrphan   = `UPDATE jobs SET state = ?, reason = ?, settled = 1, log = log || ? WHERE key = ? AND settled = 0`
)

// adopt finds a new place for the jobs of printers that are not in the configuration any more: the first printer of
// their station. Where there is none they end as failed, with the reason.
func (k *Kitchen) adopt(ctx context.Context) error {
	return k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		var names []string
		err := tx.Query(selectPrinters, nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			if k.Queue(name) == nil {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := k.adoptFrom(tx, name); err != nil {
				return fmt.Errorf("jobs of printer %s, which is not configured any more: %w", name, err)
			}
		}
		return nil
	})
}

func (k *Kitchen) adoptFrom(tx *journal.Tx, name string) error {
	var jobs []moving
	err := tx.Query(selectOrphans, []any{name}, func(scan func(...any) error) error {
		m, err := scanMoving(scan)
		if err != nil {
			return err
		}
		jobs = append(jobs, m)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range jobs {
		m := &jobs[i]
		to := k.printerOf(m.ticket.Station)
		if to != nil && !m.ticket.ID.IsZero() && m.state != string(printer.Printed) {
			if _, err := k.move(tx, m, name, to, ""); err != nil {
				return err
			}
			continue
		}
		end, reason := printer.Failed, "printer "+name+" is not configured any more"
		if m.state == string(printer.Printed) {
			end = printer.Done
		}
		if _, err := tx.Exec(updateOrphan, string(end), reason, trail.Append(nil, tx.Now(), string(end), "", reason), m.id.Key()); err != nil {
			return err
		}
		k.gone(tx, m.id, m.ticket.ID, m.ticket.Order, name, end, reason)
		k.c.Log.Error("print job of a removed printer", "job", m.id, "printer", name, "ticket", m.ticket.ID)
	}
	return nil
}

// printerOf is the first printer of a station, or of the default when there is no such station; nil for none.
func (k *Kitchen) printerOf(station string) *Queue {
	at := k.stationAt(k.merged.of(station))
	if at < 0 {
		at = k.routes.fallback
	}
	if printers := k.c.Stations[at].Printers; len(printers) > 0 {
		return k.Queue(printers[0])
	}
	return nil
}

const selectReplacement = `SELECT j.id, j.printer, t.id, o.id FROM jobs j JOIN tickets t ON t.key = j.ticket_key JOIN orders o ON o.key = t.order_key
WHERE j.replaces = ? AND j.settled = 0 AND j.state IN ('queued', 'held') AND j.attempt = 0`

// dropReplacement takes back what was moved to another printer and has not begun there.
func (k *Kitchen) dropReplacement(tx *journal.Tx, replaced int64, reason string) error {
	var id, ticket, order journal.ID
	var name string
	err := tx.QueryRow(selectReplacement, []any{replaced}, &id, &name, &ticket, &order)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return k.dropJob(tx, id, ticket, order, name, reason)
}
