package folio

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/trail"
)

// States of a posting; posted and refused are final, and unknown is until a late answer or a manager ends it.
const (
	Queued    = "queued"
	Inquiring = "inquiring"
	Sending   = "sending"
	Posted    = "posted"
	Refused   = "refused"
	Unknown   = "unknown"
)

var states = []string{Queued, Inquiring, Sending, Posted, Refused, Unknown}

// settled tells that nothing more happens to a posting by itself but a late answer.
func settled(state string) bool { return state == Posted || state == Refused || state == Unknown }

// Kinds of postings.
const (
	Charge  = "charge"  // a room or account pays a check or a part of it
	Void    = "void"    // all of a charge or tender taken back
	Refund  = "refund"  // a part of it given back
	Tender  = "tender"  // another payment, told to the hotel
	Revenue = "revenue" // a batch of what no other posting carried
)

// Bounds of a request's texts, from the fields they go into (spec/fias.md 5).
const (
	maxRoom        = 20
	maxReservation = 20
	maxGuest       = 200
	maxShort       = 40 // table, staff, workstation, outlet, group, method
	maxCheck       = 8  // digits of C#
	maxItems       = 100
)

// RoomMethod is the method of a payment that charges a room.
const RoomMethod = "room"

// Item is one part of a total. Group is the accounting group that the mapping assigns to a subtotal.
type Item struct {
	Group  string `json:"group,omitzero"`
	Amount int64  `json:"amount"`
}

// Request asks for a charge (contract section 4). Amounts are minor units; Amount is all of it, tip included.
type Request struct {
	Room          string `json:"room,omitzero" doc:"required for a room"`
	Reservation   string `json:"reservation,omitzero" doc:"required for a room; as a search told it"`
	Guest         string `json:"guest,omitzero" doc:"required for a room"`
	Amount        *int64 `json:"amount" minimum:"1" doc:"all of it, tip included, in minor units"`
	Tip           int64  `json:"tip,omitzero" minimum:"0"`
	Currency      string `json:"currency"`
	Check         string `json:"check" doc:"1 to 8 digits; all parts of one check carry the same"`
	Outlet        string `json:"outlet,omitzero" doc:"name of a configured outlet; absent: the first"`
	Table         string `json:"table,omitzero"`
	Covers        int    `json:"covers,omitzero" minimum:"0" maximum:"99999"`
	Staff         string `json:"staff,omitzero"`
	Workstation   string `json:"workstation,omitzero"`
	Manager       bool   `json:"manager,omitzero" doc:"a manager lets the credit limit be exceeded; noted in the audit log"`
	Queue         bool   `json:"queue,omitzero" doc:"wait for the hotel's link instead of being refused while it is down"`
	Method        string `json:"method,omitzero" doc:"absent or room: a room pays; otherwise the payment that the hotel is told of, as card"`
	Subtotals     []Item `json:"subtotals,omitzero" doc:"what was sold, by accounting group; absent: one"`
	Taxes         []Item `json:"taxes,omitzero" doc:"only where tax is added on top"`
	Discounts     []Item `json:"discounts,omitzero" doc:"negative amounts"`
	ServiceCharge int64  `json:"service_charge,omitzero" minimum:"0"`
}

// room tells whether a room or account pays.
func (r *Request) room() bool { return r.Method == "" || r.Method == RoomMethod }

// complete gives what may be left out its meaning.
func (r *Request) complete(outlet string) {
	if r.Method == RoomMethod {
		r.Method = ""
	}
	if r.Outlet == "" {
		r.Outlet = outlet
	}
	for _, list := range []*[]Item{&r.Subtotals, &r.Taxes, &r.Discounts} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if r.Amount == nil || len(r.Subtotals)+len(r.Taxes)+len(r.Discounts) > 0 {
		return
	}
	if rest := *r.Amount - r.Tip - r.ServiceCharge; rest > 0 {
		r.Subtotals = []Item{{Amount: rest}}
	}
}

// check finds what is wrong with a completed request, each fault with its remedy.
func (r *Request) check(currency string, outlets []Outlet) []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, format string, args ...any) {
		faults = append(faults, api.Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	text := func(pointer, s string, limit int, required bool) {
		switch {
		case required && strings.TrimSpace(s) == "":
			wrong(pointer, "is missing")
		case utf8.RuneCountInString(s) > limit:
			wrong(pointer, "is longer than %d characters", limit)
		case strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '|' }):
			wrong(pointer, "holds a control character or |, which the hotel link cannot carry; leave it out")
		}
	}
	text("/room", r.Room, maxRoom, r.room())
	text("/reservation", r.Reservation, maxReservation, r.room())
	text("/guest", r.Guest, maxGuest, r.room())
	if !r.room() && (r.Room != "" || r.Reservation != "" || r.Guest != "") {
		wrong("/method", "is %q while a guest is named; leave method out to charge the room", r.Method)
	}
	text("/method", r.Method, maxShort, false)
	text("/table", r.Table, maxShort, false)
	text("/staff", r.Staff, maxShort, false)
	text("/workstation", r.Workstation, maxShort, false)
	switch {
	case r.Currency == "":
		wrong("/currency", "is missing; write %s", currency)
	case currency != "" && r.Currency != currency:
		wrong("/currency", "is not %s, which the hotel is charged in", currency)
	}
	switch {
	case r.Check == "":
		wrong("/check", "is missing")
	case !checkNumber(r.Check):
		wrong("/check", "is not a number from 1 to 99999999, which is what the hotel can keep")
	}
	if r.Outlet != "" && len(outlets) > 0 && !slices.ContainsFunc(outlets, func(o Outlet) bool { return o.Name == r.Outlet }) {
		names := make([]string, len(outlets))
		for i, o := range outlets {
			names[i] = o.Name
		}
		wrong("/outlet", "is none of the outlets %s", strings.Join(names, ", "))
	}
	if r.Covers < 0 || r.Covers > 99999 {
		wrong("/covers", "is not a number from 0 to 99999")
	}
	r.checkAmounts(wrong)
	return faults
}

func (r *Request) checkAmounts(wrong func(pointer, format string, args ...any)) {
	if r.Amount == nil {
		wrong("/amount", "is missing")
		return
	}
	if *r.Amount < 1 || *r.Amount > money.Max {
		wrong("/amount", "is not an amount from 1 to %d in minor units; a reversal goes to void or refund", int64(money.Max))
		return
	}
	ok := true
	bound := func(pointer string, n, low, high int64, rule string) {
		if n < low || n > high {
			wrong(pointer, "%s", rule)
			ok = false
		}
	}
	bound("/tip", r.Tip, 0, *r.Amount, "is not between 0 and amount, which includes it")
	bound("/service_charge", r.ServiceCharge, 0, money.Max, "is negative or too large")
	sum := r.Tip + r.ServiceCharge
	for _, list := range []struct {
		name      string
		items     []Item
		low, high int64
		rule      string
	}{
		{"subtotals", r.Subtotals, 0, money.Max, "is negative or too large; what is taken off goes to discounts"},
		{"taxes", r.Taxes, 0, money.Max, "is negative or too large"},
		{"discounts", r.Discounts, -money.Max, 0, "is above zero; a discount is negative"},
	} {
		if len(list.items) > maxItems {
			wrong("/"+list.name, "has more than %d entries", maxItems)
			ok = false
			continue
		}
		for i, item := range list.items {
			bound(fmt.Sprintf("/%s/%d/amount", list.name, i), item.Amount, list.low, list.high, list.rule)
			if utf8.RuneCountInString(item.Group) > maxShort {
				wrong(fmt.Sprintf("/%s/%d/group", list.name, i), "is longer than %d characters", maxShort)
			}
			if ok {
				sum += item.Amount
			}
		}
	}
	if ok && sum != *r.Amount {
		wrong("/amount", "is %d, but subtotals, taxes, discounts, service_charge and tip add up to %d; the hotel refuses what does not add up", *r.Amount, sum)
	}
}

// checkNumber tells whether s can be a C#: digits that stand for 1 to 99999999.
func checkNumber(s string) bool {
	if len(s) == 0 || len(s) > maxCheck {
		return false
	}
	zeros := true
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		zeros = zeros && s[i] == '0'
	}
	return !zeros
}

// content is what a posting's row keeps of the request, and who asked.
type content struct {
	Request
	Limit  int64  `json:"limit,omitzero"` // the credit limit that a manager let be exceeded
	Period int    `json:"period"`
	By     string `json:"by"`
	Role   string `json:"role"`
	Text   string `json:"text,omitzero"` // CT on the guest's bill
	// Of revenue: the parts are numbered by the mapping of their time.
	Batch int64 `json:"batch,omitzero"`
}

// posting is a row.
type posting struct {
	ID         journal.ID
	Kind       string
	State      string
	Reason     string
	Queue      bool
	Number     int64
	Attempts   int
	NextAt     time.Time
	Original   int64 // key
	Sale       string
	Day        string
	Stamp      time.Time
	ReceivedAt time.Time
	SentAt     time.Time
	SettledAt  time.Time
	Answer     string
	AnswerText string
	Resolution *Resolution
	content
	log string
}

// amount is the signed total.
func (p *posting) amount() int64 {
	if p.Amount == nil {
		return 0
	}
	return *p.Amount
}

// A Resolution tells who ended a posting whose outcome nobody knew.
type Resolution struct {
	By   string    `json:"by" doc:"a person, or late_answer"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitzero"`
}

// Posting is one as its callers see it.
type Posting struct {
	ID          journal.ID   `json:"id"`
	Kind        string       `json:"kind" enum:"charge,void,refund,tender,revenue"`
	State       string       `json:"state" enum:"queued,inquiring,sending,posted,refused,unknown"`
	Reason      string       `json:"reason,omitzero" doc:"of a refusal: the hotel's status in lower case, link_down, na (night audit) or limit"`
	Message     string       `json:"message,omitzero" doc:"what to tell staff, at most 50 characters"`
	Original    *journal.ID  `json:"original,omitzero" doc:"what a void or refund reverses"`
	Number      int64        `json:"number,omitzero" doc:"P#, by which the hotel's answer is known"`
	Attempts    int          `json:"attempts,omitzero"`
	BusinessDay string       `json:"business_day"`
	Period      string       `json:"period"`
	Stamp       time.Time    `json:"stamp" doc:"date and time that all parts of the check carry"`
	ReceivedAt  time.Time    `json:"received_at"`
	SentAt      time.Time    `json:"sent_at,omitzero"`
	SettledAt   time.Time    `json:"settled_at,omitzero"`
	NextAt      time.Time    `json:"next_at,omitzero" doc:"of a queued one: not before"`
	Answer      string       `json:"answer,omitzero" doc:"the hotel's status"`
	AnswerText  string       `json:"answer_text,omitzero" doc:"the hotel's words; OPERA names its transaction here"`
	Resolution  *Resolution  `json:"resolution,omitzero"`
	Timeline    []trail.Step `json:"timeline,omitzero"`
	Request
}

// Receipt answers a request: where the posting stands.
type Receipt struct {
	ID      journal.ID `json:"id"`
	State   string     `json:"state" enum:"queued,inquiring,sending,posted,refused,unknown"`
	Reason  string     `json:"reason,omitzero"`
	Message string     `json:"message,omitzero"`
}

// Receipt is the posting in short.
func (p *Posting) Receipt() Receipt { return Receipt{p.ID, p.State, p.Reason, p.Message} }
