package floor

import (
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// States of a check.
const (
	Open   = "open"
	Closed = "closed"
)

// States of a payment.
const (
	Pending = "pending" // the hotel is being asked
	Paid    = "paid"
	Unknown = "unknown" // nobody knows whether the hotel has booked it; it does not count
	Voided  = "voided"  // taken back at the hotel
)

// Methods of payments that mean something here; any other is the venue's own word.
const (
	Room     = "room"
	RoomCode = "IKPMS" // the one code a room payment has
)

// A Line is something sold.
type Line struct {
	sale.Line
	Group string `json:"group,omitzero" doc:"statistic or accounting group"`
}

// Sold is a line on a check.
type Sold struct {
	Line
	N  int       `json:"n" doc:"place on the check, from 0"`
	At time.Time `json:"at"`
	By string    `json:"by,omitzero"`
}

// Payment is money taken for a check, or asked of a room.
type Payment struct {
	ID      journal.ID  `json:"id"`
	Method  string      `json:"method"`
	Code    string      `json:"code,omitzero"`
	Amount  int64       `json:"amount" doc:"of the balance, without the tip"`
	Tip     int64       `json:"tip,omitzero"`
	State   string      `json:"state" enum:"pending,paid,unknown,voided"`
	Posting *journal.ID `json:"posting,omitzero"`
	Room    string      `json:"room,omitzero"`
	At      time.Time   `json:"at"`
	By      string      `json:"by,omitzero"`
}

// content is what a check's row keeps as JSON.
type content struct {
	Tables      []string  `json:"tables"`
	Covers      int       `json:"covers,omitzero"`
	Staff       string    `json:"staff,omitzero"`
	Reservation string    `json:"reservation,omitzero"`
	Outlet      string    `json:"outlet,omitzero"`
	Lines       []Sold    `json:"lines"`
	Payments    []Payment `json:"payments"`
}

// Check is one as callers see it.
type Check struct {
	ID          journal.ID `json:"id"`
	Number      int64      `json:"number" doc:"what the hotel sees as check number"`
	BusinessDay string     `json:"business_day"`
	State       string     `json:"state" enum:"open,closed"`
	Version     int        `json:"version"`
	OpenedAt    time.Time  `json:"opened_at"`
	ClosedAt    time.Time  `json:"closed_at,omitzero"`
	Total       int64      `json:"total"`
	Paid        int64      `json:"paid"`
	Balance     int64      `json:"balance"`
	Tips        int64      `json:"tips,omitzero"`
	content
	Events []Event `json:"events,omitzero"`
}

// Event is one thing that happened at a check.
type Event struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" enum:"opened,line_added,bill_printed,payment,payment_refused,payment_unknown,payment_voided,closed,reopened"`
	By     string    `json:"by,omitzero"`
	Detail any       `json:"detail,omitzero"`
}

// reckon adds the check up.
func (c *Check) reckon() {
	c.Total, c.Paid, c.Tips = 0, 0, 0
	for i := range c.Lines {
		c.Total += c.Lines[i].Total()
	}
	for _, p := range c.Payments {
		if p.State == Paid {
			c.Paid, c.Tips = c.Paid+p.Amount, c.Tips+p.Tip
		}
	}
	c.Balance = c.Total - c.Paid
}

// claimed is what payments hold or may hold of the total: those that are pending too.
func (c *Check) claimed() int64 {
	var sum int64
	for _, p := range c.Payments {
		if p.State == Paid || p.State == Pending {
			sum += p.Amount
		}
	}
	return sum
}

// Part is an amount of one group, in minor units.
type Part struct {
	Group  string
	Amount int64
}

// parts adds the lines up by group, in the order in which the groups came.
func (c *Check) parts() []Part {
	var list []Part
	at := map[string]int{}
	for i := range c.Lines {
		l := &c.Lines[i]
		group := l.Group
		if group == "" {
			group = l.Category
		}
		n, ok := at[group]
		if !ok {
			n = len(list)
			at[group] = n
			list = append(list, Part{Group: group})
		}
		list[n].Amount += l.Total()
	}
	return list
}

func encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // texts were decoded as UTF-8, and nothing else in these types can fail
	}
	return b
}
