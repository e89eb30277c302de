package kitchen

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/devices/printer"
)

// lookEvery is how often printers that take no work are looked at.
const lookEvery = 250 * time.Millisecond

// Run moves the jobs of printers that take no work to their fallback, until ctx ends.
func (k *Kitchen) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := k.Reroute(ctx); err != nil {
				return err
			}
		}
	}
}

// Reroute gives every job that its printer could not take for FallbackAfter to the fallback printer, headed by the
// station it is for. One whose paper may already be out goes under the banner as well.
func (k *Kitchen) Reroute(ctx context.Context) error {
	for _, q := range k.queues {
		_, held, _ := q.Waiting()
		if q.c.Fallback == "" || held.IsZero() || k.c.Now().Sub(held) < q.c.FallbackAfter {
			continue
		}
		to := k.queues[q.c.Fallback]
		if _, alsoHeld, _ := to.Waiting(); !alsoHeld.IsZero() {
			continue // no better there: the job stays where it belongs
		}
		if err := q.rerouteTo(ctx, to); err != nil {
			return fmt.Errorf("move the queue of printer %s to %s: %w", q.c.Name, to.c.Name, err)
		}
	}
	return nil
}

const (
	selectMovable = `SELECT j.id, j.state, j.attempt, j.redo, t.content FROM jobs j JOIN tickets t ON t.key = j.ticket_key
WHERE j.printer = ? AND j.settled = 0 AND (j.state IN ('queued', 'held') AND j.held_at <= ? OR j.state = 'unknown') ORDER BY j.key LIMIT 50`
	updateMoved = `UPDATE jobs SET state = 'superseded', reason = ?, settled = 1, log = log || ? WHERE key = ? AND settled = 0 AND state = ?`
)

func (q *Queue) rerouteTo(ctx context.Context, to *Queue) error {
	due := q.k.c.Now().Add(-q.c.FallbackAfter)
	var some bool
	err := queryAll(ctx, q.k.c.Journal.Read(), selectMovable, []any{q.c.Name, due.UnixMicro()}, func(scan func(...any) error) error {
		some = true
		return nil
	})
	if err != nil || !some {
		return err
	}
	return q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		type moved struct {
			id      journal.ID
			state   string
			attempt int
			redo    bool
			ticket  Ticket
		}
		var jobs []moved
		err := tx.Query(selectMovable, []any{q.c.Name, due.UnixMicro()}, func(scan func(...any) error) error {
			var m moved
			var id, content []byte
			if err := scan(&id, &m.state, &m.attempt, &m.redo, &content); err != nil {
				return err
			}
			m.id = journal.ID(id)
			jobs = append(jobs, m)
			return unmarshal(content, &jobs[len(jobs)-1].ticket)
		})
		if err != nil {
			return err
		}
		for i := range jobs {
			m := &jobs[i]
			reason := "moved to " + to.c.Name
			rows, err := tx.Exec(updateMoved, reason, trail.Append(nil, tx.Now(), string(printer.Superseded), "", reason), m.id.Key(), m.state)
			if err != nil {
				return err
			}
			if rows == 0 {
				continue
			}
			tx.Change("job", m.id.String(), q.notice(m.id, m.ticket.ID, m.ticket.Order, printer.Report{State: printer.Superseded, Reason: reason}, 0))
			if m.state != string(printer.Unknown) {
				q.waiting.Add(-1)
				tx.After(func(err error) {
					if err != nil {
						q.waiting.Add(1)
					}
				})
			}
			j := newJob{
				id: q.k.c.Journal.NewID(), queue: to, body: to.paper.render(&m.ticket, q.c.Name), replaces: m.id.Key(),
				redo: m.redo || m.attempt > 0,
			}
			if j.redo {
				j.reason = "unknown"
			}
			if err := to.insert(tx, &m.ticket, &j); err != nil {
				return err
			}
		}
		return nil
	})
}

const selectReplacement = `SELECT id, printer FROM jobs WHERE replaces = ? AND settled = 0 AND state IN ('queued', 'held') AND attempt = 0`

// dropReplacement takes back what was moved to another printer and has not begun there.
func (k *Kitchen) dropReplacement(tx *journal.Tx, replaced int64) error {
	var id []byte
	var name string
	err := tx.Query(selectReplacement, []any{replaced}, func(scan func(...any) error) error { return scan(&id, &name) })
	if err != nil || id == nil {
		return err
	}
	return k.dropJob(tx, journal.ID(id), journal.ID{}, journal.ID{}, name)
}
