package wire

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
)

// A Notice is what a platform is told of a reservation where its own wire is not known: every member that does not speak of
// the change is left out.
type Notice struct {
	VenueID       string     `json:"venue_id"`
	ReservationID string     `json:"reservation_id"`
	Status        string     `json:"status,omitzero"`
	TableNumbers  []string   `json:"table_numbers,omitzero"`
	Guests        int        `json:"guests,omitzero"`
	Updated       string     `json:"updated"`
	Ticket        *PosTicket `json:"pos_ticket,omitzero"`
}

// PosTicket is a check under the names that SevenRooms gives it (spec/reservations.md 8.2), with what it has no name for
// beside them. Amounts are decimals; an item's price is that of all of its quantity.
type PosTicket struct {
	LocalID       string         `json:"local_pos_ticket_id"`
	Code          string         `json:"code,omitzero"`
	Status        string         `json:"status"` // OPEN or CLOSED
	TableNo       string         `json:"table_no,omitzero"`
	Employee      string         `json:"employee_name,omitzero"`
	Covers        int            `json:"covers,omitzero"`
	Currency      string         `json:"currency"`
	StartTime     string         `json:"start_time,omitzero"`
	EndTime       string         `json:"end_time,omitzero"`
	Subtotal      jsontext.Value `json:"subtotal,omitzero"`
	Tax           jsontext.Value `json:"tax,omitzero"`
	ServiceCharge jsontext.Value `json:"service_charge,omitzero"`
	Tip           jsontext.Value `json:"tip,omitzero"`
	Discount      jsontext.Value `json:"discount,omitzero"`
	Total         jsontext.Value `json:"total"`
	Paid          jsontext.Value `json:"paid,omitzero"`
	Due           jsontext.Value `json:"due,omitzero"`
	Items         []PosItem      `json:"items,omitzero"`
	Payments      []PosPayment   `json:"payments,omitzero"`
}

// A PosItem is something sold.
type PosItem struct {
	Name     string         `json:"name"`
	SKU      string         `json:"sku,omitzero"`
	Category string         `json:"category,omitzero"`
	Price    jsontext.Value `json:"price"`
	Quantity int            `json:"quantity"`
}

// A PosPayment is money taken.
type PosPayment struct {
	Method string         `json:"method"`
	Amount jsontext.Value `json:"amount"`
	Tip    jsontext.Value `json:"tip,omitzero"`
}

// States of a PosTicket.
const (
	TicketOpen   = "OPEN"
	TicketClosed = "CLOSED"
)

// Ticket is the check of u; nil when it has none.
func Ticket(u *booking.Update) *PosTicket {
	c := u.Check
	if c == nil {
		return nil
	}
	n := func(minor int64) jsontext.Value { return Number(minor, c.Decimals) }
	t := &PosTicket{
		LocalID: c.ID, Status: TicketOpen, Employee: c.Staff, Covers: c.Covers, Currency: c.Currency, StartTime: Stamp(c.OpenedAt), EndTime: Stamp(c.ClosedAt),
		Subtotal: n(c.Net), Tax: n(c.Tax), ServiceCharge: n(c.Service), Tip: n(c.Tip), Discount: n(c.Discount), Total: n(c.Total), Paid: n(c.Paid), Due: n(c.Due),
	}
	if c.Number > 0 {
		t.Code = string(Number(c.Number, 0))
	}
	if u.Kind == booking.KindClosed {
		t.Status = TicketClosed
		if t.EndTime == "" {
			t.EndTime = Stamp(u.At)
		}
	}
	if len(c.Tables) > 0 {
		t.TableNo = c.Tables[0]
	}
	for _, l := range c.Lines {
		t.Items = append(t.Items, PosItem{l.Name, l.SKU, l.Group, n(l.Amount), l.Quantity})
	}
	for _, p := range c.Payments {
		t.Payments = append(t.Payments, PosPayment{p.Method, n(p.Amount), n(p.Tip)})
	}
	return t
}

// Check is t as a check of ours.
func (t *PosTicket) Check() (booking.Check, error) {
	var faults Faults
	c := booking.Check{ID: t.LocalID, Open: t.Status != TicketClosed, Covers: t.Covers, Staff: t.Employee, Currency: t.Currency, Decimals: Decimals(t.Currency)}
	minor := func(v jsontext.Value) int64 {
		n, err := Minor(v, c.Decimals)
		if err != nil {
			faults.Add("/pos_ticket", "%v", err)
		}
		return n
	}
	moment := func(s string) time.Time {
		at, err := ParseTime(s, nil)
		if err != nil {
			faults.Add("/pos_ticket", "%v", err)
		}
		return at
	}
	if t.Code != "" {
		n, err := ParseMinor(t.Code, 0)
		if err != nil {
			faults.Add("/pos_ticket/code", "%v", err)
		}
		c.Number = n
	}
	if t.TableNo != "" {
		c.Tables = []string{t.TableNo}
	}
	c.OpenedAt, c.ClosedAt = moment(t.StartTime), moment(t.EndTime)
	c.Net, c.Tax, c.Service, c.Tip, c.Discount = minor(t.Subtotal), minor(t.Tax), minor(t.ServiceCharge), minor(t.Tip), minor(t.Discount)
	c.Total, c.Paid, c.Due = minor(t.Total), minor(t.Paid), minor(t.Due)
	for _, l := range t.Items {
		c.Lines = append(c.Lines, booking.Line{Name: l.Name, SKU: l.SKU, Group: l.Category, Quantity: l.Quantity, Amount: minor(l.Price)})
	}
	for _, p := range t.Payments {
		c.Payments = append(c.Payments, booking.Payment{Method: p.Method, Amount: minor(p.Amount), Tip: minor(p.Tip)})
	}
	return c, faults.Err()
}

// Notice is u as a Notice; ok false when there is no word for it.
func (w *Wire) Notice(u *booking.Update) (n Notice, ok bool) {
	n = Notice{VenueID: w.Venue, ReservationID: u.Reservation, TableNumbers: u.Tables, Guests: u.Covers, Updated: Stamp(u.At), Ticket: Ticket(u)}
	switch {
	case u.Stage != "":
		n.Status, ok = w.Vocabulary.Write(u.Stage)
		// A closing total is worth telling without a word for paid.
		return n, ok || u.Kind == booking.KindClosed
	case u.Status != "":
		n.Status, ok = w.Vocabulary.WriteStatus(u.Status)
		return n, ok
	}
	return n, true
}

// Update is n in our words, as whoever plays a platform takes it.
func (n *Notice) Update(w *Wire) (booking.Update, error) {
	var faults Faults
	u := booking.Update{Reservation: n.ReservationID, Venue: n.VenueID, Tables: n.TableNumbers, Covers: n.Guests}
	var err error
	if u.At, err = ParseTime(n.Updated, nil); err != nil {
		faults.Add("/updated", "%v", err)
	}
	if n.Ticket != nil {
		c, err := n.Ticket.Check()
		if err != nil {
			faults.Add("/pos_ticket", "%v", err)
		}
		u.Check = &c
	}
	m, known := w.Vocabulary.Read(n.Status)
	if n.Status != "" && !known {
		faults.Add("/status", "%.40q is no status", n.Status)
	}
	u.Stage = m.Stage
	switch {
	case u.Check != nil && !u.Check.Open:
		u.Kind = booking.KindClosed
	case m.Stage != "":
		u.Kind = booking.KindStage
	case n.Status != "":
		u.Kind, u.Status = booking.KindStatus, m.Status
	case u.Check != nil:
		u.Kind = booking.KindCheck
	case n.Guests > 0:
		u.Kind = booking.KindCovers
	default:
		u.Kind = booking.KindTables
	}
	return u, faults.Err()
}
