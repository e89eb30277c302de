package menu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
)

// targetPOS is the till among those that are told what is sold out.
const targetPOS = "pos"

const (
	selectTold = `SELECT sku FROM menu_told WHERE target = ?`
	insertTold = `INSERT INTO menu_told (target, sku, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	deleteTold = `DELETE FROM menu_told WHERE target = ? AND sku = ?`
)

// hearing is how it stands with a listener.
type hearing struct {
	again time.Time // not before then, after a failure
	wait  time.Duration
	seen  bool                 // what it shows was read since the start
	said  map[string]time.Time // by SKU, lately
}

// tell has every aggregator and the till know what is sold out, at once and until it succeeded: each is held against what it was
// told last, which is on disk. At the start and once an hour an aggregator that can be read is held against what it shows, too,
// and only what differs is said; who cannot be read hears all of it again, so that what somebody switched over there is put right
// (spec/delivery.md 6.3, step 9, and 11).
func (s *Service) tell(ctx context.Context) error {
	states := map[string]*hearing{}
	compared := s.c.Now()
	for {
		all := false
		if s.c.Now().Sub(compared).Abs() >= s.c.Compare {
			compared, all = s.c.Now(), true
		}
		rest := min(s.c.Compare, maxRest)
		for _, t := range s.listeners() {
			st := states[t.name]
			if st == nil {
				st = &hearing{said: map[string]time.Time{}}
				states[t.name] = st
			}
			if left := time.Until(st.again); left > 0 && !all {
				rest = min(rest, left)
				continue
			}
			err := s.reconcile(ctx, t, st, all)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				if st.wait = min(max(2*st.wait, s.c.Retry), 5*time.Minute); st.wait > 0 {
					st.again = time.Now().Add(st.wait)
				}
				rest = min(rest, st.wait)
				s.c.Log.Warn("what is sold out could not be told", "menu", t.name, "err", err)
			default:
				st.again, st.wait = time.Time{}, 0
			}
			s.raise(err != nil, "menu_sold_out", warning.Warn, t.name, t.title)
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.sold:
			timer.Stop()
			for _, st := range states {
				st.again = time.Time{} // news is worth a try
			}
		case <-timer.C:
		}
	}
}

// listener is who wants to know what is sold out.
type listener struct {
	name, title string
	menu        *menu // nil: the till
	say         func(ctx context.Context, sku string, on bool) error
}

func (s *Service) listeners() []listener {
	var list []listener
	if s.c.Available != nil {
		list = append(list, listener{targetPOS, s.words.T("menu.pos"), nil, s.till})
	}
	for _, m := range s.menus {
		if m.Client != nil {
			list = append(list, listener{m.ID, m.Title, m, func(ctx context.Context, sku string, on bool) error { return s.available(ctx, m, sku, on) }})
		}
	}
	return list
}

// till tells the POS, of what it knows: the kitchen may name what was never in it.
func (s *Service) till(ctx context.Context, sku string, on bool) error {
	if x := s.index.Load(); x != nil && x.bySKU[sku] == nil && x.modSKU[sku] == nil {
		return nil
	}
	return s.c.Available(ctx, sku, on)
}

// reconcile tells one listener what differs from what it was told; all: and what differs from what it shows, or all of it where
// that cannot be read.
func (s *Service) reconcile(ctx context.Context, t listener, st *hearing, all bool) error {
	told := map[string]bool{}
	err := s.c.Journal.Each(ctx, selectTold, []any{t.name}, func(scan func(...any) error) error {
		var sku string
		err := scan(&sku)
		told[sku] = true
		return err
	})
	if err != nil {
		return err
	}
	now := s.c.Now()
	for sku, at := range st.said {
		if now.Sub(at).Abs() > settle {
			delete(st.said, sku)
		}
	}
	var view *shown
	if t.menu != nil && (all || !st.seen) {
		if view, err = s.see(ctx, t.menu); err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.c.Log.Info("what the aggregator sells could not be read", "menu", t.name, "err", err)
		}
		st.seen = st.seen || view != nil
	}
	out := s.c.SoldOut()
	var failed error
	if view != nil {
		failed = s.compare(ctx, t.menu, view, out, told, func(sku string) bool { _, lately := st.said[sku]; return lately })
	}
	say := func(sku string, on bool, query string, args ...any) {
		err := t.say(ctx, sku, on)
		st.said[sku] = now
		if err == nil && t.menu != nil { // both are of one mind now
			s.dropThere(t.menu, func(e Elsewhere) bool { return e.SKU == sku })
		}
		if errors.Is(err, channel.ErrUnsupported) {
			err = nil
		}
		if err == nil {
			err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
				_, err := tx.Exec(query, args...)
				return err
			})
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("say that %s is sold out or back: %w", sku, err)
		}
	}
	for _, sku := range out {
		if all && view == nil || !told[sku] {
			say(sku, false, insertTold, t.name, sku, s.c.Now())
		}
	}
	for sku := range told {
		if !slices.Contains(out, sku) {
			say(sku, true, deleteTold, t.name, sku)
		}
	}
	return failed
}

// available tells an aggregator of every entity of its menu that a SKU stands behind: the item, and the modifier in each of its
// groups. What it does not show it need not know.
func (s *Service) available(ctx context.Context, m *menu, sku string, on bool) error {
	var remote channel.Menu
	if _, err := s.read(ctx, docRemote(m.ID), &remote); err != nil {
		return err
	}
	x := s.index.Load()
	var list []channel.Availability
	seen := map[string]bool{}
	x.entities(m.ID, &remote, func(e *entity) {
		if e.Kind == KindGroup || seen[e.ID] {
			return
		}
		if e.SKU == sku || e.Match.To != nil && e.Match.To.SKU == sku {
			seen[e.ID] = true
			list = append(list, channel.Availability{ID: e.ID, SKU: sku, On: on})
		}
	})
	if len(list) == 0 {
		return nil
	}
	return m.Client.Available(ctx, list)
}

// Name is what an item of the till is called there; "" when that is not known.
func (s *Service) Name(sku string) string {
	x := s.index.Load()
	if x == nil {
		return ""
	}
	if at := x.bySKU[sku]; at != nil {
		return at.Name
	}
	if at := x.modSKU[sku]; at != nil {
		return at.Name
	}
	return ""
}
