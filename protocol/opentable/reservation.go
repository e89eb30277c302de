package opentable

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Kinds of events.
const (
	EventReservation = "reservation"
	EventActivated   = "integration.activated"
	EventDeactivated = "integration.deactivated"
)

// An Event is a webhook's body.
type Event struct {
	Type         string       `json:"Type"`
	RestaurantID wire.Text    `json:"RestaurantID,omitzero"`
	Reservation  *Reservation `json:"Reservation,omitzero"`
}

// Feed is a page of GET /sync/v2/reservations.
type Feed struct {
	Items       []Reservation `json:"items"`
	HasNextPage bool          `json:"hasNextPage"`
	NextPageURL string        `json:"nextPageUrl,omitzero"`
	Limit       int           `json:"limit,omitzero"`
	Offset      int           `json:"offset,omitzero"`
}

// A Reservation has the names of the mirror model and, where that has none, of the old reservation message
// (SequenceNumber).
type Reservation struct {
	ReservationID    wire.Text    `json:"ReservationID"`
	RestaurantID     wire.Text    `json:"RestaurantID,omitzero"`
	State            string       `json:"State"`
	SequenceNumber   int64        `json:"SequenceNumber,omitzero"`
	TableNumber      []wire.Text  `json:"TableNumber,omitzero"`
	Origin           string       `json:"Origin,omitzero"` // "WalkIn" for those who came without
	ScheduledTimeUtc string       `json:"ScheduledTimeUtc,omitzero"`
	UpdatedAtUtc     string       `json:"UpdatedAtUtc,omitzero"`
	Duration         int          `json:"Duration,omitzero"` // minutes
	Covers           int          `json:"Covers,omitzero"`
	GuestNotes       string       `json:"GuestNotes,omitzero"`
	RestaurantNotes  string       `json:"RestaurantNotes,omitzero"`
	Tags             []string     `json:"Tags,omitzero"`
	Offer            string       `json:"Offer,omitzero"`
	Cancelled        bool         `json:"Cancelled,omitzero"`
	Guest            *Guest       `json:"Guest,omitzero"`
	PrePayments      []PrePayment `json:"PrePayments,omitzero"`
}

// A Guest is who booked.
type Guest struct {
	GuestID   wire.Text `json:"GuestID,omitzero"`
	FirstName string    `json:"FirstName,omitzero"`
	LastName  string    `json:"LastName,omitzero"`
	Phone     string    `json:"Phone,omitzero"`
	Email     string    `json:"Email,omitzero"`
	Language  string    `json:"Language,omitzero"`
	Notes     string    `json:"Notes,omitzero"`
	Allergies []string  `json:"Allergies,omitzero"`
	Dietary   []string  `json:"DietaryRestrictions,omitzero"`
	Vip       bool      `json:"Vip,omitzero"`
}

// A PrePayment is a deposit.
type PrePayment struct {
	PaymentID wire.Text      `json:"PaymentID"`
	Amount    jsontext.Value `json:"Amount"`
	Currency  string         `json:"Currency,omitzero"`
	PaidAtUtc string         `json:"PaidAtUtc,omitzero"`
	Voided    bool           `json:"Voided,omitzero"`
}

const originWalkIn = "WalkIn"

// maxDuration bounds Duration, in minutes: a week.
const maxDuration = 7 * 24 * 60

// Booking is x without what its word stands for. The error is a *booking.Malformed; at is where x stands in its message.
func (x *Reservation) Booking(at string) (booking.Reservation, error) {
	var faults wire.Faults
	moment := func(name, s string) time.Time {
		t, err := wire.ParseTime(s, time.UTC)
		if err != nil {
			faults.Add(at+"/"+name, "%v", err)
		}
		return t
	}
	r := booking.Reservation{
		ID: string(x.ReservationID), Sequence: x.SequenceNumber, PartySize: x.Covers,
		UpdatedAt: moment("UpdatedAtUtc", x.UpdatedAtUtc), ScheduledAt: moment("ScheduledTimeUtc", x.ScheduledTimeUtc),
		Tables: wire.Texts(x.TableNumber), Notes: x.RestaurantNotes, GuestRequest: x.GuestNotes, Tags: x.Tags, Offer: x.Offer,
		WalkIn: x.Origin == originWalkIn,
	}
	if x.Duration < 0 || x.Duration > maxDuration {
		faults.Add(at+"/Duration", "is %d minutes", x.Duration)
	} else {
		r.Duration = time.Duration(x.Duration) * time.Minute
	}
	if x.SequenceNumber < 0 {
		faults.Add(at+"/SequenceNumber", "is below zero")
	}
	if x.State == "" {
		faults.Add(at+"/State", "is missing")
	}
	if r.Sequence == 0 && r.UpdatedAt.IsZero() {
		faults.Add(at+"/UpdatedAtUtc", "is missing; without it and SequenceNumber messages have no order")
	}
	if g := x.Guest; g != nil {
		r.Guest = booking.Guest{ID: string(g.GuestID), FirstName: g.FirstName, LastName: g.LastName, Phone: g.Phone, Email: g.Email,
			Language: g.Language, Notes: g.Notes, Allergens: g.Allergies, Dietary: g.Dietary, VIP: g.Vip}
	}
	for _, p := range x.PrePayments[:min(len(x.PrePayments), wire.MaxDeposit+1)] {
		amount, err := wire.ParseAmount(p.Amount, p.Currency)
		if err != nil {
			faults.Add(at+"/PrePayments", "%v", err)
		}
		if r.Currency != "" && p.Currency != r.Currency {
			faults.Add(at+"/PrePayments", "have several currencies")
		}
		r.Currency = p.Currency
		r.Deposits = append(r.Deposits, booking.Deposit{ID: string(p.PaymentID), Amount: amount, At: moment("PrePayments", p.PaidAtUtc), Voided: p.Voided})
	}
	faults.Check(&r, at+"/ReservationID", at+"/Covers", at+"/TableNumber")
	return r, faults.Err()
}

// FromBooking is r as it goes on the wire, without its State.
func FromBooking(r *booking.Reservation) Reservation {
	x := Reservation{
		ReservationID: wire.Text(r.ID), SequenceNumber: r.Sequence, TableNumber: wire.FromTexts(r.Tables), ScheduledTimeUtc: wire.Stamp(r.ScheduledAt),
		UpdatedAtUtc: wire.Stamp(r.UpdatedAt), Duration: int(r.Duration / time.Minute), Covers: r.PartySize, GuestNotes: r.GuestRequest,
		RestaurantNotes: r.Notes, Tags: r.Tags, Offer: r.Offer, Cancelled: r.Status == booking.Cancelled,
		Guest: &Guest{GuestID: wire.Text(r.Guest.ID), FirstName: r.Guest.FirstName, LastName: r.Guest.LastName, Phone: r.Guest.Phone, Email: r.Guest.Email,
			Language: r.Guest.Language, Notes: r.Guest.Notes, Allergies: r.Guest.Allergens, Dietary: r.Guest.Dietary, Vip: r.Guest.VIP},
	}
	if r.WalkIn {
		x.Origin = originWalkIn
	}
	for _, d := range r.Deposits {
		x.PrePayments = append(x.PrePayments, PrePayment{PaymentID: wire.Text(d.ID), Amount: jsontext.Value(d.Amount), Currency: r.Currency, PaidAtUtc: wire.Stamp(d.At), Voided: d.Voided})
	}
	return x
}
