package order

import (
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// States of an order; the last three are final.
const (
	WaitingAccept = "waiting_accept"
	Scheduled     = "scheduled" // taken, and kept until ReleaseBefore ahead of its time
	Accepted      = "accepted"  // the kitchen has it
	Prepared      = "prepared"  // every station is ready
	HandedOff     = "handed_off"
	Fulfilled     = "fulfilled"
	Cancelled     = "cancelled"
	Rejected      = "rejected"
)

// Whether the POS has the order. The built-in POS has it as soon as the journal does.
const (
	NotYet  = ""
	Pending = "pending"
	Yes     = "yes"
	No      = "no"
	Manual  = "manual"
)

// states are all that an order can be in.
var states = []string{WaitingAccept, Scheduled, Accepted, Prepared, HandedOff, Fulfilled, Cancelled, Rejected}

func final(state string) bool { return state == Fulfilled || state == Cancelled || state == Rejected }

// Receipt answers an order taken.
type Receipt struct {
	ID          journal.ID `json:"id"`
	Number      int        `json:"number"`
	State       string     `json:"state" enum:"waiting_accept,scheduled,accepted,prepared,handed_off,fulfilled,cancelled,rejected"`
	InPOS       string     `json:"in_pos" enum:",pending,yes,no,manual"`
	Tickets     []Ticket   `json:"tickets"`
	ReceivedAt  time.Time  `json:"received_at"`
	CommittedAt time.Time  `json:"committed_at"`
}

// View is an order as it stands now: its receipt, what it says, and on its own page its time line.
type View struct {
	Receipt
	BusinessDay string       `json:"business_day"`
	Injection   Injection    `json:"injection"`
	VoidPending bool         `json:"void_pending"`
	ReleaseAt   time.Time    `json:"release_at,omitzero"`
	ShowAt      time.Time    `json:"show_at,omitzero" doc:"of a scheduled order: before it only the count of what comes later has it"`
	Total       int64        `json:"total"`
	Delivery    *Delivery    `json:"delivery,omitzero" doc:"of an aggregator's order"`
	Timeline    []trail.Step `json:"timeline,omitzero"`
	sale.Order
}

// Injection is how far the hand-over to the POS came.
type Injection struct {
	State     string    `json:"state,omitzero" enum:"queued,failing,failed,done,manual"`
	Cause     string    `json:"cause,omitzero" doc:"ITEM_MAPPING_FAILED and the like"`
	Detail    string    `json:"detail,omitzero" doc:"the cause for people: the names of what has no link, the POS's own words"`
	Attempts  int       `json:"attempts,omitzero"`
	NextAt    time.Time `json:"next_at,omitzero"`
	POSID     string    `json:"pos_id,omitzero" doc:"the order's id in the POS"`
	POSTotal  *int64    `json:"pos_total,omitzero" doc:"what the POS makes of it, minor units"`
	OpenItems bool      `json:"open_items,omitzero" doc:"it went in with items that the POS does not know"`
	Stale     bool      `json:"stale,omitzero" doc:"it was changed after the POS got it; change it there by hand"`
}

// Delivery is what an aggregator's order has besides.
type Delivery struct {
	Aggregator string    `json:"aggregator"`
	Slug       string    `json:"slug" doc:"the marketplace"`
	PartnerID  string    `json:"partner_id" doc:"the marketplace's long id"`
	Status     string    `json:"status" doc:"as the aggregator knows it"`
	AcceptBy   time.Time `json:"accept_by,omitzero" doc:"an order that nobody accepted by then is rejected"`
	Courier    Courier   `json:"courier,omitzero"`
	Total      int64     `json:"total" doc:"what the guest pays, minor units"`
	Collect    int64     `json:"collect" doc:"to be collected from the guest; 0: paid online"`
	Method     string    `json:"method,omitzero" doc:"of the payment, as the aggregator says"`
	Discount   int64     `json:"discount,omitzero"`
	Difference int64     `json:"difference,omitzero" doc:"the aggregator's total for the food less the POS's"`
	Unsure     []string  `json:"unsure,omitzero" doc:"what fits no reading, for a person to look at"`
	Told       []Told    `json:"told,omitzero" doc:"what the aggregator was told of it, oldest first; on the order's own page"`
	Other      string    `json:"other,omitzero" doc:"another aggregator that sent the same order"`
	Test       bool      `json:"test,omitzero"`
}

// Courier is who fetches an order.
type Courier struct {
	Name   string `json:"name,omitzero"`
	Phone  string `json:"phone,omitzero"`
	Status string `json:"status,omitzero"`
}

// Told is one thing that an aggregator is told of an order.
type Told struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	State    string    `json:"state" enum:"waiting,sent,superseded,skipped,failed,expired"`
	Attempts int       `json:"attempts"`
	NextAt   time.Time `json:"next_at,omitzero"`
	Cause    string    `json:"cause,omitzero"`
}

// notice is the payload of an "order" row of the change feed: enough for a list, without personal data.
type notice struct {
	ID          journal.ID   `json:"id"`
	Number      int          `json:"number"`
	BusinessDay string       `json:"business_day"`
	Version     int          `json:"version"`
	State       string       `json:"state"`
	InPOS       string       `json:"in_pos"`
	Source      string       `json:"source"`
	Service     string       `json:"service"`
	Table       string       `json:"table,omitzero"`
	Partner     sale.Partner `json:"partner,omitzero"`
	Total       int64        `json:"total"`
}
