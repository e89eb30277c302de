package kitchen

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// UnseenAfter is how long a ticket may be neither on glass nor on paper before somebody must know.
const UnseenAfter = 10 * time.Second

// Bounds of the watch over tickets that nobody has seen.
const (
	maxFresh   = 4096 // tickets of the last seconds; of a rush beyond it printers and screens answer for themselves
	maxUnseen  = 256  // tickets that are looked at again each time
	lookUnseen = time.Second
)

// sighting is a ticket that came to be cooked and may not have been seen yet.
type sighting struct {
	id journal.ID
	at time.Time
}

// watchFor has the ticket looked at when UnseenAfter has passed. b.mu is held.
func (b *Board) watchFor(id journal.ID) {
	if len(b.unseen) < maxFresh {
		b.unseen = append(b.unseen, sighting{id, b.now()})
	}
}

// dueSightings takes the tickets out that somebody must have seen by now.
func (b *Board) dueSightings() []journal.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := b.now().Add(-UnseenAfter)
	n := 0
	for n < len(b.unseen) && n < maxUnseen && !b.unseen[n].at.After(limit) {
		n++
	}
	ids := make([]journal.ID, n)
	for i := range ids {
		ids[i] = b.unseen[i].id
	}
	if b.unseen = b.unseen[n:]; len(b.unseen) == 0 {
		b.unseen = nil
	}
	return ids
}

// selectUnseen are those of some tickets that are to be cooked, and of which no screen and no printer said anything.
const selectUnseen = `SELECT id, station, (SELECT count(*) FROM jobs j WHERE j.ticket_key = t.key AND j.settled = 0) FROM tickets t
WHERE key IN (?%s) AND painted_at = 0 AND state IN ('new', 'cooking')
AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.ticket_key = t.key AND j.state IN ('printed', 'done'))`

// LookForUnseen finds the tickets that nobody has seen for UnseenAfter, says so, and sends those that no printer has to one
// that can print them. It belongs to the goroutine of Run.
func (k *Kitchen) LookForUnseen(ctx context.Context) error {
	due := k.board.dueSightings()
	for id := range k.unseen {
		due = append(due, id)
	}
	if len(due) == 0 {
		return nil
	}
	args := make([]any, len(due))
	for i, id := range due {
		args[i] = id.Key()
	}
	found := map[journal.ID]string{}
	var homeless []journal.ID
	err := queryAll(ctx, k.c.Journal.Read(), fmt.Sprintf(selectUnseen, strings.Repeat(", ?", len(due)-1)), args, func(scan func(...any) error) error {
		var id []byte
		var station string
		var jobs int
		if err := scan(&id, &station, &jobs); err != nil {
			return err
		}
		if len(found) < maxUnseen {
			found[journal.ID(id)] = station
		}
		if _, known := k.unseen[journal.ID(id)]; jobs == 0 && !known {
			homeless = append(homeless, journal.ID(id))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for tickets that nobody has seen: %w", err)
	}
	was, is := stationsOf(k.unseen), stationsOf(found)
	k.unseen = found
	for station := range is {
		if !was[station] {
			k.c.OnUnseen(station, true)
		}
	}
	for station := range was {
		if !is[station] {
			k.c.OnUnseen(station, false)
		}
	}
	for _, id := range homeless {
		if err := k.printInstead(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func stationsOf(tickets map[journal.ID]string) map[string]bool {
	stations := map[string]bool{}
	for _, station := range tickets {
		stations[station] = true
	}
	return stations
}

const selectTried = `SELECT EXISTS (SELECT 1 FROM jobs WHERE ticket_key = ? AND attempt > 0)`

// printInstead puts a ticket on paper whose screen did not show it, headed by its station. Where a printer began it and
// nobody knows how far it came, the banner stands on it.
func (k *Kitchen) printInstead(ctx context.Context, id journal.ID) error {
	return k.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		r, err := loadTicket(tx, id)
		if err != nil || !working(r.State) {
			return err
		}
		q := k.standIn(r.Station)
		if q == nil {
			return nil // nothing here prints; the warning stands
		}
		j := newJob{id: k.c.Journal.NewID(), queue: q, body: q.paper.render(&r.Ticket, r.Station)}
		if err := tx.QueryRow(selectTried, []any{id.Key()}, &j.redo); err != nil {
			return err
		}
		if j.redo {
			j.reason = "unknown"
		}
		if err := q.insert(tx, &r.Ticket, &j); err != nil {
			return err
		}
		return appendLog(tx, id, trail.Append(nil, tx.Now(), "unseen", "", "printed on "+q.c.Name))
	})
}

// standIn is the printer for a ticket of a station that has none: of the station that its screens' backups show, else of
// the default, else any; one that takes work before one that does not. nil when there is no printer at all.
func (k *Kitchen) standIn(station string) *Queue {
	var candidates []*Queue
	add := func(names []string) {
		for _, name := range names {
			if q := k.Queue(name); q != nil {
				candidates = append(candidates, q)
			}
		}
	}
	if at := k.stationAt(station); at >= 0 {
		for _, name := range k.c.Stations[at].Screens {
			for _, shown := range k.board.shows[k.board.backup[name]] {
				if other := k.stationAt(shown); other >= 0 {
					add(k.c.Stations[other].Printers)
				}
			}
		}
	}
	add(k.c.Stations[k.routes.fallback].Printers)
	for _, p := range k.roster().list {
		add([]string{p.Name})
	}
	for _, q := range candidates {
		if _, held, _ := q.Waiting(); held.IsZero() {
			return q
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return nil
}
