package kitchen

import (
	"context"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/devices/printer"
)

// An Outage is a time in which a printer could take no work though people wanted it to.
type Outage struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero" doc:"absent while it lasts"`
	Reason string    `json:"reason"`
	Held   int       `json:"held" doc:"jobs that had to wait"`
}

// Bounds of the record of outages.
const (
	outagesKept  = 200         // of each printer
	outageWorthy = time.Second // shorter ones that kept nothing waiting are no news
)

// outage is one that lasts.
type outage struct {
	key  int64
	at   time.Time
	held int
}

const (
	insertOutage = `INSERT INTO outages (key, printer, reason, began, ended, held) VALUES (?, ?, ?, ?, 0, ?)`
	updateOutage = `UPDATE outages SET ended = ?, held = ? WHERE key = ?`
	deleteOutage = `DELETE FROM outages WHERE key = ?`
	pruneOutages = `DELETE FROM outages WHERE printer = ?1 AND key <= (SELECT key FROM outages WHERE printer = ?1 ORDER BY key DESC LIMIT 1 OFFSET ?2)`
	// What a former process left open ended, for all that is known, when this one began.
	closeOutages  = `UPDATE outages SET ended = ? WHERE ended = 0 AND key < ?`
	selectOutages = `SELECT key, began, ended, reason, held FROM outages WHERE printer = ? ORDER BY key DESC LIMIT ?`
)

// follow begins and ends the printer's outage as it is held for a reason, or for none. q.mu is held.
func (q *Queue) follow(reason string) {
	out := reason != "" && reason != printer.ReasonPaused
	switch o := q.outage; {
	case out && o == nil:
		inHand, _ := q.heldInHand()
		o = &outage{key: q.k.c.Journal.NewID().Key(), at: q.k.c.Now(), held: int(q.waiting.Load()) + inHand}
		q.outage = o
		q.k.c.Journal.Later(func(tx *journal.Tx) error {
			if _, err := tx.Exec(insertOutage, o.key, q.c.Name, reason, o.at, 0); err != nil {
				return err
			}
			_, err := tx.Exec(pruneOutages, q.c.Name, outagesKept)
			return err
		})
	case !out && o != nil:
		q.outage = nil
		now, held := q.k.c.Now(), o.held
		q.k.c.Journal.Later(func(tx *journal.Tx) error {
			var err error
			if now.Sub(o.at) < outageWorthy && held == 0 {
				_, err = tx.Exec(deleteOutage, o.key)
			} else {
				_, err = tx.Exec(updateOutage, now, held, o.key)
			}
			return err
		})
	}
}

// Outages lists the times in which a printer took no work, the latest first; the last 200 are kept.
func (k *Kitchen) Outages(ctx context.Context, name string, limit int) ([]Outage, error) {
	q := k.Queue(name)
	if q == nil {
		return nil, ErrUnknownPrinter
	}
	q.mu.Lock()
	var last outage
	if q.outage != nil {
		last = *q.outage
	}
	q.mu.Unlock()
	list := []Outage{}
	err := queryAll(ctx, k.c.Journal.Read(), selectOutages, []any{name, limit}, func(scan func(...any) error) error {
		var o Outage
		var key, began, ended int64
		if err := scan(&key, &began, &ended, &o.Reason, &o.Held); err != nil {
			return err
		}
		o.From, o.Until = journal.FromMicros(began), journal.FromMicros(ended)
		if key == last.key {
			o.Held = last.held
		}
		list = append(list, o)
		return nil
	})
	return list, err
}
