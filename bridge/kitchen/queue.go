package kitchen

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/devices/printer"
)

// Queue is the ledger of one printer over the journal: what waits for it, and what became of each job.
type Queue struct {
	k       *Kitchen
	c       PrinterConfig
	paper   paper
	printer Printer
	last    uint32 // the sequence number the journal ends with

	// waiting counts the jobs that the driver has not taken. It changes on the journal's writer goroutine only, and
	// tells others whether a look into the journal is worth it.
	waiting atomic.Int64

	mu        sync.Mutex // guards what follows; held for memory only
	hold      string     // why the printer cannot take work; "" when it can
	heldSince time.Time
	taken     map[printer.JobID]taken    // jobs the driver has
	reports   map[printer.JobID]*reports // steps not yet written
}

var _ printer.Ledger = (*Queue)(nil)

// taken is what the queue remembers of a job in the driver's hands.
type taken struct {
	ticket, order journal.ID
	received      time.Time
}

// reports gathers the steps of a job until the next commit takes them along.
type reports struct {
	log  []byte
	last printer.Report
}

// newJob is a job about to be stored.
type newJob struct {
	id       journal.ID
	queue    *Queue
	body     []byte
	received time.Time
	redo     bool
	reason   string // of a redo, for the banner
	replaces int64
	state    printer.State // after insert
	sequence uint32
}

const (
	countWaiting   = `SELECT count(*) FROM jobs WHERE printer = ? AND settled = 0`
	selectSequence = `SELECT coalesce(max(sequence), 0) FROM (SELECT printer, sequence FROM jobs ORDER BY key DESC LIMIT 20000) WHERE printer = ?`
)

func newQueue(ctx context.Context, k *Kitchen, c PrinterConfig) (*Queue, error) {
	q := &Queue{k: k, c: c, paper: newPaper(c, k.c.Courses, k.c.Location), taken: map[printer.JobID]taken{}, reports: map[printer.JobID]*reports{}}
	var n int64
	if err := k.c.Journal.Read().QueryRowContext(ctx, countWaiting, c.Name).Scan(&n); err != nil {
		return nil, err
	}
	q.waiting.Store(n)
	if err := k.c.Journal.Read().QueryRowContext(ctx, selectSequence, c.Name).Scan(&q.last); err != nil {
		return nil, err
	}
	return q, nil
}

// Attach gives the queue its driver, once, before the journal runs.
func (q *Queue) Attach(p Printer) { q.printer = p }

// LastSequence is the sequence number the driver goes on from.
func (q *Queue) LastSequence() uint32 { return q.last }

// Waiting is how many jobs the driver has not taken, and since when the printer takes none; zero when it takes them.
func (q *Queue) Waiting() (jobs int, held time.Time, reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.waiting.Load()), q.heldSince, q.hold
}

const insertJob = `INSERT INTO jobs (key, id, ticket_key, printer, state, reason, evidence, attempt, sequence, banner, redo, settled, replaces, first_sent, held_at, body, log)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`

// insert stores a job within the order's transaction. If the printer is idle and nothing waits, the same transaction
// records its sending: after the commit bytes leave at once.
func (q *Queue) insert(tx *journal.Tx, t *Ticket, j *newJob) error {
	id := printer.JobID(j.id)
	now := tx.Now()
	q.mu.Lock()
	reason := q.hold
	q.mu.Unlock()

	var a printer.Attempt
	claimed := false
	if q.printer != nil && reason == "" && !j.redo && q.waiting.Load() == 0 {
		a, claimed = q.printer.Claim(id)
	}
	var log []byte
	var first, held int64
	switch {
	case claimed:
		j.state, j.sequence, reason = printer.Sending, a.Sequence, ""
		first = a.At.UnixMicro()
		log = trail.Append(nil, a.At, string(printer.Sending), "", "sequence "+strconv.FormatUint(uint64(a.Sequence), 10))
		q.mu.Lock()
		q.taken[id] = taken{t.ID, t.Order, j.received}
		q.mu.Unlock()
	case reason != "":
		j.state, held = printer.Held, now.UnixMicro()
		log = trail.Append(nil, now, string(j.state), "", reason)
	default:
		j.state = printer.Queued
		log = trail.Append(nil, now, string(j.state), "", "")
	}
	if !claimed {
		q.waiting.Add(1)
	}
	job := printer.Job{
		ID: id, Body: j.body, Reprint: true, State: j.state, Attempt: a.Number, Sequence: a.Sequence, FirstSent: a.At,
		Ticket: q.paper.name(t), Redo: j.redo, Reason: j.reason,
	}
	tx.After(func(err error) {
		switch {
		case err == nil && claimed:
			q.printer.Handover(job, a)
		case err == nil && q.printer != nil:
			q.printer.Wake()
		case err != nil && claimed:
			q.mu.Lock()
			delete(q.taken, id)
			q.mu.Unlock()
			q.printer.Unclaim(id)
		case err != nil:
			q.waiting.Add(-1)
			if q.printer != nil {
				q.printer.Wake() // it was told of a job that is not coming
			}
		}
	})
	if j.reason != "" {
		reason = j.reason
	}
	_, err := tx.Exec(insertJob, j.id.Key(), j.id[:], t.ID.Key(), q.c.Name, string(j.state), reason, a.Number, a.Sequence, a.Banner, j.redo, j.replaces, first, held, j.body, log)
	if err != nil {
		return fmt.Errorf("store job of printer %s: %w", q.c.Name, err)
	}
	tx.Change("job", j.id.String(), q.notice(j.id, t.ID, t.Order, printer.Report{State: j.state, Attempt: a.Number, Reason: reason}, a.Sequence))
	return nil
}

// jobNotice is the payload of a "job" row of the change feed.
type jobNotice struct {
	ID       journal.ID       `json:"id"`
	Ticket   journal.ID       `json:"ticket"`
	Order    journal.ID       `json:"order"`
	Printer  string           `json:"printer"`
	State    printer.State    `json:"state"`
	Evidence printer.Evidence `json:"evidence,omitzero"`
	Attempt  int              `json:"attempt,omitzero"`
	Sequence uint32           `json:"sequence,omitzero"`
	Reason   string           `json:"reason,omitzero"`
}

func (q *Queue) notice(id, ticket, order journal.ID, r printer.Report, sequence uint32) []byte {
	return encode(jobNotice{id, ticket, order, q.c.Name, r.State, r.Evidence, r.Attempt, sequence, r.Reason})
}

const (
	selectNext = `SELECT j.id, j.state, j.reason, j.attempt, j.sequence, j.banner, j.redo, j.first_sent, j.body, t.id, o.id, o.received_at, t.content
FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key WHERE j.printer = ? AND j.settled = 0 ORDER BY j.key LIMIT ?`
	updateSending = `UPDATE jobs SET state = 'sending', reason = ?, evidence = '', attempt = ?, sequence = ?, banner = ?, first_sent = CASE first_sent WHEN 0 THEN ? ELSE first_sent END, held_at = 0, log = log || ? WHERE key = ? AND settled = 0`
)

// Next implements printer.Ledger.
func (q *Queue) Next(ctx context.Context, sending func(printer.Job) printer.Attempt) (job printer.Job, a printer.Attempt, ok bool, err error) {
	if q.waiting.Load() == 0 {
		return job, a, false, nil
	}
	err = q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		job, a, ok = printer.Job{}, printer.Attempt{}, false
		var have taken
		q.mu.Lock()
		inHand := len(q.taken)
		q.mu.Unlock()
		err := tx.Query(selectNext, []any{q.c.Name, inHand + 1}, func(scan func(...any) error) error {
			var id, ticket, order, content []byte
			var banner bool
			var first int64
			var received *int64
			var j printer.Job
			if err := scan(&id, &j.State, &j.Reason, &j.Attempt, &j.Sequence, &banner, &j.Redo, &first, &j.Body, &ticket, &order, &received, &content); err != nil {
				return err
			}
			j.ID, j.Reprint, j.FirstSent = printer.JobID(id), true, fromMicros(first)
			q.mu.Lock()
			_, known := q.taken[j.ID]
			q.mu.Unlock()
			if ok || known {
				return nil
			}
			have = taken{}
			if ticket != nil {
				var t Ticket
				if err := unmarshal(content, &t); err != nil {
					return err
				}
				have = taken{journal.ID(ticket), journal.ID(order), fromMicros(*received)}
				j.Ticket = q.paper.name(&t)
			}
			job, ok = j, true
			a = printer.Attempt{Number: j.Attempt, Sequence: j.Sequence, At: j.FirstSent, Banner: banner, Reason: j.Reason}
			return nil
		})
		if err != nil || !ok {
			return err
		}
		if job.State == printer.Queued || job.State == printer.Held {
			a = sending(job)
			if err := q.writeSending(tx, job.ID, have, a); err != nil {
				return err
			}
			job.State = printer.Sending
		}
		q.mu.Lock()
		q.taken[job.ID] = have
		q.mu.Unlock()
		q.waiting.Add(-1)
		tx.After(func(err error) {
			if err != nil {
				q.mu.Lock()
				delete(q.taken, job.ID)
				q.mu.Unlock()
				q.waiting.Add(1)
			}
		})
		return nil
	})
	if err != nil {
		return printer.Job{}, printer.Attempt{}, false, fmt.Errorf("next job of printer %s: %w", q.c.Name, err)
	}
	return job, a, ok, nil
}

func (q *Queue) writeSending(tx *journal.Tx, id printer.JobID, have taken, a printer.Attempt) error {
	log := trail.Append(nil, a.At, string(printer.Sending), "", "attempt "+strconv.Itoa(a.Number)+", sequence "+strconv.FormatUint(uint64(a.Sequence), 10))
	rows, err := tx.Exec(updateSending, a.Reason, a.Number, a.Sequence, a.Banner, a.At.UnixMicro(), log, journal.ID(id).Key())
	if err != nil {
		return fmt.Errorf("record sending of job %s: %w", journal.ID(id), err)
	}
	if rows != 1 {
		return fmt.Errorf("record sending of job %s: %w", journal.ID(id), printer.ErrGone)
	}
	tx.Change("job", journal.ID(id).String(), q.notice(journal.ID(id), have.ticket, have.order, printer.Report{State: printer.Sending, Attempt: a.Number, Reason: a.Reason}, a.Sequence))
	return nil
}

// Sending implements printer.Ledger. The error is printer.ErrGone when another printer took the job over.
func (q *Queue) Sending(ctx context.Context, id printer.JobID, a printer.Attempt) error {
	q.mu.Lock()
	have := q.taken[id]
	q.mu.Unlock()
	return q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return q.writeSending(tx, id, have, a) })
}

// Record implements printer.Ledger. Steps that follow one another between two commits are written together.
func (q *Queue) Record(id printer.JobID, r printer.Report) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.State == printer.Sent {
		if have, ok := q.taken[id]; ok && !have.received.IsZero() {
			q.k.metrics.toPrinter.WithLabelValues(q.c.Name).Observe(r.At.Sub(have.received).Seconds())
		}
	}
	if r.Settled {
		q.k.metrics.jobs.WithLabelValues(q.c.Name, string(r.State)).Inc()
	}
	p := q.reports[id]
	if p == nil {
		p = &reports{}
		q.reports[id] = p
		q.k.c.Journal.Later(func(tx *journal.Tx) error { return q.flush(tx, id) })
	}
	detail := r.Reason
	if r.Evidence != "" {
		detail = string(r.Evidence)
	}
	p.log = trail.Append(p.log, r.At, string(r.State), "", detail)
	p.last = r
}

const (
	updateReport = `UPDATE jobs SET state = ?, reason = ?, evidence = ?, settled = ?, log = log || ? WHERE key = ? AND state NOT IN ('superseded', 'cancelled')`
	updateLate   = `UPDATE jobs SET log = log || ? WHERE key = ?`
)

// flush writes the steps of a job gathered so far.
func (q *Queue) flush(tx *journal.Tx, id printer.JobID) error {
	q.mu.Lock()
	p, have := q.reports[id], q.taken[id]
	delete(q.reports, id)
	if p != nil && p.last.Settled {
		delete(q.taken, id)
	}
	q.mu.Unlock()
	if p == nil {
		return nil
	}
	tx.After(func(err error) {
		if err != nil {
			q.restore(id, p, have)
		}
	})
	key := journal.ID(id).Key()
	rows, err := tx.Exec(updateReport, string(p.last.State), p.last.Reason, string(p.last.Evidence), p.last.Settled, p.log, key)
	if err != nil {
		return fmt.Errorf("record job %s: %w", journal.ID(id), err)
	}
	if rows == 0 {
		if _, err := tx.Exec(updateLate, p.log, key); err != nil {
			return fmt.Errorf("record job %s: %w", journal.ID(id), err)
		}
		if p.last.State == printer.Printed || p.last.State == printer.Done {
			if err := q.k.dropReplacement(tx, key); err != nil {
				return err
			}
		}
		return nil
	}
	tx.Change("job", journal.ID(id).String(), q.notice(journal.ID(id), have.ticket, have.order, p.last, 0))
	return nil
}

// restore keeps steps whose commit failed for the next one.
func (q *Queue) restore(id printer.JobID, p *reports, have taken) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !have.order.IsZero() {
		q.taken[id] = have
	}
	if newer := q.reports[id]; newer != nil {
		newer.log = append(p.log, newer.log...)
		return
	}
	q.reports[id] = p
	q.k.c.Journal.Later(func(tx *journal.Tx) error { return q.flush(tx, id) })
}

const (
	updateHeld   = `UPDATE jobs SET state = 'held', reason = ?, held_at = ?, log = log || ? WHERE printer = ? AND settled = 0 AND state = 'queued'`
	updateUnheld = `UPDATE jobs SET state = 'queued', reason = '', held_at = 0 WHERE printer = ? AND settled = 0 AND state = 'held'`
)

// Hold implements printer.Ledger.
func (q *Queue) Hold(reason string) {
	q.mu.Lock()
	if q.hold == "" {
		q.heldSince = q.k.c.Now()
	}
	changed := q.hold != reason
	q.hold = reason
	q.mu.Unlock()
	if !changed {
		return
	}
	q.k.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(updateHeld, reason, tx.Now().UnixMicro(), trail.Append(nil, tx.Now(), string(printer.Held), "", reason), q.c.Name)
		return err
	})
}

// Unhold implements printer.Ledger.
func (q *Queue) Unhold() {
	q.mu.Lock()
	changed := q.hold != ""
	q.hold, q.heldSince = "", time.Time{}
	q.mu.Unlock()
	if !changed {
		return
	}
	q.k.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(updateUnheld, q.c.Name)
		return err
	})
}
