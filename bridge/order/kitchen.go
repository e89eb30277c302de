package order

import (
	"context"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// Kitchen is where orders are cooked. A plan is made before the journal's transaction and written within it.
type Kitchen interface {
	// Plan decides which stations cook what and which printer prints it; it reads nothing but the order.
	Plan(o sale.Placed) Plan
	// Change plans what the stations must be told when before became o.
	Change(o sale.Placed, before *sale.Order) Plan
	// Cancel plans what the stations must be told when o is wanted no more.
	Cancel(o sale.Placed, by string) Plan
	// Tickets gives the tickets of each order, by its key.
	Tickets(ctx context.Context, orders []journal.ID) (map[int64][]Ticket, error)
	// Steps gives what happened to the order's tickets and print jobs, in any order.
	Steps(ctx context.Context, o journal.ID) ([]trail.Step, error)
	// Hand records, in the caller's transaction, that everything of the order left the kitchen.
	Hand(tx *journal.Tx, o journal.ID, by string) error
	// Working tells which stations are still at work on the order, as far as somebody will say that they are ready.
	Working(tx *journal.Tx, o journal.ID) ([]string, error)
	// Finish records, in the caller's transaction, that all of the order stands at the pass.
	Finish(tx *journal.Tx, o journal.ID, by string) error
	// NotInPOS tells the stations, in the caller's transaction, that the POS does not have the order, or that it has it now.
	NotInPOS(tx *journal.Tx, o sale.Placed, missing bool) error
	// TakeBack undoes Hand.
	TakeBack(tx *journal.Tx, o journal.ID, by string) error
}

// A Plan is what the kitchen will do about an order once it is written.
type Plan interface {
	// Write puts tickets and print jobs into the order's own transaction.
	Write(tx *journal.Tx) error
	// Tickets is what Write wrote; valid after it.
	Tickets() []Ticket
}

// Ticket is a station's part of an order, as an order's answer shows it.
type Ticket struct {
	ID      journal.ID `json:"id"`
	Station string     `json:"station"`
	Kind    string     `json:"kind" enum:"order,change,cancel,hold,fire,not_in_pos"`
	State   string     `json:"state" enum:"held,new,cooking,ready,served,cancelled,left_open"`
	Jobs    []Job      `json:"jobs"`
}

// Job is one ticket on one printer.
type Job struct {
	ID       journal.ID `json:"id"`
	Printer  string     `json:"printer"`
	State    string     `json:"state" enum:"queued,sending,sent,printed,done,held,waiting,unknown,cleared,superseded,cancelled,failed"`
	Evidence string     `json:"evidence,omitzero" enum:"process_id,fence,none"`
	Attempt  int        `json:"attempt,omitzero"`
	Reason   string     `json:"reason,omitzero"`
}
