package kitchen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/devices/printer"
)

// Kinds of print jobs. A kitchen ticket's is stored as "".
const (
	JobTicket  = "ticket"
	JobTest    = "test"
	JobSlip    = "slip" // tells a printer its number while it is being added
	JobNote    = "note" // tells people what became of a configuration
	JobBill    = "bill"
	JobReceipt = "receipt"
)

// reprints is the policy for a job whose outcome nobody knows: kitchen paper comes once more under the banner, money's
// paper asks a person.
func reprints(kind string) bool { return kind != JobBill && kind != JobReceipt }

// Papers renders bills and receipts, which the kitchen's printers print and whose content it does not know.
type Papers interface {
	// Render gives the paper's body for a printer. again counts it as a further copy, which it then says of itself.
	Render(tx *journal.Tx, paper int64, printer string, again bool) ([]byte, error)
	// Sample is a receipt that shows what the printer makes of one.
	Sample(printer string) ([]byte, error)
}

// A StateError tells why an act does not fit a job.
type StateError struct {
	Job    journal.ID
	State  string
	Act    string
	Remedy string
}

func (e *StateError) Error() string {
	return fmt.Sprintf("the job is %s, so it cannot be %s; %s", e.State, e.Act, e.Remedy)
}

// record is a job as acts on it need it.
type record struct {
	Job
	paper  int64
	body   []byte
	ticket Ticket
	cooked bool // there is a ticket
}

const selectRecord = `SELECT j.id, j.printer, j.state, j.attempt, j.settled, j.kind, j.label, j.paper, j.body, coalesce(t.content, '')
FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key WHERE j.key = ?`

func loadRecord(tx *journal.Tx, id journal.ID) (r record, err error) {
	var content []byte
	err = tx.QueryRow(selectRecord, []any{id.Key()}, &r.ID, &r.Printer, &r.State, &r.Attempt, &r.Settled, &r.Kind, &r.Label, &r.paper, &r.body, &content)
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.ID != id {
		return r, fmt.Errorf("job %s: %w", id, ErrUnknown)
	}
	if err != nil {
		return r, fmt.Errorf("read job %s: %w", id, err)
	}
	if r.cooked = len(content) > 0; r.cooked {
		if err := unmarshal(content, &r.ticket); err != nil {
			return r, err
		}
	}
	r.Kind = kindOf(r.Kind, r.cooked)
	return r, nil
}

func kindOf(stored string, cooked bool) string {
	switch {
	case stored != "":
		return stored
	case cooked:
		return JobTicket
	}
	return JobTest
}

const updateGivenUp = `UPDATE jobs SET state = ?, reason = ?, settled = 1, log = log || ? WHERE key = ? AND state = ?`

// ClearJob gives a job up at a person's word: nothing more is printed of it. What the printer holds of it is thrown away
// where the printer can. The error is ErrUnknown, or a *StateError for a job that ended or is being printed now.
func (k *Kitchen) ClearJob(ctx context.Context, by access.Principal, key string, id journal.ID, reason string) error {
	if reason == "" {
		reason = "given up by " + by.Name
	}
	var q *Queue
	inHand := false
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		inHand = false
		r, err := loadRecord(tx, id)
		if err != nil {
			return err
		}
		if again, err := repeated(tx, by, key, "clear", id); err != nil || again {
			return err
		}
		q = k.Queue(r.Printer)
		has := q != nil && q.has(id)
		switch printer.State(r.State) {
		case printer.Queued, printer.Held, printer.Unknown, printer.Cleared:
		case printer.Waiting:
			inHand = has
		case printer.Sending, printer.Sent:
			if has {
				return &StateError{id, r.State, "given up", "wait for its outcome"}
			}
		default:
			return &StateError{id, r.State, "given up", "it has come to its end"}
		}
		rows, err := tx.Exec(updateGivenUp, string(printer.Cancelled), reason, trail.Append(nil, tx.Now(), string(printer.Cancelled), by.Name, reason), id.Key(), r.State)
		if err != nil || rows != 1 {
			return errors.Join(err, ifNone(rows, id))
		}
		if q != nil && !r.Settled {
			q.lose(tx, id)
		}
		k.gone(tx, id, r.ticket.ID, r.ticket.Order, r.Printer, printer.Cancelled, reason)
		return access.Record(tx, by, "job_cleared", id.String(), reason)
	})
	if err == nil && inHand {
		q.printer.Clear(printer.JobID(id))
	}
	return err
}

func ifNone(rows int64, id journal.ID) error {
	if rows == 0 {
		return fmt.Errorf("job %s changed while it was looked at", id)
	}
	return nil
}

// ReprintJob prints a job that ended once more where it was printed: a kitchen ticket under the banner, a bill or receipt
// as a copy that says so. One whose outcome nobody knows is replaced by it. The error is ErrUnknown, a *StateError, or a
// *LostRace for a ticket that is cancelled.
func (k *Kitchen) ReprintJob(ctx context.Context, by access.Principal, key string, id journal.ID) (journal.ID, error) {
	made := k.c.Journal.NewID()
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		r, err := loadRecord(tx, id)
		if err != nil {
			return err
		}
		if key != "" {
			prior, again, err := tx.Idempotent(by.Subject(), key, digest("reprint job", id), made.String())
			if err != nil {
				return err
			}
			if again {
				made, err = journal.ParseID(prior)
				return err
			}
		}
		if !r.Settled {
			return &StateError{id, r.State, "printed again", "wait for its outcome, or clear it first"}
		}
		j := newJob{id: made, kind: r.Kind, label: r.Label, paper: r.paper, queue: k.Queue(r.Printer), body: r.body}
		switch r.Kind {
		case JobTicket:
			if r.ticket.State == StateCancelled {
				return &LostRace{"reprint", r.ticket}
			}
			j.kind, j.redo, j.reason = "", true, printer.ReasonAsked
			if j.queue == nil {
				if j.queue = k.printerOf(r.ticket.Station); j.queue == nil {
					return fmt.Errorf("ticket %s: %w", r.ticket.ID, ErrNoPaper)
				}
				j.body = j.queue.paper.render(&r.ticket, "")
			}
		case JobBill, JobReceipt:
			if j.queue == nil || k.c.Papers == nil {
				return fmt.Errorf("job %s: %w", id, ErrNoPaper)
			}
			if j.body, err = k.c.Papers.Render(tx, r.paper, r.Printer, true); err != nil {
				return err
			}
		case JobNote:
			if j.queue == nil {
				return fmt.Errorf("job %s: %w", id, ErrNoPaper)
			}
			j.redo, j.reason = true, printer.ReasonAsked
		default:
			return &StateError{id, r.State, "printed again", "print another test page"}
		}
		if s := printer.State(r.State); s == printer.Unknown || s == printer.Cleared {
			const reason = "printed again at a person's word"
			if _, err := tx.Exec(updateGivenUp, string(printer.Superseded), reason, trail.Append(nil, tx.Now(), string(printer.Superseded), by.Name, reason), id.Key(), r.State); err != nil {
				return err
			}
			j.replaces = id.Key()
			k.gone(tx, id, r.ticket.ID, r.ticket.Order, r.Printer, printer.Superseded, reason)
		}
		if err := j.queue.insert(tx, &r.ticket, &j); err != nil {
			return err
		}
		if r.cooked {
			if err := appendLog(tx, r.ticket.ID, trail.Append(nil, tx.Now(), "reprint_asked", by.Name, "")); err != nil {
				return err
			}
		}
		return access.Record(tx, by, "job_reprinted", id.String(), r.Label)
	})
	return made, err
}

// JobQuery picks jobs for a list.
type JobQuery struct {
	Printer string
	State   string // "" for any, "open" for what is not settled
	Limit   int
}

// listedJobs is how far back a list of jobs looks: no index would be worth its price on the order's way.
const listedJobs = 20000

const selectJobs = `SELECT j.id, j.printer, j.state, j.reason, j.evidence, j.attempt, j.sequence, j.banner, j.settled, j.kind, j.label, t.id, o.id, coalesce(t.content, '')
FROM (SELECT key, id, ticket_key, printer, state, reason, evidence, attempt, sequence, banner, settled, kind, label FROM jobs ORDER BY key DESC LIMIT ?1) j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key
WHERE (?2 = '' OR j.printer = ?2) AND (?3 = '' OR j.state = ?3 OR ?3 = 'open' AND j.settled = 0) ORDER BY j.key DESC LIMIT ?4`

// Jobs lists print jobs, newest first, of the last 20,000.
func (k *Kitchen) Jobs(ctx context.Context, c JobQuery) ([]Job, error) {
	list := []Job{}
	err := queryAll(ctx, k.c.Journal.Read(), selectJobs, []any{listedJobs, c.Printer, c.State, c.Limit}, func(scan func(...any) error) error {
		var j Job
		var ticket, order, content []byte
		if err := scan(&j.ID, &j.Printer, &j.State, &j.Reason, &j.Evidence, &j.Attempt, &j.Sequence, &j.Banner, &j.Settled, &j.Kind, &j.Label, &ticket, &order, &content); err != nil {
			return err
		}
		if err := k.complete(&j, ticket, order, content); err != nil {
			return err
		}
		list = append(list, j)
		return nil
	})
	return list, err
}

// complete fills in what a job's ticket tells of it.
func (k *Kitchen) complete(j *Job, ticket, order, content []byte) error {
	j.At = journal.MadeAt(j.ID.Key()).UTC()
	j.Kind = kindOf(j.Kind, ticket != nil)
	if ticket == nil {
		return nil
	}
	j.Ticket = journal.ID(ticket)
	if order != nil {
		j.Order = journal.ID(order)
	}
	var t Ticket
	if err := unmarshal(content, &t); err != nil {
		return fmt.Errorf("the journal holds ticket %s, which cannot be read: %w", j.Ticket, err)
	}
	j.Number, j.Station = t.Number, t.Station
	j.Label = strings.TrimSpace("#" + strconv.Itoa(t.Number) + " " + strings.TrimSpace(t.Partner.Name+" "+t.Partner.OrderID))
	if t.Table != "" {
		j.Label += " " + k.c.Words.Paper().Table + " " + t.Table
	}
	return nil
}
