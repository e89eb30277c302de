package kitchen

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/devices/port/scan"
)

// pausedKey is the setting that keeps a printer paused over a restart.
func pausedKey(name string) string { return "printer/" + name + "/paused" }

// Pause holds a printer, or lets it go on, until a person says otherwise: over a restart too.
func (k *Kitchen) Pause(ctx context.Context, by access.Principal, name string, on bool) (PrinterView, error) {
	act, value := "printer_resumed", []byte(nil)
	if on {
		act, value = "printer_paused", []byte("true")
	}
	return k.manage(ctx, by, name, act, func(tx *journal.Tx, q *Queue) error {
		return tx.SetSetting(pausedKey(name), value, by.Name)
	}, func(q *Queue) {
		if on {
			q.printer.Pause()
		} else {
			q.printer.Resume()
		}
	})
}

// Recover lets a printer go on after an error that somebody mended.
func (k *Kitchen) Recover(ctx context.Context, by access.Principal, name string) (PrinterView, error) {
	return k.manage(ctx, by, name, "printer_recovered", nil, func(q *Queue) { q.printer.Recover() })
}

// Replace says that another device stands behind the printer's name now. Stations, queue and numbers stay.
func (k *Kitchen) Replace(ctx context.Context, by access.Principal, name string) (PrinterView, error) {
	return k.manage(ctx, by, name, "printer_replaced", func(tx *journal.Tx, _ *Queue) error {
		for _, what := range [...]string{"known", "hardware", "address"} { // of the device that is gone
			if err := tx.SetSetting("printer/"+name+"/"+what, nil, by.Name); err != nil {
				return err
			}
		}
		return nil
	}, func(q *Queue) {
		q.printer.Replace()
		k.c.Replaced(name)
	})
}

// manage records an act on a printer and does it once that is on disk.
func (k *Kitchen) manage(ctx context.Context, by access.Principal, name, act string, write func(*journal.Tx, *Queue) error, do func(*Queue)) (PrinterView, error) {
	q := k.Queue(name)
	if q == nil {
		return PrinterView{}, fmt.Errorf("printer %s: %w", name, ErrUnknownPrinter)
	}
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if write != nil {
			if err := write(tx, q); err != nil {
				return err
			}
		}
		return access.Record(tx, by, act, name, "")
	})
	if err != nil {
		return PrinterView{}, err
	}
	do(q)
	return k.view(q.c), nil
}

// selectQueue is what a person may move: all that did not begin, and what was left in the middle.
const selectQueue = `SELECT j.id, j.state, j.attempt, j.redo, j.kind, j.label, j.paper, coalesce(t.content, '') FROM jobs j LEFT JOIN tickets t ON t.key = j.ticket_key
WHERE j.printer = ? AND j.settled = 0 AND j.state <> 'printed' AND (j.ticket_key <> 0 OR j.paper <> 0) ORDER BY j.key LIMIT 500`

// MoveQueue gives the jobs that wait for a printer to another, in their order, each headed by the station it is for. What
// may be on paper already goes under the banner; what is being printed stays, and so does a bill or receipt of which
// nobody knows whether it was printed.
func (k *Kitchen) MoveQueue(ctx context.Context, by access.Principal, from, to string) (moved int, err error) {
	q, target := k.Queue(from), k.Queue(to)
	if q == nil || target == nil {
		return 0, fmt.Errorf("move the queue of %s to %s: %w", from, to, ErrUnknownPrinter)
	}
	err = k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		moved = 0
		n, err := q.moveAll(tx, target, selectQueue, from)
		if err != nil {
			return err
		}
		moved = n
		return access.Record(tx, by, "queue_moved", from, fmt.Sprintf("%d to %s", n, to))
	})
	return moved, err
}

// Test queues a test page.
func (k *Kitchen) Test(ctx context.Context, by access.Principal, name string) (journal.ID, error) {
	return k.page(ctx, by, name, "printer_tested", newJob{kind: JobTest, body: k.Queue(name).printer.TestBody(EnvelopeWords(k.Queue(name).c.Words))})
}

// page queues a page of the box's own on a printer.
func (k *Kitchen) page(ctx context.Context, by access.Principal, name, act string, j newJob) (journal.ID, error) {
	j.id, j.queue = k.c.Journal.NewID(), k.Queue(name)
	return j.id, k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := access.Record(tx, by, act, name, j.kind); err != nil {
			return err
		}
		page := j // an attempt that comes to nothing leaves no trace in the next
		return page.queue.insert(tx, &Ticket{}, &page)
	})
}

// Slip prints a number in the largest letters, so that a person sees which device a printer is.
func (k *Kitchen) Slip(ctx context.Context, by access.Principal, name string, number int, line string) error {
	q := k.Queue(name)
	if q == nil {
		return fmt.Errorf("printer %s: %w", name, ErrUnknownPrinter)
	}
	_, err := k.page(ctx, by, name, "printer_identified", newJob{kind: JobSlip, body: scan.SlipBody(q.c.Profile, q.c.Words.Lang(), number, name, line)})
	return err
}

// A Page is paper that another part of the house wants printed within its own transaction.
type Page struct {
	ID      journal.ID
	Printer string
	Kind    string // JobBill, JobReceipt
	Label   string // what people call it
	Paper   int64  // for Papers.Render
	Body    []byte
	Drawer  bool // the printer's cash drawer opens after the cut
}

// Print queues a page within tx. The error is ErrUnknownPrinter for a name that is none.
func (k *Kitchen) Print(tx *journal.Tx, p Page) error {
	q := k.Queue(p.Printer)
	if q == nil {
		return fmt.Errorf("printer %s: %w", p.Printer, ErrUnknownPrinter)
	}
	j := newJob{id: p.ID, queue: q, kind: p.Kind, label: p.Label, paper: p.Paper, body: p.Body}
	if p.Drawer {
		j.drawer = q.c.Drawer
	}
	return q.insert(tx, &Ticket{}, &j)
}

// movingTo tells to which printer the jobs of q go for now, because it has taken none for too long; "" when they stay.
func (k *Kitchen) movingTo(q *Queue, now time.Time) string {
	_, held, _ := q.Waiting()
	to := k.Queue(q.c.Fallback)
	if to == nil || held.IsZero() || now.Sub(held) < q.c.FallbackAfter {
		return ""
	}
	if _, alsoHeld, _ := to.Waiting(); !alsoHeld.IsZero() {
		return ""
	}
	return q.c.Fallback
}
