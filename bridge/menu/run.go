package menu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
)

// States of a run.
const (
	Queued     = "queued"
	Running    = "running"
	Publishing = "publishing" // the aggregator works on it
	Asking     = "asking"     // the guard stopped it; a person decides
	Done       = "done"
	Failed     = "failed"
	Dismissed  = "dismissed" // a person decided against what it asked
)

// Triggers of a run.
const (
	Manual    = "manual"
	Scheduled = "scheduled"
	CatchUp   = "catch_up"  // made up after the box was off
	Confirmed = "confirmed" // again, after a person agreed to what the guard stopped
)

// Causes of a run that did not come to its end.
const (
	CauseNoSource    = "no_source"
	CausePOS         = "pos_unreachable"
	CauseEmpty       = "empty_catalogue"
	CauseShrunk      = "shrunk_catalogue"
	CauseBlocked     = "publish_blocked"
	CauseNoMenu      = "nothing_to_publish"
	CausePublish     = "publish_failed"
	CauseTimeout     = "job_timeout"
	CauseUnsupported = "publish_unsupported"
	CauseInterrupted = "interrupted"
)

// A Run is one update of a menu from the POS, its publication, or both.
type Run struct {
	ID        journal.ID           `json:"id"`
	Menu      string               `json:"menu"`
	Trigger   string               `json:"trigger" enum:"manual,scheduled,catch_up,confirmed,aggregator"`
	By        string               `json:"by,omitzero"`
	State     string               `json:"state" enum:"queued,running,publishing,asking,done,failed,dismissed"`
	Update    bool                 `json:"update" doc:"takes over what the POS has"`
	Publish   bool                 `json:"publish" doc:"brings the menu to the aggregator"`
	QueuedAt  time.Time            `json:"queued_at"`
	StartedAt time.Time            `json:"started_at,omitzero"`
	EndedAt   time.Time            `json:"ended_at,omitzero"`
	Cause     string               `json:"cause,omitzero" doc:"why it failed or asks"`
	Detail    string               `json:"detail,omitzero"`
	Count     Count                `json:"count,omitzero"`
	Added     int                  `json:"added"`
	Changed   int                  `json:"changed"`
	Removed   int                  `json:"removed"`
	Guard     *Guard               `json:"guard,omitzero"`
	Unlinked  *Unlinked            `json:"unlinked,omitzero" doc:"after it"`
	Published bool                 `json:"published"`
	Job       string               `json:"job,omitzero" doc:"of the aggregator"`
	Partners  []channel.PartnerJob `json:"partners,omitzero"`
	Allow     int                  `json:"allow,omitzero" doc:"so many items may go: a person agreed"`
	Errand    *Errand              `json:"errand,omitzero" doc:"what the aggregator asked for"`
}

func (r *Run) open() bool { return r.State == Queued || r.State == Running || r.State == Publishing }

const (
	insertRun    = `INSERT INTO menu_runs (key, menu, state, content) VALUES (?, ?, ?, ?)`
	updateRun    = `UPDATE menu_runs SET state = ?, content = ? WHERE key = ?`
	selectRun    = `SELECT content FROM menu_runs WHERE key = ?`
	selectOpen   = `SELECT content FROM menu_runs WHERE state IN ('queued', 'running', 'publishing') ORDER BY key`
	selectRuns   = `SELECT content FROM menu_runs WHERE (? = '' OR menu = ?) AND key < ? ORDER BY key DESC LIMIT ?`
	selectAsking = `SELECT content FROM menu_runs WHERE menu = ? AND state = 'asking' ORDER BY key`
	selectOldRun = `SELECT content FROM menu_runs WHERE menu = ? ORDER BY key DESC LIMIT 20 OFFSET ?`
	deleteRun    = `DELETE FROM menu_runs WHERE key = ?`
)

func scanRun(scan func(...any) error) (r Run, err error) {
	var content []byte
	if err = scan(&content); err == nil {
		err = json.Unmarshal(content, &r)
	}
	return r, err
}

// save writes the run as it is now, and tells the feed.
func (r *Run) save(tx *journal.Tx) error {
	if _, err := tx.Exec(updateRun, r.State, encode(r), r.ID.Key()); err != nil {
		return err
	}
	tx.Change("menu", "sync/"+r.Menu, encode(r))
	return nil
}

// Start queues a run by hand. A run that is under way for the menu is ErrRunning, with that run.
func (s *Service) Start(ctx context.Context, by access.Principal, menu string, update, publish bool) (Run, error) {
	return s.start(ctx, Run{Menu: menu, Trigger: Manual, By: by.Name, Update: update, Publish: publish}, func(tx *journal.Tx) error {
		return access.Record(tx, by, "menu_sync", menu, fmt.Sprintf("update %v, publish %v", update, publish))
	})
}

func (s *Service) start(ctx context.Context, r Run, also func(*journal.Tx) error) (Run, error) {
	m := s.menu(r.Menu)
	switch {
	case m == nil:
		return r, ErrMenu
	case r.Update && s.c.Source == nil:
		return r, ErrNoSource
	}
	write := s.c.Journal.Write
	if r.Trigger == Scheduled || r.Trigger == CatchUp {
		write = s.c.Journal.Insist
	}
	var under *Run
	err := write(ctx, func(tx *journal.Tx) error {
		under = nil
		err := tx.Query(selectOpen, nil, func(scan func(...any) error) error {
			o, err := scanRun(scan)
			if err == nil && o.Menu == r.Menu && o.Errand == nil {
				under = &o
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case under != nil:
			return ErrRunning
		}
		r.ID, r.State, r.QueuedAt = s.c.Journal.NewID(), Queued, tx.Now()
		if _, err := tx.Exec(insertRun, r.ID.Key(), r.Menu, r.State, encode(r)); err != nil {
			return err
		}
		tx.Change("menu", "sync/"+r.Menu, encode(r))
		if err := s.prune(tx, r.Menu); err != nil {
			return err
		}
		tx.After(func(err error) {
			if err == nil {
				signal(s.wake)
			}
		})
		return also(tx)
	})
	if under != nil {
		return *under, err
	}
	return r, err
}

// prune forgets the oldest runs of a menu with their changes.
func (s *Service) prune(tx *journal.Tx, menu string) error {
	var old []Run
	err := tx.Query(selectOldRun, []any{menu, runsKept}, func(scan func(...any) error) error {
		r, err := scanRun(scan)
		old = append(old, r)
		return err
	})
	for _, r := range old {
		for _, name := range []string{docRun(r.ID), docTold(r.ID)} {
			if err == nil {
				err = forget(tx, name)
			}
		}
		if err == nil {
			_, err = tx.Exec(deleteRun, r.ID.Key())
		}
	}
	return err
}

// Find reads one run.
func (s *Service) Find(ctx context.Context, id journal.ID) (Run, error) {
	var found *Run
	err := s.c.Journal.Each(ctx, selectRun, []any{id.Key()}, func(scan func(...any) error) error {
		r, err := scanRun(scan)
		found = &r
		return err
	})
	if err == nil && (found == nil || found.ID != id) {
		err = ErrRun
	}
	if err != nil {
		return Run{}, err
	}
	return *found, nil
}

// Runs lists the latest runs, the newest first: of one menu, or of all with "".
func (s *Service) Runs(ctx context.Context, menu string, before journal.ID, limit int) ([]Run, error) {
	key := before.Key()
	if before == (journal.ID{}) {
		key = 1<<63 - 1
	}
	list := []Run{}
	err := s.c.Journal.Each(ctx, selectRuns, []any{menu, menu, key, limit}, func(scan func(...any) error) error {
		r, err := scanRun(scan)
		list = append(list, r)
		return err
	})
	return list, err
}

// Changes reads what a run changed.
func (s *Service) Changes(ctx context.Context, id journal.ID) ([]Change, error) {
	var list []Change
	_, err := s.read(ctx, docRun(id), &list)
	return list, err
}

// Confirm agrees to what the guard of a run stopped: it runs again, and so many items may go.
func (s *Service) Confirm(ctx context.Context, by access.Principal, id journal.ID) (Run, error) {
	r, err := s.Find(ctx, id)
	if err != nil {
		return r, err
	}
	if r.State != Asking || r.Guard == nil {
		return r, ErrNotAsking
	}
	return s.start(ctx, Run{Menu: r.Menu, Trigger: Confirmed, By: by.Name, Update: true, Publish: r.Publish, Allow: r.Guard.Gone}, func(tx *journal.Tx) error {
		if err := s.dismiss(tx, id); err != nil {
			return err
		}
		return access.Record(tx, by, "menu_sync_confirm", r.Menu, fmt.Sprintf("%d of %d items may go", r.Guard.Gone, r.Guard.Had))
	})
}

// Dismiss decides against what the guard of a run stopped: everything stays as it was.
func (s *Service) Dismiss(ctx context.Context, by access.Principal, id journal.ID) (Run, error) {
	r, err := s.Find(ctx, id)
	if err != nil {
		return r, err
	}
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := s.dismiss(tx, id); err != nil {
			return err
		}
		return access.Record(tx, by, "menu_sync_dismiss", r.Menu, "")
	})
	if err != nil {
		return r, err
	}
	return s.Find(ctx, id)
}

func (s *Service) dismiss(tx *journal.Tx, id journal.ID) error {
	var r Run
	err := tx.Query(selectRun, []any{id.Key()}, func(scan func(...any) error) (err error) {
		r, err = scanRun(scan)
		return err
	})
	switch {
	case err != nil:
		return err
	case r.State != Asking:
		return ErrNotAsking
	}
	r.State, r.EndedAt = Dismissed, tx.Now()
	tx.After(func(err error) {
		if err == nil {
			s.asks(r.Menu, false)
		}
	})
	return r.save(tx)
}

// asks shows that a run waits for a decision, or no more.
func (s *Service) asks(id string, on bool) {
	m := s.menu(id)
	if m == nil {
		return
	}
	m.mu.Lock()
	m.asking = on
	m.mu.Unlock()
	s.raise(on, "menu_asks", warning.Warn, m.ID, m.Title)
}

func (s *Service) loadAsking(ctx context.Context) error {
	for _, m := range s.menus {
		asking := false
		err := s.c.Journal.Each(ctx, selectAsking, []any{m.ID}, func(scan func(...any) error) error {
			asking = true
			return scan(new([]byte))
		})
		if err != nil {
			return err
		}
		s.asks(m.ID, asking)
	}
	return nil
}

// recover ends runs that the box was stopped in: what was to be updated is done again from its start, a job at the aggregator
// is followed further.
func (s *Service) recover(ctx context.Context) error {
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		var open []Run
		err := tx.Query(selectOpen, nil, func(scan func(...any) error) error {
			r, err := scanRun(scan)
			open = append(open, r)
			return err
		})
		for _, r := range open {
			if err != nil {
				return err
			}
			switch {
			case r.State == Running:
				r.State = Queued
			case r.State == Publishing && r.Job == "":
				r.State, r.Cause, r.EndedAt = Failed, CauseInterrupted, tx.Now()
			default:
				continue
			}
			err = r.save(tx)
		}
		if err == nil {
			_, err = tx.Exec(deleteOrphans, tx.Now().Add(-time.Hour).UnixMilli()<<12) // generations are numbers of ids: younger ones may be in the writing
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take up the runs of menus: %w", err)
	}
	return nil
}

// work does one run after the other: what people asked for first, then what is due.
func (s *Service) work(ctx context.Context) error {
	for {
		next, err := s.step(ctx)
		if err != nil {
			return err
		}
		if next == 0 {
			continue
		}
		t := time.NewTimer(next)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-s.wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// maxRest is how long work rests at most: the clock of the box may be set meanwhile.
const maxRest = time.Minute

// step does the next run, if there is one, and tells how long to rest; 0 means that there may be more to do.
func (s *Service) step(ctx context.Context) (time.Duration, error) {
	if ctx.Err() != nil {
		return maxRest, nil
	}
	var next *Run
	err := s.c.Journal.Each(ctx, selectOpen, nil, func(scan func(...any) error) error {
		r, err := scanRun(scan)
		if next == nil && s.menu(r.Menu) != nil {
			next = &r
		}
		return err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return maxRest, nil
	case err != nil:
		return 0, fmt.Errorf("read what is to be updated: %w", err)
	case next != nil:
		return 0, s.do(ctx, next)
	}
	return s.due(ctx)
}

// due queues the runs whose time has come, and moves their grids on in the same transaction.
func (s *Service) due(ctx context.Context) (time.Duration, error) {
	now, next := s.c.Now().UTC(), maxRest
	for _, m := range s.menus {
		set := m.settings.Load()
		if !set.AutoUpdate || s.c.Source == nil {
			continue
		}
		m.mu.Lock()
		was := m.grid
		m.mu.Unlock()
		every := set.every()
		g := was.align(now, every, s.c.Jitter)
		if wait := g.Due.Sub(now); wait > 0 {
			next = min(next, wait)
			if g != was {
				if err := s.move(ctx, m, g); err != nil {
					return 0, err
				}
			}
			continue
		}
		trigger := Scheduled
		if now.Sub(g.Due) > maxJitter {
			trigger = CatchUp
		}
		fresh := g.after(now, every, s.c.Jitter)
		_, err := s.start(ctx, Run{Menu: m.ID, Trigger: trigger, Update: true, Publish: set.AutoPublish}, func(tx *journal.Tx) error {
			return s.place(tx, m, fresh)
		})
		if errors.Is(err, ErrRunning) { // a person was faster: the slot is used up all the same
			err = s.move(ctx, m, fresh)
		}
		if err != nil && ctx.Err() == nil {
			return 0, fmt.Errorf("queue the update of %s: %w", m.ID, err)
		}
		next = 0
	}
	return next, nil
}

func (s *Service) move(ctx context.Context, m *menu, g grid) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return s.place(tx, m, g) })
}

func (s *Service) place(tx *journal.Tx, m *menu, g grid) error {
	tx.After(func(err error) {
		if err == nil {
			m.mu.Lock()
			m.grid = g
			m.mu.Unlock()
		}
	})
	_, err := tx.Exec(upsertGrid, m.ID, g.Slot, g.Due)
	return err
}

// end writes the last state of a run.
func (s *Service) end(ctx context.Context, r *Run, state, cause, detail string) error {
	r.State, r.Cause, r.Detail, r.EndedAt = state, cause, clip(detail), s.c.Now().UTC()
	m := s.menu(r.Menu)
	m.mu.Lock()
	unlinked := m.unlinked
	m.mu.Unlock()
	r.Unlinked = &unlinked
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if r.Update && (state == Done || state == Asking) {
			if err := supersede(tx, r); err != nil {
				return err
			}
		}
		return r.save(tx)
	})
	if err != nil {
		return err
	}
	if r.Errand == nil {
		s.raise(state == Failed, "menu_sync_failed", warning.Warn, m.ID, m.Title, s.words.T("menu.cause."+orWord(cause)))
	}
	if r.Update && state == Done {
		signal(s.photos.look)
	}
	if state == Asking || r.Update && state == Done {
		s.asks(r.Menu, state == Asking)
	}
	s.c.Log.Info("menu updated", "menu", r.Menu, "run", r.ID, "state", state, "cause", cause, "added", r.Added, "changed", r.Changed, "removed", r.Removed, "published", r.Published)
	return nil
}

// supersede ends runs that asked before r came.
func supersede(tx *journal.Tx, r *Run) error {
	var old []Run
	err := tx.Query(selectAsking, []any{r.Menu}, func(scan func(...any) error) error {
		o, err := scanRun(scan)
		if o.ID != r.ID {
			old = append(old, o)
		}
		return err
	})
	for _, o := range old {
		if err == nil {
			o.State, o.EndedAt = Dismissed, tx.Now()
			err = o.save(tx)
		}
	}
	return err
}

func orWord(cause string) string {
	if cause == "" {
		return CauseInterrupted
	}
	return cause
}

// clip keeps what another program said to a length that fits a page.
func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "\ufffd"))
	if len(r) > 300 {
		r = slices.Concat(r[:299], []rune("…"))
	}
	return string(r)
}
