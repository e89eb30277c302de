package kitchen

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// digest tells one act on one ticket from another under an Idempotency-Key.
func digest(act string, id journal.ID) [32]byte {
	return sha256.Sum256(append([]byte(act+" "), id[:]...))
}

func digestOf(act string) [32]byte { return sha256.Sum256([]byte(act)) }

// A Part is a ticket of an order with its print jobs, in brief.
type Part struct {
	ID      journal.ID
	Station string
	Kind    string
	State   string
	Jobs    []Job
}

// A Job is one ticket on one printer.
type Job struct {
	ID       journal.ID   `json:"id"`
	Ticket   journal.ID   `json:"ticket,omitzero"`
	Order    journal.ID   `json:"order,omitzero"`
	Printer  string       `json:"printer"`
	State    string       `json:"state" enum:"queued,sending,sent,printed,done,held,waiting,unknown,cleared,superseded,cancelled,failed"`
	Reason   string       `json:"reason,omitzero"`
	Evidence string       `json:"evidence,omitzero" enum:"process_id,fence,none"`
	Attempt  int          `json:"attempt,omitzero"`
	Sequence uint32       `json:"sequence,omitzero"`
	Banner   bool         `json:"banner,omitzero"`
	Settled  bool         `json:"settled,omitzero" doc:"nothing more happens to it by itself"`
	Kind     string       `json:"kind,omitzero" enum:"ticket,bill,receipt,test,slip"`
	Label    string       `json:"label,omitzero" doc:"what people call it"`
	Number   int          `json:"number,omitzero" doc:"of its order"`
	Station  string       `json:"station,omitzero"`
	At       time.Time    `json:"at,omitzero"`
	Steps    []trail.Step `json:"steps,omitzero"`
}

// Parts is what a written plan put into the journal.
func (p *Plan) Parts() []Part {
	parts := make([]Part, len(p.tickets))
	for i := range p.tickets {
		t := &p.tickets[i]
		parts[i] = Part{ID: t.ID, Station: t.Station, Kind: t.Kind, State: t.State, Jobs: make([]Job, len(t.jobs))}
		for j := range t.jobs {
			parts[i].Jobs[j] = Job{ID: t.jobs[j].id, Printer: t.jobs[j].queue.c.Name, State: string(t.jobs[j].state), Sequence: t.jobs[j].sequence}
		}
	}
	return parts
}

// Parts gives the tickets of each order, by its key.
func (k *Kitchen) Parts(ctx context.Context, orders []journal.ID) (map[int64][]Part, error) {
	parts := map[int64][]Part{}
	if len(orders) == 0 {
		return parts, nil
	}
	args := make([]any, len(orders))
	for i, id := range orders {
		args[i] = id.Key()
	}
	query := `SELECT t.order_key, t.id, t.station, t.kind, t.state, j.id, j.printer, j.state, j.reason, j.evidence, j.attempt, j.sequence, j.banner
FROM tickets t LEFT JOIN jobs j ON j.ticket_key = t.key WHERE t.order_key IN (?` + strings.Repeat(", ?", len(orders)-1) + `) ORDER BY t.key, j.key`
	err := queryAll(ctx, k.c.Journal.Read(), query, args, func(scan func(...any) error) error {
		var order int64
		var id, job []byte
		var p Part
		var printer, state, reason, evidence *string
		var attempt *int
		var sequence *uint32
		var banner *bool
		if err := scan(&order, &id, &p.Station, &p.Kind, &p.State, &job, &printer, &state, &reason, &evidence, &attempt, &sequence, &banner); err != nil {
			return err
		}
		p.ID, p.Jobs = journal.ID(id), []Job{}
		list := parts[order]
		if n := len(list); n == 0 || list[n-1].ID != p.ID {
			list = append(list, p)
		}
		if job != nil {
			at := &list[len(list)-1]
			at.Jobs = append(at.Jobs, Job{
				ID: journal.ID(job), Printer: *printer, State: *state, Reason: *reason, Evidence: *evidence, Attempt: *attempt, Sequence: *sequence, Banner: *banner,
			})
		}
		parts[order] = list
		return nil
	})
	return parts, err
}

// Steps gives what happened to an order's tickets and print jobs.
func (k *Kitchen) Steps(ctx context.Context, order journal.ID) ([]trail.Step, error) {
	var steps []trail.Step
	seen := map[journal.ID]bool{}
	const query = `SELECT t.id, t.station, t.log, j.id, j.printer, j.log FROM tickets t LEFT JOIN jobs j ON j.ticket_key = t.key WHERE t.order_key = ? ORDER BY t.key, j.key`
	err := queryAll(ctx, k.c.Journal.Read(), query, []any{order.Key()}, func(scan func(...any) error) error {
		var ticket, job []byte
		var station, log string
		var printer, jobLog *string
		if err := scan(&ticket, &station, &log, &job, &printer, &jobLog); err != nil {
			return err
		}
		id := journal.ID(ticket)
		if !seen[id] {
			seen[id] = true
			for _, s := range trail.Parse(log) {
				s.Ticket, s.Station = &id, station
				steps = append(steps, s)
			}
		}
		if job != nil {
			jobID := journal.ID(job)
			for _, s := range trail.Parse(*jobLog) {
				s.Event = "job_" + s.Event
				s.Ticket, s.Job, s.Station, s.Printer = &id, &jobID, station, *printer
				steps = append(steps, s)
			}
		}
		return nil
	})
	return steps, err
}

const selectJob = `SELECT j.printer, j.state, j.reason, j.evidence, j.attempt, j.sequence, j.banner, j.settled, j.kind, j.label, j.body, j.log, t.id, o.id, coalesce(t.content, '')
FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key LEFT JOIN orders o ON o.key = t.order_key WHERE j.key = ? AND j.id = ?`

// Job gives one job with the bytes of its ticket; ErrUnknown when there is none.
func (k *Kitchen) Job(ctx context.Context, id journal.ID) (Job, []byte, error) {
	j := Job{ID: id}
	var body, ticket, order, content []byte
	var log string
	err := k.c.Journal.Read().QueryRowContext(ctx, selectJob, id.Key(), id[:]).Scan(
		&j.Printer, &j.State, &j.Reason, &j.Evidence, &j.Attempt, &j.Sequence, &j.Banner, &j.Settled, &j.Kind, &j.Label, &body, &log, &ticket, &order, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return j, nil, fmt.Errorf("job %s: %w", id, ErrUnknown)
	}
	if err != nil {
		return j, nil, fmt.Errorf("read job %s: %w", id, err)
	}
	if err := k.complete(&j, ticket, order, content); err != nil {
		return j, nil, err
	}
	j.Steps = trail.Parse(log)
	return j, body, nil
}
