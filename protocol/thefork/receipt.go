package thefork

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Opening is the body of the call that opens a receipt.
type Opening struct {
	OrderID      wire.Text `json:"orderId"`
	CreatedAt    string    `json:"createdAt,omitzero"`
	UpdatedAt    string    `json:"updatedAt,omitzero"`
	Customer     *Customer `json:"customer"`
	DateOfMeal   string    `json:"dateOfMeal,omitzero"` // 2026-11-21
	StartTime    string    `json:"startTime,omitzero"`  // 19:30, of the restaurant
	Duration     int       `json:"duration,omitzero"`   // minutes
	CustomerName string    `json:"customerName,omitzero"`
	CustomerUUID wire.Text `json:"customerUuid,omitzero"`

	// From the derived specification only.
	PartySize         int         `json:"partySize,omitzero"`
	ReservationStatus string      `json:"reservationStatus,omitzero"`
	Prepayment        *Prepayment `json:"prepayment,omitzero"`
	Offer             *Offer      `json:"offer,omitzero"`
	Tables            []Table     `json:"tables,omitzero"`
}

// Customer is who booked.
type Customer struct {
	ID                  wire.Text `json:"id,omitzero"`
	Civility            string    `json:"civility,omitzero"`
	FirstName           string    `json:"firstName,omitzero"`
	LastName            string    `json:"lastName,omitzero"`
	Phone               string    `json:"phone,omitzero"`
	Email               string    `json:"email,omitzero"`
	Allergies           []string  `json:"allergies,omitzero"`
	DietaryRestrictions []string  `json:"dietaryRestrictions,omitzero"`
	SpendingBehaviour   string    `json:"spendingBehaviour,omitzero"`
	Note                string    `json:"note,omitzero"`
}

// Prepayment is a deposit in minor units.
type Prepayment struct {
	Amount   jsontext.Value `json:"amount"`
	Currency string         `json:"currency"`
}

// Offer is what the guest booked with.
type Offer struct {
	Type string `json:"type,omitzero"`
	Name string `json:"name,omitzero"`
}

// Table is one of the party's.
type Table struct {
	Name     wire.Text `json:"name"`
	AreaName string    `json:"areaName,omitzero"`
}

// maxDuration bounds Duration, in minutes: a week.
const maxDuration = 7 * 24 * 60

// Booking is o in our words. The call itself asks for a check, whatever the status says. The error is a *booking.Malformed.
func (o *Opening) Booking(w *wire.Wire) (booking.Reservation, error) {
	var faults wire.Faults
	moment := func(name, s string, zone *time.Location) time.Time {
		t, err := wire.ParseTime(s, zone)
		if err != nil {
			faults.Add(name, "%v", err)
		}
		return t
	}
	r := booking.Reservation{ID: string(o.OrderID), PartySize: o.PartySize, UpdatedAt: moment("/updatedAt", o.UpdatedAt, time.UTC), OpenNow: true}
	if r.UpdatedAt.IsZero() {
		r.UpdatedAt = moment("/createdAt", o.CreatedAt, time.UTC)
	}
	if o.DateOfMeal != "" {
		day, clock := o.DateOfMeal, o.StartTime
		if clock == "" {
			clock = "00:00"
		}
		if len(day) > len(time.DateOnly) { // an instant whose day counts
			day = day[:len(time.DateOnly)]
		}
		r.ScheduledAt = moment("/startTime", day+" "+clock, w.Zone)
	}
	if o.Duration < 0 || o.Duration > maxDuration {
		faults.Add("/duration", "is %d minutes", o.Duration)
	} else {
		r.Duration = time.Duration(o.Duration) * time.Minute
	}
	r.Guest = booking.Guest{ID: string(o.CustomerUUID), LastName: o.CustomerName}
	if c := o.Customer; c != nil {
		r.Guest = booking.Guest{ID: string(c.ID), FirstName: c.FirstName, LastName: c.LastName, Phone: c.Phone, Email: c.Email, Allergens: c.Allergies,
			Dietary: c.DietaryRestrictions, Notes: c.Note}
	}
	if o.Offer != nil {
		r.Offer = o.Offer.Name
		if r.Offer == "" {
			r.Offer = o.Offer.Type
		}
	}
	for _, t := range o.Tables[:min(len(o.Tables), wire.MaxTables+1)] {
		r.Tables = append(r.Tables, string(t.Name))
	}
	if p := o.Prepayment; p != nil {
		minor, err := wire.Minor(p.Amount, 0)
		switch {
		case err != nil || minor < 0:
			faults.Add("/prepayment/amount", "is not a number of minor units")
		case minor > 0:
			r.Currency = p.Currency
			r.Deposits = []booking.Deposit{{ID: "prepayment", Amount: booking.Decimal(minor, wire.Decimals(p.Currency))}}
		}
	}
	if o.ReservationStatus == "" {
		o.ReservationStatus, _ = w.Vocabulary.WriteStatus(booking.Arrived) // TheFork calls for no other reason than that
	}
	w.Mean(&r, o.ReservationStatus)
	if r.Status.Over() {
		r.OpenNow = false
	}
	faults.Check(&r, "/orderId", "/partySize", "/tables")
	return r, faults.Err()
}

// FromBooking is r as it goes on the wire, without its status.
func FromBooking(r *booking.Reservation, zone *time.Location) Opening {
	o := Opening{
		OrderID: wire.Text(r.ID), CreatedAt: wire.Stamp(r.UpdatedAt), UpdatedAt: wire.Stamp(r.UpdatedAt), Duration: int(r.Duration / time.Minute), PartySize: r.PartySize,
		Customer: &Customer{ID: wire.Text(r.Guest.ID), FirstName: r.Guest.FirstName, LastName: r.Guest.LastName, Phone: r.Guest.Phone, Email: r.Guest.Email,
			Allergies: r.Guest.Allergens, DietaryRestrictions: r.Guest.Dietary, Note: r.Guest.Notes},
	}
	if !r.ScheduledAt.IsZero() {
		local := r.ScheduledAt.In(zone)
		o.DateOfMeal, o.StartTime = local.Format(time.DateOnly), local.Format("15:04")
	}
	if r.Offer != "" {
		o.Offer = &Offer{Name: r.Offer}
	}
	for _, t := range r.Tables {
		o.Tables = append(o.Tables, Table{Name: wire.Text(t)})
	}
	for _, d := range r.Deposits {
		if minor, err := wire.ParseMinor(d.Amount, wire.Decimals(r.Currency)); err == nil && !d.Voided {
			o.Prepayment = &Prepayment{wire.Number(minor, 0), r.Currency}
		}
	}
	return o
}

// Receipt is the body that closes: one order with the total of all checks, in hundredths.
type Receipt struct {
	Locale      string `json:"locale"`
	Currency    string `json:"currency"`
	TotalAmount int64  `json:"totalAmount"`
	Lines       []Line `json:"lines"`
}

// A Line is something sold, with what all of it costs.
type Line struct {
	Label      string `json:"label"`
	Category   string `json:"category"`
	TotalPrice int64  `json:"totalPrice"`
	Quantity   int    `json:"quantity"`
}

// hundredths is an amount as TheFork wants it, times a hundred whatever the currency; cut to that where it has three decimals.
func hundredths(minor int64, decimals int) int64 {
	for ; decimals < 2; decimals++ {
		minor *= 10
	}
	for ; decimals > 2; decimals-- {
		minor /= 10
	}
	return minor
}

// FromCheck is c as it closes a receipt.
func FromCheck(c *booking.Check) Receipt {
	r := Receipt{Locale: Locale, Currency: c.Currency, TotalAmount: hundredths(c.Total, c.Decimals), Lines: []Line{}}
	for _, l := range c.Lines {
		r.Lines = append(r.Lines, Line{l.Name, l.Group, hundredths(l.Amount, c.Decimals), l.Quantity})
	}
	return r
}

// Update is r in our words, as whoever plays TheFork takes it.
func (r *Receipt) Update(order string) (booking.Update, error) {
	var faults wire.Faults
	if r.Locale == "" {
		faults.Add("/locale", "is missing")
	}
	if len(r.Currency) != 3 {
		faults.Add("/currency", "is not a currency")
	}
	if r.Lines == nil {
		faults.Add("/lines", "are missing")
	}
	decimals := wire.Decimals(r.Currency)
	minor := func(h int64) int64 {
		for d := decimals; d < 2; d++ {
			h /= 10
		}
		for d := decimals; d > 2; d-- {
			h *= 10
		}
		return h
	}
	c := &booking.Check{ID: order, Currency: r.Currency, Decimals: decimals, Total: minor(r.TotalAmount)}
	for _, l := range r.Lines {
		c.Lines = append(c.Lines, booking.Line{Name: l.Label, Group: l.Category, Quantity: l.Quantity, Amount: minor(l.TotalPrice)})
	}
	return booking.Update{Reservation: order, Kind: booking.KindClosed, Stage: booking.Paid, Status: booking.Departed, Check: c}, faults.Err()
}
