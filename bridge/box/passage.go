package box

import (
	"context"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/kitchen"
	"aboyeur/bridge/order"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// passage is the hatch between orders and kitchen: it fits kitchen.Kitchen to order.Kitchen, since neither knows the
// other.
type passage struct{ k *kitchen.Kitchen }

var _ order.Kitchen = passage{}

func (p passage) Plan(o sale.Placed) order.Plan { return plan{p.k.Plan(o)} }
func (p passage) Change(o sale.Placed, before *sale.Order) order.Plan {
	return plan{p.k.Change(o, before)}
}
func (p passage) Cancel(o sale.Placed, by string) order.Plan { return plan{p.k.Cancel(o, by)} }

func (p passage) Steps(ctx context.Context, o journal.ID) ([]trail.Step, error) {
	return p.k.Steps(ctx, o)
}
func (p passage) Hand(tx *journal.Tx, o journal.ID, by string) error { return p.k.Hand(tx, o, by) }
func (p passage) Working(tx *journal.Tx, o journal.ID) ([]string, error) {
	return p.k.Working(tx, o)
}
func (p passage) Finish(tx *journal.Tx, o journal.ID, by string) error { return p.k.Finish(tx, o, by) }
func (p passage) NotInPOS(tx *journal.Tx, o sale.Placed, missing bool) error {
	return p.k.NotInPOS(tx, o, missing)
}
func (p passage) TakeBack(tx *journal.Tx, o journal.ID, by string) error {
	return p.k.TakeBack(tx, o, by)
}

func (p passage) Tickets(ctx context.Context, orders []journal.ID) (map[int64][]order.Ticket, error) {
	parts, err := p.k.Parts(ctx, orders)
	tickets := make(map[int64][]order.Ticket, len(parts))
	for key, list := range parts {
		tickets[key] = ticketsOf(list)
	}
	return tickets, err
}

type plan struct{ *kitchen.Plan }

func (p plan) Tickets() []order.Ticket { return ticketsOf(p.Parts()) }

func ticketsOf(parts []kitchen.Part) []order.Ticket {
	tickets := make([]order.Ticket, len(parts))
	for i, part := range parts {
		jobs := make([]order.Job, len(part.Jobs))
		for k, j := range part.Jobs {
			jobs[k] = order.Job{ID: j.ID, Printer: j.Printer, State: j.State, Evidence: j.Evidence, Attempt: j.Attempt, Reason: j.Reason}
		}
		tickets[i] = order.Ticket{ID: part.ID, Station: part.Station, Kind: part.Kind, State: part.State, Jobs: jobs}
	}
	return tickets
}
