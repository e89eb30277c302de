package kitchen

import (
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// States of a ticket.
const (
	StateHeld      = "held" // waits to be fired
	StateNew       = "new"
	StateCooking   = "cooking"
	StateReady     = "ready"  // bumped; it left the station's screen
	StateServed    = "served" // left the kitchen, or speaks of a ticket that shows it itself
	StateCancelled = "cancelled"
	StateLeftOpen  = "left_open" // nobody said it was ready before the business day ended
)

// Kinds of tickets: an order's own, and what tells a station that it changed, is wanted no more, is to wait though its
// paper is out, or is to be cooked now that had to wait.
const (
	KindOrder  = "order"
	KindChange = "change"
	KindCancel = "cancel"
	KindHold   = "hold"
	KindFire   = "fire"

	KindNotInPOS = "not_in_pos" // a slip without lines: somebody has to type the order into the POS
)

// What a held ticket waits for.
const (
	HeldWaiter   = "waiter"   // somebody's word
	HeldPrevious = "previous" // the course before it to be ready everywhere
	HeldTime     = "time"     // FireAt
)

// What a change did to a line.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
)

// A Ticket is one station's part of an order, as screens and the API show it.
type Ticket struct {
	ID            journal.ID   `json:"id"`
	Order         journal.ID   `json:"order"`
	Number        int          `json:"number"`
	Station       string       `json:"station"`
	Kind          string       `json:"kind" enum:"order,change,cancel,hold,fire,not_in_pos"`
	State         string       `json:"state" enum:"held,new,cooking,ready,served,cancelled,left_open"`
	ChangedUnseen bool         `json:"changed_unseen"`
	Version       int          `json:"version" doc:"grows with each step of the ticket"`
	Priority      bool         `json:"priority,omitzero" doc:"to be cooked before the others"`
	Course        int          `json:"course,omitzero" doc:"1 more than the number of the course that is fired by itself; absent: cooked with the first"`
	First         int          `json:"first,omitzero" doc:"the course up to which everything of the order is cooked at once"`
	Held          string       `json:"held,omitzero" enum:"waiter,previous,time" doc:"what a held ticket waits for"`
	FireAt        time.Time    `json:"fire_at,omitzero" doc:"when a held ticket is fired by itself"`
	Service       string       `json:"service"`
	Table         string       `json:"table,omitzero"`
	WasTable      string       `json:"was_table,omitzero" doc:"the table before a move that nobody here has seen yet"`
	Covers        int          `json:"covers,omitzero"`
	Staff         string       `json:"staff,omitzero"`
	Partner       sale.Partner `json:"partner,omitzero"`
	Customer      string       `json:"customer,omitzero"`
	Notes         string       `json:"notes,omitzero"`
	AllergyNote   string       `json:"allergy_note,omitzero"`
	AllergySeen   bool         `json:"allergy_seen,omitzero" doc:"somebody here has seen that there is an allergy; before that no line can be ticked"`
	At            time.Time    `json:"at" doc:"age counts from here"`
	Due           time.Time    `json:"due,omitzero"`
	StartedAt     time.Time    `json:"started_at,omitzero"`
	BumpedAt      time.Time    `json:"bumped_at,omitzero"`
	BumpedBy      string       `json:"bumped_by,omitzero"`
	WarnAfter     int          `json:"warn_after" doc:"seconds of age"`
	LateAfter     int          `json:"late_after" doc:"seconds of age"`
	Lines         []Line       `json:"lines"`
	NotInPOS      bool         `json:"not_in_pos,omitzero" doc:"the POS does not have the order; somebody has to type it in"`
	Also          []string     `json:"also,omitzero" doc:"other stations with a part of this order"`
}

// A Line is one dish on a ticket.
type Line struct {
	N         int        `json:"n"`
	Course    int        `json:"course,omitzero"`
	Quantity  int        `json:"quantity"`
	Was       int        `json:"was,omitzero" doc:"the quantity before a change"`
	Change    string     `json:"change,omitzero" enum:"added,changed,removed"`
	Ticked    bool       `json:"ticked,omitzero" doc:"this dish is done"`
	At        time.Time  `json:"at,omitzero" doc:"when a line came that was ordered later than the rest"`
	SKU       string     `json:"sku,omitzero"`
	Name      string     `json:"name"`
	Notes     string     `json:"notes,omitzero"`
	Allergens []string   `json:"allergens,omitzero"`
	Modifiers []Modifier `json:"modifiers,omitzero"`
}

// A Modifier is flat with its level, 1 for the line's own, in the order to be read.
type Modifier struct {
	Level    int    `json:"level"`
	Quantity int    `json:"quantity"`
	Name     string `json:"name"`
}

// open tells whether the station's screens show the ticket.
func (t *Ticket) open() bool {
	switch t.State {
	case StateHeld, StateNew, StateCooking:
		return true
	}
	return t.State == StateCancelled && t.ChangedUnseen
}

// allergic tells whether the ticket speaks of an allergy.
func (t *Ticket) allergic() bool {
	return t.AllergyNote != "" || slices.ContainsFunc(t.Lines, func(l Line) bool { return len(l.Allergens) > 0 && l.Change != Removed })
}

// flatten appends modifiers with their levels.
func flatten(into []Modifier, ms []sale.Modifier, level int) []Modifier {
	for i := range ms {
		into = append(into, Modifier{level, ms[i].Count(), ms[i].Name})
		into = flatten(into, ms[i].Modifiers, level+1)
	}
	return into
}

func lineOf(n int, l *sale.Line) Line {
	return Line{
		N: n, Course: l.Course, Quantity: l.Quantity, SKU: l.SKU, Name: l.Name, Notes: l.Notes, Allergens: l.Allergens,
		Modifiers: flatten(nil, l.Modifiers, 1),
	}
}
