package kitchen

import (
	"cmp"
	"context"
	"errors"
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

	// waiting counts the jobs that are not settled and that the driver has not taken. It tells whether a look into the
	// journal is worth it.
	waiting atomic.Int64
	// left tells that jobs may stand in the middle of their way though the driver does not have them: those of a former
	// process, and of a commit whose end nobody knows.
	left atomic.Bool

	paused bool        // at start
	long   atomic.Bool // the queue is above its threshold, as last told

	mu        sync.Mutex // guards what follows; held for memory only
	outage    *outage    // nil while the printer takes work
	hold      string     // why the printer cannot take work; "" when it can
	heldSince time.Time
	waitSince time.Time                  // since when some job waits; zero when none does
	taken     map[printer.JobID]taken    // jobs the driver has
	reports   map[printer.JobID]*reports // steps not yet written
}

var _ printer.Ledger = (*Queue)(nil)

// taken is what the queue remembers of a job in the driver's hands.
type taken struct {
	ticket, order journal.ID
	received      time.Time // when its order came in; zero: its way to the printer is not measured
	held          time.Time // since when the driver cannot begin it; zero while it can
}

// reports gathers the steps of a job until the next commit takes them along.
type reports struct {
	log  []byte
	last printer.Report
	mine bool // the driver had the job when the first of them came
	have taken
}

// newJob is a job about to be stored.
type newJob struct {
	id       journal.ID
	queue    *Queue
	kind     string // "" for a kitchen ticket
	label    string // what people call it, where no ticket tells
	paper    int64  // of a bill or receipt
	drawer   int
	buzz     int
	body     []byte
	received time.Time
	redo     bool
	reason   string // of a redo, for the banner
	replaces int64
	state    printer.State // after insert
	sequence uint32
}

const (
	selectWaiting  = `SELECT id FROM jobs WHERE printer = ? AND settled = 0`
	countWaiting   = `SELECT count(*) FROM jobs WHERE printer = ? AND settled = 0`
	selectSequence = `SELECT coalesce(max(sequence), 0) FROM (SELECT printer, sequence FROM jobs ORDER BY key DESC LIMIT 20000) WHERE printer = ?`
)

func newQueue(ctx context.Context, k *Kitchen, c PrinterConfig) (*Queue, error) {
	q := &Queue{k: k, c: c, paper: newPaper(c, k.c.Courses, k.c.Location), taken: map[printer.JobID]taken{}, reports: map[printer.JobID]*reports{}}
	var n int64
	if err := k.c.Journal.Read().QueryRowContext(ctx, countWaiting, c.Name).Scan(&n); err != nil {
		return nil, err
	}
	q.count(n)
	q.left.Store(n > 0)
	if err := k.c.Journal.Read().QueryRowContext(ctx, selectSequence, c.Name).Scan(&q.last); err != nil {
		return nil, err
	}
	_, err := k.c.Journal.Setting(ctx, pausedKey(c.Name))
	if err != nil && !errors.Is(err, journal.ErrNoSetting) {
		return nil, err
	}
	q.paused = err == nil
	return q, nil
}

// Paused tells whether the printer stood still, at a person's word, when the box was started.
func (q *Queue) Paused() bool { return q.paused }

// Attach gives the queue its driver, once, before the journal runs.
func (q *Queue) Attach(p Printer) { q.printer = p }

// LastSequence is the sequence number the driver goes on from.
func (q *Queue) LastSequence() uint32 { return q.last }

// Waiting is how many jobs wait, the one that the driver holds in hand among them, and since when the printer takes
// none; zero when it takes them.
func (q *Queue) Waiting() (jobs int, held time.Time, reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, _ := q.heldInHand()
	return int(q.waiting.Load()) + n, q.heldSince, q.hold
}

// heldInHand counts the jobs that the driver has and cannot begin, and tells since when. q.mu is held.
func (q *Queue) heldInHand() (n int, since time.Time) {
	for _, t := range q.taken {
		if !t.held.IsZero() {
			n++
			if since.IsZero() || t.held.Before(since) {
				since = t.held
			}
		}
	}
	return n, since
}

// letGo ends the waiting of a job that left the queue though the driver still has it; the driver hears of it when it
// asks to begin.
func (q *Queue) letGo(id journal.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t, mine := q.taken[printer.JobID(id)]; mine {
		t.held = time.Time{}
		q.taken[printer.JobID(id)] = t
	}
}

// oldestHeld is how long a job has waited for a printer that takes none.
func (q *Queue) oldestHeld(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, oldest := q.heldInHand()
	if oldest.IsZero() || !q.waitSince.IsZero() && q.waitSince.Before(oldest) {
		oldest = q.waitSince
	}
	if q.heldSince.IsZero() || oldest.IsZero() {
		return 0
	}
	since := q.heldSince
	if oldest.After(since) {
		since = oldest
	}
	return max(0, now.Sub(since))
}

// count changes how many jobs wait.
func (q *Queue) count(by int64) {
	q.mu.Lock()
	q.countLocked(by)
	q.mu.Unlock()
}

func (q *Queue) countLocked(by int64) {
	switch n := q.waiting.Add(by); {
	case n <= 0:
		q.waitSince = time.Time{}
	case q.waitSince.IsZero():
		q.waitSince = q.k.c.Now()
	}
}

// countIf changes how many jobs wait, and back when tx comes to nothing.
func (q *Queue) countIf(tx *journal.Tx, by int64) {
	q.count(by)
	tx.After(func(err error) {
		if err != nil {
			q.count(-by)
			q.doubt(err)
		}
	})
}

// doubt has the queue counted anew after a commit whose end nobody knows: what was taken back may be on disk.
func (q *Queue) doubt(err error) {
	if !errors.Is(err, journal.ErrUncertain) {
		return
	}
	q.left.Store(true)
	q.k.c.Journal.Later(q.recount)
}

func (q *Queue) recount(tx *journal.Tx) error {
	var open []printer.JobID
	err := tx.Query(selectWaiting, []any{q.c.Name}, func(scan func(...any) error) error {
		var id journal.ID
		err := scan(&id)
		open = append(open, printer.JobID(id))
		return err
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	n := int64(0)
	for _, id := range open {
		if _, mine := q.taken[id]; !mine {
			n++
		}
	}
	q.countLocked(n - q.waiting.Load())
	q.mu.Unlock()
	q.wake()
	return nil
}

func (q *Queue) wake() {
	if q.printer != nil {
		q.printer.Wake()
	}
}

const insertJob = `INSERT INTO jobs (key, id, ticket_key, printer, state, reason, evidence, attempt, sequence, banner, redo, settled, replaces, first_sent, held_at, body, log, kind, label, paper, drawer, buzz)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insert stores a job within the order's transaction. If the printer is idle and nothing waits, the same transaction
// records its sending: after the commit bytes leave at once.
func (q *Queue) insert(tx *journal.Tx, t *Ticket, j *newJob) error {
	id := printer.JobID(j.id)
	now := tx.Now()
	q.mu.Lock()
	reason := q.hold
	if q.outage != nil {
		q.outage.held++
	}
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
		q.taken[id] = taken{ticket: t.ID, order: t.Order, received: j.received}
		q.mu.Unlock()
	case reason != "":
		j.state, held = printer.Held, now.UnixMicro()
		log = trail.Append(nil, now, string(j.state), "", reason)
	default:
		j.state = printer.Queued
		log = trail.Append(nil, now, string(j.state), "", "")
	}
	if !claimed {
		q.countIf(tx, 1)
		tx.Follow(func(error) { q.wake() }) // after a failure too: a refused claim told the driver of a job
	} else {
		job := printer.Job{
			ID: id, Body: j.body, Reprint: reprints(j.kind), State: j.state, Attempt: a.Number, Sequence: a.Sequence, FirstSent: a.At,
			Ticket: cmp.Or(j.label, q.paper.name(t)), Redo: j.redo, Reason: j.reason, Drawer: j.drawer, Buzz: j.buzz,
		}
		tx.Follow(func(err error) {
			if err == nil {
				q.printer.Handover(job, a)
				return
			}
			q.mu.Lock()
			delete(q.taken, id)
			q.mu.Unlock()
			q.printer.Unclaim(id)
			q.doubt(err)
		})
	}
	if j.reason != "" {
		reason = j.reason
	}
	_, err := tx.Exec(insertJob, j.id.Key(), j.id[:], t.ID.Key(), q.c.Name, string(j.state), reason, a.Number, a.Sequence, a.Banner, j.redo, j.replaces, first, held, j.body, log,
		j.kind, j.label, j.paper, j.drawer, j.buzz)
	if err != nil {
		return fmt.Errorf("store job of printer %s: %w", q.c.Name, err)
	}
	if claimed {
		return nil // its own steps follow within milliseconds and tell the feed
	}
	tx.Change("job", j.id.String(), q.notice(j.id, t.ID, t.Order, printer.Report{State: j.state, Attempt: a.Number, Reason: reason}, a.Sequence))
	return nil
}

// jobNotice is the payload of a "job" row of the change feed.
type jobNotice struct {
	ID       journal.ID       `json:"id"`
	Ticket   journal.ID       `json:"ticket,omitzero"` // zero: a test page
	Order    journal.ID       `json:"order,omitzero"`
	Printer  string           `json:"printer"`
	State    printer.State    `json:"state"`
	Evidence printer.Evidence `json:"evidence,omitzero"`
	Attempt  int              `json:"attempt,omitzero"`
	Sequence uint32           `json:"sequence,omitzero"`
	Reason   string           `json:"reason,omitzero"`
}

func (q *Queue) notice(id, ticket, order journal.ID, r printer.Report, sequence uint32) []byte {
	n := jobNotice{id, ticket, order, q.c.Name, r.State, r.Evidence, r.Attempt, sequence, r.Reason}
	return n.appendTo(make([]byte, 0, 256))
}

const (
	selectNext = `SELECT j.id, j.state, j.reason, j.attempt, j.sequence, j.banner, j.redo, j.first_sent, j.body, j.kind, j.label, j.drawer, j.buzz, t.id, o.id, o.received_at, t.content
FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key WHERE j.printer = ? AND j.settled = 0 ORDER BY j.key`
	selectLeft = `SELECT j.id, j.state, j.reason, j.attempt, j.sequence, j.banner, j.redo, j.first_sent, j.body, j.kind, j.label, j.drawer, j.buzz, t.id, o.id, o.received_at, t.content
FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key WHERE j.printer = ? AND j.settled = 0 AND j.state NOT IN ('queued', 'held') ORDER BY j.key`
	updateSending = `UPDATE jobs SET state = 'sending', reason = ?, evidence = '', attempt = ?, sequence = ?, banner = ?, first_sent = CASE first_sent WHEN 0 THEN ? ELSE first_sent END, held_at = 0, log = log || ? WHERE key = ? AND settled = 0`
)

// errFound ends a query that has what it looked for.
var errFound = errors.New("found")

// Next implements printer.Ledger.
func (q *Queue) Next(ctx context.Context, sending func(printer.Job) printer.Attempt) (job printer.Job, a printer.Attempt, ok bool, err error) {
	if q.waiting.Load() == 0 {
		return job, a, false, nil
	}
	err = q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		var have taken
		var err error
		ok = false
		if q.left.Load() { // what stands in the middle comes before what did not begin, whatever its key
			if job, a, have, ok, err = q.pick(tx, selectLeft); err != nil {
				return err
			}
			q.left.Store(ok)
		}
		if !ok {
			if job, a, have, ok, err = q.pick(tx, selectNext); err != nil || !ok {
				return err
			}
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
		tx.After(func(err error) {
			if err != nil {
				q.mu.Lock()
				delete(q.taken, job.ID)
				q.mu.Unlock()
			}
		})
		q.countIf(tx, -1)
		return nil
	})
	if err != nil {
		return printer.Job{}, printer.Attempt{}, false, fmt.Errorf("next job of printer %s: %w", q.c.Name, err)
	}
	return job, a, ok, nil
}

// pick reads the first job of query that the driver does not have. Those it has are not more than it has taken, so one
// row more is enough to look at.
func (q *Queue) pick(tx *journal.Tx, query string) (job printer.Job, a printer.Attempt, have taken, ok bool, err error) {
	// The first that the driver does not have ends the reading. A bound LIMIT would do the same, at the price of a plan made
	// anew for each value.
	err = tx.Query(query, []any{q.c.Name}, func(scan func(...any) error) error {
		var id, ticket, order journal.ID
		var content []byte
		var banner bool
		var first int64
		var received *int64
		var kind string
		var j printer.Job
		if err := scan(&id, &j.State, &j.Reason, &j.Attempt, &j.Sequence, &banner, &j.Redo, &first, &j.Body, &kind, &j.Ticket, &j.Drawer, &j.Buzz, &ticket, &order, &received, &content); err != nil {
			return err
		}
		j.ID, j.Reprint, j.FirstSent = printer.JobID(id), reprints(kind), journal.FromMicros(first)
		q.mu.Lock()
		_, known := q.taken[j.ID]
		q.mu.Unlock()
		if known {
			return nil
		}
		have = taken{ticket: ticket, order: order}
		if received != nil && !j.Redo {
			have.received = arrival(id, journal.FromMicros(*received))
		}
		var t Ticket
		if content != nil && unmarshal(content, &t) == nil { // else a banner has no words; the body is there all the same
			j.Ticket = q.paper.name(&t)
		}
		job, ok = j, true
		a = printer.Attempt{Number: j.Attempt, Sequence: j.Sequence, At: j.FirstSent, Banner: banner, Reason: j.Reason}
		return errFound
	})
	if err == errFound {
		err = nil
	}
	return job, a, have, ok, err
}

// arrival is the moment from which a job's way to the printer is measured: its order's arrival, or for what was made of
// the order later (at a change, at its release) the moment it was made.
func arrival(id journal.ID, received time.Time) time.Time {
	made := journal.MadeAt(id.Key())
	if made.Sub(received) > time.Second {
		return made
	}
	return received
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
	err := q.k.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return q.writeSending(tx, id, have, a) })
	switch {
	case err == nil:
		q.letGo(journal.ID(id))
	case errors.Is(err, printer.ErrGone): // nobody will report of it any more
		q.mu.Lock()
		delete(q.taken, id)
		q.mu.Unlock()
	}
	return err
}

// Record implements printer.Ledger. Steps that follow one another between two commits are written together.
func (q *Queue) Record(id printer.JobID, r printer.Report) {
	q.mu.Lock()
	defer q.mu.Unlock()
	have, mine := q.taken[id]
	if r.State == printer.Sent && !have.received.IsZero() {
		q.k.metrics.toPrinter.WithLabelValues(q.c.Name).Observe(max(0, r.At.Sub(have.received).Seconds()))
		have.received = time.Time{} // a second copy is not the order's way any more
	}
	p := q.reports[id]
	if p == nil {
		p = &reports{mine: mine, have: have}
		q.reports[id] = p
		q.k.c.Journal.Later(func(tx *journal.Tx) error { return q.flush(tx, id) })
	}
	detail := r.Reason
	if r.Evidence != "" {
		detail = string(r.Evidence)
	}
	p.log = trail.Append(p.log, r.At, string(r.State), "", detail)
	p.last = r
	if mine {
		// A held job stays in the driver's hand and goes out first; for people it waits like those behind it.
		if r.State != printer.Held {
			have.held = time.Time{}
		} else if have.held.IsZero() {
			have.held = r.At
		}
		q.taken[id] = have
	}
}

const (
	updateReport = `UPDATE jobs SET state = ?, reason = ?, evidence = ?, settled = ?, held_at = ?, log = log || ? WHERE key = ? AND settled = 0`
	// What was given up as unknown may prove printed after all.
	updateProven = `UPDATE jobs SET state = ?, reason = ?, evidence = ?, log = log || ? WHERE key = ? AND state NOT IN ('superseded', 'cancelled')`
	// A first attempt that put no byte on the line leaves no trace: its number went to the next, and a copy of it cannot be
	// on paper.
	updateReturned = `UPDATE jobs SET state = 'held', reason = ?, evidence = '', held_at = ?, log = log || ?, banner = CASE WHEN attempt < 2 THEN redo ELSE banner END,
sequence = CASE WHEN attempt < 2 THEN 0 ELSE sequence END, first_sent = CASE WHEN attempt < 2 THEN 0 ELSE first_sent END, attempt = CASE WHEN attempt < 2 THEN 0 ELSE attempt END
WHERE key = ? AND settled = 0`
	updateLate  = `UPDATE jobs SET log = log || ? WHERE key = ?`
	selectWhose = `SELECT t.id, o.id FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key WHERE j.key = ?`
)

// flush writes the steps of a job gathered so far.
func (q *Queue) flush(tx *journal.Tx, id printer.JobID) error {
	q.mu.Lock()
	p := q.reports[id]
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
			q.restore(id, p)
		}
	})
	key, r := journal.ID(id).Key(), p.last
	var rows int64
	var err error
	if r.State == printer.Held {
		rows, err = tx.Exec(updateReturned, r.Reason, tx.Now(), p.log, key)
	} else {
		held := int64(0)
		if r.State == printer.Unknown || r.State == printer.Cleared {
			held = tx.Now().UnixMicro()
		}
		rows, err = tx.Exec(updateReport, string(r.State), r.Reason, string(r.Evidence), r.Settled, held, p.log, key)
	}
	printed := r.State == printer.Printed || r.State == printer.Done
	switch {
	case err != nil:
	case rows > 0 && r.Settled:
		q.ended(tx, r.State)
	case rows == 0 && printed:
		rows, err = tx.Exec(updateProven, string(r.State), r.Reason, string(r.Evidence), p.log, key)
	}
	if err != nil {
		return fmt.Errorf("record job %s: %w", journal.ID(id), err)
	}
	if rows == 0 {
		if _, err := tx.Exec(updateLate, p.log, key); err != nil {
			return fmt.Errorf("record job %s: %w", journal.ID(id), err)
		}
		if printed {
			return q.k.dropReplacement(tx, key, "printed on "+q.c.Name+" after all")
		}
		return nil
	}
	ticket, order := p.have.ticket, p.have.order
	if !p.mine { // a late answer
		if err := tx.QueryRow(selectWhose, []any{key}, &ticket, &order); err != nil {
			return fmt.Errorf("record job %s: %w", journal.ID(id), err)
		}
	}
	tx.Change("job", journal.ID(id).String(), q.notice(journal.ID(id), ticket, order, r, 0))
	return nil
}

// ended counts a job that came to an end, once that is on disk.
func (q *Queue) ended(tx *journal.Tx, how printer.State) {
	tx.After(func(err error) {
		if err == nil {
			q.k.metrics.jobs.WithLabelValues(q.c.Name, string(how)).Inc()
		}
	})
}

// restore keeps steps whose commit failed for the next one.
func (q *Queue) restore(id printer.JobID, p *reports) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.mine && p.last.Settled {
		q.taken[id] = p.have
	}
	if newer := q.reports[id]; newer != nil {
		newer.log = append(p.log, newer.log...)
		newer.mine, newer.have = p.mine, p.have
		return
	}
	q.reports[id] = p
	q.k.c.Journal.Later(func(tx *journal.Tx) error { return q.flush(tx, id) })
}

const (
	updateHeld   = `UPDATE jobs SET state = 'held', reason = ?, held_at = ?, log = log || ? WHERE printer = ? AND settled = 0 AND state = 'queued'`
	updateReason = `UPDATE jobs SET reason = ? WHERE printer = ? AND settled = 0 AND state = 'held'`
	// A job with an attempt behind it stays held: only that tells the driver that its latest attempt put nothing on the line.
	updateUnheld = `UPDATE jobs SET state = CASE attempt WHEN 0 THEN 'queued' ELSE 'held' END, reason = '', held_at = 0 WHERE printer = ? AND settled = 0 AND state = 'held'`
)

// Hold implements printer.Ledger.
func (q *Queue) Hold(reason string) {
	q.mu.Lock()
	if q.hold == "" {
		q.heldSince = q.k.c.Now()
	}
	changed := q.hold != reason
	q.hold = reason
	q.follow(reason)
	q.mu.Unlock()
	if !changed {
		return
	}
	q.k.c.Journal.Later(func(tx *journal.Tx) error {
		if err := q.tell(tx, printer.Held, reason); err != nil {
			return err
		}
		if _, err := tx.Exec(updateReason, reason, q.c.Name); err != nil {
			return err
		}
		_, err := tx.Exec(updateHeld, reason, tx.Now(), trail.Append(nil, tx.Now(), string(printer.Held), "", reason), q.c.Name)
		return err
	})
}

const selectHolding = `SELECT j.id, t.id, o.id, j.attempt, j.state, j.reason FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key
WHERE j.printer = ? AND j.settled = 0 AND j.state IN ('queued', 'held') ORDER BY j.key`

// tell writes into the feed which waiting jobs change to state, before they do.
func (q *Queue) tell(tx *journal.Tx, state printer.State, reason string) error {
	return tx.Query(selectHolding, []any{q.c.Name}, func(scan func(...any) error) error {
		var id, ticket, order journal.ID
		r := printer.Report{State: state, Reason: reason}
		var was, wasReason string
		if err := scan(&id, &ticket, &order, &r.Attempt, &was, &wasReason); err != nil {
			return err
		}
		if state == printer.Queued && r.Attempt > 0 {
			r.State = printer.Held // its latest attempt put nothing on the line: the driver sends it first
		}
		if was != string(r.State) || wasReason != r.Reason {
			tx.Change("job", id.String(), q.notice(id, ticket, order, r, 0))
		}
		return nil
	})
}

// Unhold implements printer.Ledger.
func (q *Queue) Unhold() {
	q.mu.Lock()
	changed := q.hold != ""
	q.hold, q.heldSince = "", time.Time{}
	q.follow("")
	q.mu.Unlock()
	if !changed {
		return
	}
	q.k.c.Journal.Later(func(tx *journal.Tx) error {
		if err := q.tell(tx, printer.Queued, ""); err != nil {
			return err
		}
		_, err := tx.Exec(updateUnheld, q.c.Name)
		return err
	})
}
