package floor

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// States of a check.
const (
	Open      = "open"
	Closed    = "closed"
	Merged    = "merged"    // its lines and payments stand on another one
	Cancelled = "cancelled" // it had neither lines nor payments
)

// What happens at a check: kinds of events.
const (
	Opened         = "opened"
	LineAdded      = "line_added"
	LineVoided     = "line_voided"
	CoversChanged  = "covers"
	Linked         = "linked" // to a reservation, or away from one
	Moved          = "moved"
	MergedInto     = "merged_into" // of the check that ends
	TookOver       = "took_over"   // of the check that goes on
	Split          = "split"       // of the check that lost lines
	SplitOff       = "split_off"   // of the new one
	TableCleared   = "cleared"
	TableBussing   = "bussing"
	TableFree      = "finished"
	BillPrinted    = "bill_printed"
	PaymentTaken   = "payment"
	PaymentRefused = "payment_refused"
	PaymentUnknown = "payment_unknown"
	PaymentVoided  = "payment_voided"
	PaymentToEnter = "payment_to_enter" // at the till, by a person
	CheckClosed    = "closed"
	CheckReopened  = "reopened"
	CheckCancelled = "cancelled"
)

// Step is one thing that happened at a check, as it is told within its transaction.
type Step struct {
	Check  *Check // as it is now; not to be changed
	Kind   string
	By     string
	Lines  []Sold   // of LineAdded and LineVoided
	Before []string // of Moved: the tables it stood on
	// Payment is, of a payment that comes to the till that keeps the check, how it stands now.
	Payment *Payment
	Other   journal.ID // of TookOver and SplitOff: the check that the lines come from
}

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
	Deposit  = "deposit"
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
	N      int       `json:"n" doc:"number of the line on the check, from 0; stays its own when others go"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitzero"`
	Voided bool      `json:"voided,omitzero" doc:"taken off again; it counts for nothing"`
	// Order brought it; zero for a line that somebody put on the check itself.
	Order journal.ID `json:"order,omitzero" doc:"id of the order that brought it"`
}

// Payment is money taken for a check, or asked of a room.
type Payment struct {
	ID      journal.ID  `json:"id"`
	Method  string      `json:"method"`
	Code    string      `json:"code,omitzero"`
	Amount  int64       `json:"amount" doc:"of the balance, without the tip"`
	Tip     int64       `json:"tip,omitzero"`
	State   string      `json:"state" enum:"pending,paid,unknown,voided,to_enter"`
	Entry   *Entry      `json:"entry,omitzero" doc:"how it comes to the till that keeps the check"`
	Posting *journal.ID `json:"posting,omitzero"`
	Room    string      `json:"room,omitzero"`
	At      time.Time   `json:"at"`
	By      string      `json:"by,omitzero"`
	Order   journal.ID  `json:"order,omitzero" doc:"id of the order that it was paid with"`
}

// content is what a check's row keeps as JSON.
type content struct {
	Tables      []string  `json:"tables"`
	Covers      int       `json:"covers,omitzero"`
	Staff       string    `json:"staff,omitzero"`
	Reservation string    `json:"reservation,omitzero" doc:"id of the reservation whose party it is"`
	Guest       string    `json:"guest,omitzero"`
	Notes       string    `json:"notes,omitzero" doc:"what staff should know of the party, allergies first"`
	Profile     string    `json:"order_profile,omitzero"`
	Till        string    `json:"till,omitzero" doc:"the till that it was opened for"`
	WalkIn      bool      `json:"walk_in,omitzero"`
	Outlet      string    `json:"outlet,omitzero"`
	BilledAt    time.Time `json:"billed_at,omitzero"`
	Table       string    `json:"table_state,omitzero" enum:"cleared,bussing,finished" doc:"what staff said of the table itself"`
	MergedInto  string    `json:"merged_into,omitzero"`
	SplitFrom   string    `json:"split_from,omitzero"`

	OpenedFor journal.ID `json:"opened_for,omitzero" doc:"the order that opened it by itself"`
	ClosedFor journal.ID `json:"closed_for,omitzero" doc:"the order that closed it by itself: it was all there was on it, and paid"`
	Lines     []Sold     `json:"lines"`
	Payments  []Payment  `json:"payments"`
}

// Check is one as callers see it.
type Check struct {
	ID          journal.ID `json:"id"`
	Number      int64      `json:"number" doc:"what the hotel sees as check number"`
	BusinessDay string     `json:"business_day"`
	State       string     `json:"state" enum:"open,closed,merged,cancelled"`
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
	Kind   string    `json:"kind" enum:"opened,line_added,line_voided,covers,linked,moved,merged_into,took_over,split,split_off,cleared,bussing,finished,bill_printed,payment,payment_refused,payment_unknown,payment_voided,payment_to_enter,closed,reopened,cancelled"`
	By     string    `json:"by,omitzero"`
	Detail any       `json:"detail,omitzero"`
}

// reckon adds the check up.
func (c *Check) reckon() {
	c.Total, c.Paid, c.Tips = 0, 0, 0
	for i := range c.Lines {
		if !c.Lines[i].Voided {
			c.Total += c.Lines[i].Total()
		}
	}
	for _, p := range c.Payments {
		if p.State == Paid {
			c.Paid, c.Tips = c.Paid+p.Amount, c.Tips+p.Tip
		}
	}
	c.Balance = c.Total - c.Paid
}

// next is the number of the next line.
func (c *Check) next() int {
	n := 0
	for i := range c.Lines {
		n = max(n, c.Lines[i].N+1)
	}
	return n
}

// byRoom tells whether a room pays or may pay of the check.
func (c *Check) byRoom() bool {
	return slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.Posting != nil && p.State != Voided })
}

// pending tells whether a payment is under way.
func (c *Check) pending() bool {
	return slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.State == Pending })
}

// claimed is what payments hold or may hold of the total: those that are pending too.
func (c *Check) claimed() int64 {
	var sum int64
	for _, p := range c.Payments {
		if p.State == Paid || p.State == Pending || p.State == ToEnter {
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
		if l.Voided {
			continue
		}
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
