package expo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// A Row is one order at the pass.
type Row struct {
	ID        journal.ID   `json:"id"`
	Number    int          `json:"number"`
	State     string       `json:"state" enum:"accepted,prepared,handed_off,cancelled"`
	Service   string       `json:"service"`
	Table     string       `json:"table,omitzero"`
	Covers    int          `json:"covers,omitzero"`
	Staff     string       `json:"staff,omitzero"`
	Partner   sale.Partner `json:"partner,omitzero"`
	Customer  string       `json:"customer,omitzero"`
	Notes     string       `json:"notes,omitzero"`
	Allergy   []string     `json:"allergy,omitzero" doc:"the order's own note first, then what its lines name"`
	At        time.Time    `json:"at" doc:"age counts from here"`
	Due       time.Time    `json:"due,omitzero" doc:"when guest or courier comes for it"`
	WarnAfter int          `json:"warn_after" doc:"seconds of age"`
	LateAfter int          `json:"late_after" doc:"seconds of age"`
	Lamps     []Lamp       `json:"lamps"`
}

// A Lamp is one station's part of an order.
type Lamp struct {
	Station string    `json:"station"`
	State   string    `json:"state" enum:"held,new,cooking,ready,served,cancelled,left_open"`
	Items   int       `json:"items"`
	Screen  bool      `json:"screen" doc:"somebody at this station says when it is ready"`
	Unseen  bool      `json:"unseen,omitzero" doc:"a change that the station has not confirmed yet"`
	ReadyAt time.Time `json:"ready_at,omitzero"`
}

// Bounds of what the pass shows: rows, and how old an order may be that nobody handed over.
const (
	MaxRows = 300
	Oldest  = 12 * time.Hour
	// MaxTakeBack is how many orders the list of those handed over holds.
	MaxTakeBack = 50
)

const (
	selectOpen  = `SELECT key, id, number, state FROM orders WHERE key >= ? AND state IN ('accepted', 'prepared', 'cancelled') ORDER BY key DESC LIMIT ?`
	selectGone  = `SELECT key, id, number, state FROM orders WHERE key >= ? AND state = 'handed_off' ORDER BY key DESC LIMIT ?`
	selectOrder = `SELECT key, id, number, state FROM orders WHERE key = ?`
	selectParts = `SELECT order_key, station, state, unseen, bumped_at, content FROM tickets WHERE parent = 0 AND order_key IN (?%s) ORDER BY key`
)

// handedOff is the one order state a row of the list of those handed over has.
const handedOff = "handed_off"

// leftOpen is the state of a ticket that nobody said was ready before the business day ended.
const leftOpen = "left_open"

// open reads every row of the pass, the oldest first.
func (e *Expo) open(ctx context.Context) ([]Row, error) {
	return e.rows(ctx, selectOpen, e.since(), MaxRows)
}

// gone reads what was handed over lately, the newest first.
func (e *Expo) gone(ctx context.Context) ([]Row, error) {
	rows, err := e.rows(ctx, selectGone, e.since(), MaxTakeBack)
	slices.Reverse(rows)
	return rows, err
}

func (e *Expo) since() int64 { return journal.KeyAt(e.c.Now().Add(-Oldest)) }

// rows reads the rows of the orders that query selects, the oldest first. An order that has nothing to show is left out.
func (e *Expo) rows(ctx context.Context, query string, args ...any) ([]Row, error) {
	var keys []any
	byKey := map[int64]*Row{}
	err := e.c.Journal.Each(ctx, query, args, func(scan func(...any) error) error {
		var key int64
		var id []byte
		r := Row{Lamps: []Lamp{}}
		if err := scan(&key, &id, &r.Number, &r.State); err != nil {
			return err
		}
		r.ID = journal.ID(id)
		byKey[key], keys = &r, append(keys, key)
		return nil
	})
	if err != nil || len(keys) == 0 {
		return []Row{}, err
	}
	err = e.c.Journal.Each(ctx, fmt.Sprintf(selectParts, strings.Repeat(", ?", len(keys)-1)), keys, func(scan func(...any) error) error {
		var key, bumped int64
		var p part
		var content []byte
		if err := scan(&key, &p.station, &p.state, &p.unseen, &bumped, &content); err != nil {
			return err
		}
		if err := json.Unmarshal(content, &p.ticket); err != nil {
			return fmt.Errorf("the journal holds a ticket of order %s that cannot be read: %w", byKey[key].ID, err)
		}
		p.bumped = journal.FromMicros(bumped)
		byKey[key].add(&p, e.screens[p.station])
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]Row, 0, len(keys))
	for _, key := range slices.Backward(keys) {
		if r := byKey[key.(int64)]; r.shown() {
			slices.SortFunc(r.Lamps, func(a, b Lamp) int { return cmp.Compare(e.place[a.Station], e.place[b.Station]) })
			list = append(list, *r)
		}
	}
	return list, nil
}

// part is a ticket as far as the pass reads it: bridge/kitchen's JSON of it, which is also in the change feed.
type part struct {
	station, state string
	unseen         bool
	bumped         time.Time
	ticket         struct {
		Service     string       `json:"service"`
		Table       string       `json:"table"`
		Covers      int          `json:"covers"`
		Staff       string       `json:"staff"`
		Partner     sale.Partner `json:"partner"`
		Customer    string       `json:"customer"`
		Notes       string       `json:"notes"`
		AllergyNote string       `json:"allergy_note"`
		At          time.Time    `json:"at"`
		Due         time.Time    `json:"due"`
		WarnAfter   int          `json:"warn_after"`
		LateAfter   int          `json:"late_after"`
		Lines       []struct {
			Quantity  int      `json:"quantity"`
			Change    string   `json:"change"`
			Allergens []string `json:"allergens"`
		} `json:"lines"`
	}
}

// states of a ticket in the order of its life; a lamp shows the earliest of its station's tickets. A course that is held
// shows only when nothing before it is under way.
var states = []string{"new", "cooking", "ready", "held", "served", "cancelled"}

// add counts one ticket in. screen tells whether its station has one.
func (r *Row) add(p *part, screen bool) {
	if p.state == leftOpen {
		return // archived at the end of a business day
	}
	t := &p.ticket
	r.Service, r.Table, r.Covers, r.Staff, r.Partner, r.Customer, r.Notes, r.Due = t.Service, t.Table, t.Covers, t.Staff, t.Partner, t.Customer, t.Notes, t.Due
	if r.At.IsZero() || t.At.Before(r.At) {
		r.At = t.At
	}
	r.WarnAfter, r.LateAfter = max(r.WarnAfter, t.WarnAfter), max(r.LateAfter, t.LateAfter)
	items := 0
	for i := range t.Lines {
		if l := &t.Lines[i]; l.Change != "removed" {
			items += l.Quantity
			for _, a := range l.Allergens {
				r.warn(a)
			}
		}
	}
	if t.AllergyNote != "" && !slices.Contains(r.Allergy, t.AllergyNote) {
		r.Allergy = slices.Insert(r.Allergy, 0, t.AllergyNote)
	}
	at := slices.IndexFunc(r.Lamps, func(l Lamp) bool { return l.Station == p.station })
	if at < 0 {
		r.Lamps = append(r.Lamps, Lamp{Station: p.station, State: p.state, Items: items, Screen: screen, Unseen: p.unseen, ReadyAt: p.bumped})
		return
	}
	l := &r.Lamps[at]
	if slices.Index(states, p.state) < slices.Index(states, l.State) {
		l.State = p.state
	}
	l.Items += items
	l.Unseen = l.Unseen || p.unseen
	if p.bumped.After(l.ReadyAt) {
		l.ReadyAt = p.bumped
	}
}

func (r *Row) warn(allergen string) {
	if !slices.Contains(r.Allergy, allergen) {
		r.Allergy = append(r.Allergy, allergen)
	}
}

// shown tells whether somebody at the pass has anything to do with the order: a cancelled one is shown until its stations
// have taken note.
func (r *Row) shown() bool {
	if r.State == "cancelled" {
		return slices.ContainsFunc(r.Lamps, func(l Lamp) bool { return l.Unseen })
	}
	return slices.ContainsFunc(r.Lamps, func(l Lamp) bool { return l.State != "served" && l.State != "cancelled" }) || r.State == handedOff
}
