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
	Total       int64        `json:"total"`
	Timeline    []trail.Step `json:"timeline,omitzero"`
	sale.Order
}

// Injection is how far the hand-over to the POS came.
type Injection struct {
	State    string    `json:"state,omitzero"`
	Cause    string    `json:"cause,omitzero"`
	Attempts int       `json:"attempts,omitzero"`
	NextAt   time.Time `json:"next_at,omitzero"`
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
