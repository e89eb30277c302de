package opentable

import (
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Status is the body of a table status.
type Status struct {
	ReservationID string   `json:"ReservationID"`
	RestaurantID  string   `json:"RestaurantID"`
	TableStatus   string   `json:"TableStatus,omitzero"`
	TableNumber   []string `json:"TableNumber,omitzero"`
	Covers        int      `json:"Covers,omitzero"`
	UpdatedAtUtc  string   `json:"UpdatedAtUtc"`
	Ticket        *Ticket  `json:"Ticket,omitzero"`
}

// Ticket is a check, with the names of the mirror model. Amounts are decimals.
type Ticket struct {
	TransactionID string     `json:"TransactionID"`
	ReservationID string     `json:"ReservationID"`
	Number        int64      `json:"Number,omitzero"`
	OpenedAtUtc   string     `json:"OpenedAtUtc,omitzero"`
	UpdatedAtUtc  string     `json:"UpdatedAtUtc,omitzero"`
	ClosedAtUtc   string     `json:"ClosedAtUtc,omitzero"`
	Covers        int        `json:"Covers,omitzero"`
	Tables        []string   `json:"Tables,omitzero"`
	Employee      string     `json:"Employee,omitzero"`
	TableStatus   string     `json:"TableStatus,omitzero"`
	CheckTotal    CheckTotal `json:"CheckTotal"`
	OrderItems    []Item     `json:"OrderItems,omitzero"`
	OrderPayments []Payment  `json:"OrderPayments,omitzero"`
}

// CheckTotal has the parts of a total side by side, so that nobody adds the service charge twice.
type CheckTotal struct {
	Currency      string         `json:"Currency"`
	SubTotal      jsontext.Value `json:"SubTotal,omitzero"`
	Tax           jsontext.Value `json:"Tax,omitzero"`
	ServiceCharge jsontext.Value `json:"ServiceCharge,omitzero"`
	Tip           jsontext.Value `json:"Tip,omitzero"`
	Discount      jsontext.Value `json:"Discount,omitzero"`
	Total         jsontext.Value `json:"Total"`
	Paid          jsontext.Value `json:"Paid,omitzero"`
	Due           jsontext.Value `json:"Due,omitzero"`
}

// An Item is something sold.
type Item struct {
	Name     string         `json:"Name"`
	Sku      string         `json:"Sku,omitzero"`
	Category string         `json:"Category,omitzero"`
	Quantity int            `json:"Quantity"`
	Total    jsontext.Value `json:"Total"`
}

// A Payment is money taken.
type Payment struct {
	Type   string         `json:"Type"`
	Amount jsontext.Value `json:"Amount"`
	Tip    jsontext.Value `json:"Tip,omitzero"`
}

// ticket is the check of u, if it has one.
func ticket(u *booking.Update, word string) Ticket {
	c := u.Check
	if c == nil {
		c = &booking.Check{ID: u.Reservation, Decimals: 2}
	}
	n := func(minor int64) jsontext.Value { return wire.Number(minor, c.Decimals) }
	t := Ticket{
		TransactionID: c.ID, ReservationID: u.Reservation, Number: c.Number, OpenedAtUtc: wire.Stamp(c.OpenedAt), UpdatedAtUtc: wire.Stamp(u.At),
		ClosedAtUtc: wire.Stamp(c.ClosedAt), Covers: c.Covers, Tables: c.Tables, Employee: c.Staff, TableStatus: word,
		CheckTotal: CheckTotal{Currency: c.Currency, SubTotal: n(c.Net), Tax: n(c.Tax), ServiceCharge: n(c.Service), Tip: n(c.Tip), Discount: n(c.Discount),
			Total: n(c.Total), Paid: n(c.Paid), Due: n(c.Due)},
	}
	if t.Tables == nil {
		t.Tables = u.Tables
	}
	if u.Kind == booking.KindClosed && t.ClosedAtUtc == "" {
		t.ClosedAtUtc = wire.Stamp(u.At)
	}
	for _, l := range c.Lines {
		t.OrderItems = append(t.OrderItems, Item{l.Name, l.SKU, l.Group, l.Quantity, n(l.Amount)})
	}
	for _, p := range c.Payments {
		t.OrderPayments = append(t.OrderPayments, Payment{p.Method, n(p.Amount), n(p.Tip)})
	}
	return t
}

// Update is s in our words, as whoever plays OpenTable takes it.
func (s *Status) Update(w *wire.Wire) (booking.Update, error) {
	var faults wire.Faults
	u := booking.Update{Reservation: s.ReservationID, Venue: s.RestaurantID, Tables: s.TableNumber, Covers: s.Covers}
	var err error
	if u.At, err = wire.ParseTime(s.UpdatedAtUtc, nil); err != nil {
		faults.Add("/UpdatedAtUtc", "%v", err)
	}
	m, known := w.Vocabulary.Read(s.TableStatus)
	switch {
	case s.TableStatus != "" && !known:
		faults.Add("/TableStatus", "%.40q is no status", s.TableStatus)
	case s.TableStatus != "" && m.Stage != "":
		u.Kind, u.Stage = booking.KindStage, m.Stage
	case s.TableStatus != "":
		u.Kind, u.Status = booking.KindStatus, m.Status
	case s.Covers > 0:
		u.Kind = booking.KindCovers
	default:
		u.Kind = booking.KindTables
	}
	if s.Ticket != nil {
		c, err := s.Ticket.Check()
		if err != nil {
			faults.Add("/Ticket", "%v", err)
		}
		u.Check = &c
	}
	return u, faults.Err()
}

// Update is t in our words.
func (t *Ticket) Update(w *wire.Wire) (booking.Update, error) {
	u := booking.Update{Reservation: t.ReservationID, Venue: w.Venue, Kind: booking.KindCheck, Tables: t.Tables}
	c, err := t.Check()
	if err != nil {
		return u, err
	}
	u.Check = &c
	if u.At, err = wire.ParseTime(t.UpdatedAtUtc, nil); err != nil {
		return u, err
	}
	if !c.ClosedAt.IsZero() {
		u.Kind = booking.KindClosed
	}
	if m, ok := w.Vocabulary.Read(t.TableStatus); ok {
		u.Stage = m.Stage
	}
	return u, nil
}

// Check is t as a check of ours.
func (t *Ticket) Check() (booking.Check, error) {
	var faults wire.Faults
	c := booking.Check{ID: t.TransactionID, Number: t.Number, Open: t.ClosedAtUtc == "", Covers: t.Covers, Staff: t.Employee, Tables: t.Tables,
		Currency: t.CheckTotal.Currency, Decimals: wire.Decimals(t.CheckTotal.Currency)}
	minor := func(v jsontext.Value) int64 {
		n, err := wire.Minor(v, c.Decimals)
		if err != nil {
			faults.Add("/CheckTotal", "%v", err)
		}
		return n
	}
	var err error
	if c.OpenedAt, err = wire.ParseTime(t.OpenedAtUtc, nil); err != nil {
		faults.Add("/OpenedAtUtc", "%v", err)
	}
	if c.ClosedAt, err = wire.ParseTime(t.ClosedAtUtc, nil); err != nil {
		faults.Add("/ClosedAtUtc", "%v", err)
	}
	s := &t.CheckTotal
	c.Net, c.Tax, c.Service, c.Tip, c.Discount = minor(s.SubTotal), minor(s.Tax), minor(s.ServiceCharge), minor(s.Tip), minor(s.Discount)
	c.Total, c.Paid, c.Due = minor(s.Total), minor(s.Paid), minor(s.Due)
	for _, l := range t.OrderItems {
		c.Lines = append(c.Lines, booking.Line{Name: l.Name, SKU: l.Sku, Group: l.Category, Quantity: l.Quantity, Amount: minor(l.Total)})
	}
	for _, p := range t.OrderPayments {
		c.Payments = append(c.Payments, booking.Payment{Method: p.Type, Amount: minor(p.Amount), Tip: minor(p.Tip)})
	}
	return c, faults.Err()
}
