package sevenrooms

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// EntityReservation is the kind of entity that counts here.
const EntityReservation = "reservation"

// An Event is one of a webhook's list.
type Event struct {
	EntityType string       `json:"entity_type"`
	EventType  string       `json:"event_type,omitzero"`
	Entity     *Reservation `json:"entity,omitzero"`
}

// Export is a page of the export.
type Export struct {
	Status int        `json:"status"`
	Data   ExportData `json:"data"`
}

// ExportData is what a page holds. Cursor is where the next one begins, "" at the end.
type ExportData struct {
	Results []Reservation `json:"results"`
	Cursor  string        `json:"cursor,omitzero"`
}

// Change is the body of a change of a reservation: members that do not change are left out.
type Change struct {
	VenueID      string           `json:"venue_id"`
	Status       string           `json:"status,omitzero"`
	TableNumbers []string         `json:"table_numbers,omitzero"`
	MaxGuests    int              `json:"max_guests,omitzero"`
	Updated      string           `json:"updated"`
	PosTickets   []wire.PosTicket `json:"pos_tickets,omitzero"`
}

// Update is c in our words, as whoever plays SevenRooms takes it.
func (c *Change) Update(w *wire.Wire, reservation string) (booking.Update, error) {
	n := wire.Notice{VenueID: c.VenueID, ReservationID: reservation, Status: c.Status, TableNumbers: c.TableNumbers, Guests: c.MaxGuests, Updated: c.Updated}
	if len(c.PosTickets) > 0 {
		n.Ticket = &c.PosTickets[0]
	}
	return n.Update(w)
}

// A Reservation has the members that public programs read.
type Reservation struct {
	ID              wire.Text      `json:"id"`
	VenueID         wire.Text      `json:"venue_id,omitzero"`
	Date            string         `json:"date,omitzero"`         // of the venue: 2026-11-21
	ArrivalTime     string         `json:"arrival_time,omitzero"` // of the venue: 19:30:00 or 07:30 PM
	Duration        int            `json:"duration,omitzero"`     // minutes
	MaxGuests       int            `json:"max_guests,omitzero"`
	ArrivedGuests   int            `json:"arrived_guests,omitzero"`
	Status          string         `json:"status"`
	ReservationType string         `json:"reservation_type,omitzero"` // WALK_IN for those who came without
	TableNumbers    []wire.Text    `json:"table_numbers,omitzero"`
	Notes           string         `json:"notes,omitzero"`
	ClientRequests  string         `json:"client_requests,omitzero"`
	Tags            []Tag          `json:"tags,omitzero"`
	IsVIP           bool           `json:"is_vip,omitzero"`
	ClientID        wire.Text      `json:"client_id,omitzero"`
	FirstName       string         `json:"first_name,omitzero"`
	LastName        string         `json:"last_name,omitzero"`
	PhoneNumber     string         `json:"phone_number,omitzero"`
	Email           string         `json:"email,omitzero"`
	Prepayment      jsontext.Value `json:"prepayment,omitzero"`
	Currency        string         `json:"currency_code,omitzero"`
	Updated         string         `json:"updated,omitzero"` // UTC, without a zone
}

const typeWalkIn = "WALK_IN"

// A Tag is a text, or an object that has one.
type Tag string

// UnmarshalJSON reads either form.
func (t *Tag) UnmarshalJSON(b []byte) error {
	if jsontext.Value(b).Kind() == '"' {
		var s wire.Text
		err := s.UnmarshalJSON(b)
		*t = Tag(s)
		return err
	}
	var object struct {
		Tag     string `json:"tag"`
		Display string `json:"tag_display"`
	}
	if err := json.Unmarshal(b, &object); err != nil {
		return err
	}
	if object.Display != "" {
		object.Tag = object.Display
	}
	*t = Tag(object.Tag)
	return nil
}

// maxDuration bounds Duration, in minutes: a week.
const maxDuration = 7 * 24 * 60

// updatedLayout is how Updated is written.
const updatedLayout = "2006-01-02T15:04:05.000000"

// Booking is x without what its word stands for. The error is a *booking.Malformed; at is where x stands in its message.
func (x *Reservation) Booking(at string, zone *time.Location) (booking.Reservation, error) {
	var faults wire.Faults
	r := booking.Reservation{
		ID: string(x.ID), PartySize: x.MaxGuests, Arrived: x.ArrivedGuests, Tables: wire.Texts(x.TableNumbers), Notes: x.Notes, GuestRequest: x.ClientRequests,
		WalkIn: x.ReservationType == typeWalkIn, Currency: x.Currency,
		Guest: booking.Guest{ID: string(x.ClientID), FirstName: x.FirstName, LastName: x.LastName, Phone: x.PhoneNumber, Email: x.Email, VIP: x.IsVIP},
	}
	for _, t := range x.Tags {
		r.Tags = append(r.Tags, string(t))
	}
	var err error
	if r.UpdatedAt, err = wire.ParseTime(x.Updated, time.UTC); err != nil {
		faults.Add(at+"/updated", "%v", err)
	} else if r.UpdatedAt.IsZero() {
		faults.Add(at+"/updated", "is missing; without it messages have no order")
	}
	if x.Status == "" {
		faults.Add(at+"/status", "is missing")
	}
	if x.Date != "" {
		if r.ScheduledAt, err = arrival(x.Date, x.ArrivalTime, zone); err != nil {
			faults.Add(at+"/arrival_time", "%v", err)
		}
	}
	if x.Duration < 0 || x.Duration > maxDuration {
		faults.Add(at+"/duration", "is %d minutes", x.Duration)
	} else {
		r.Duration = time.Duration(x.Duration) * time.Minute
	}
	if len(x.Prepayment) > 0 && x.Prepayment.Kind() != 'n' {
		amount, err := wire.ParseAmount(x.Prepayment, x.Currency)
		switch {
		case err != nil:
			faults.Add(at+"/prepayment", "%v", err)
		case amount != booking.Decimal(0, wire.Decimals(x.Currency)):
			r.Deposits = []booking.Deposit{{ID: "prepayment", Amount: amount}} // it has no number of its own
		}
	}
	faults.Check(&r, at+"/id", at+"/max_guests", at+"/table_numbers")
	return r, faults.Err()
}

// arrival is a day and a time of the venue's clock.
func arrival(day, clock string, zone *time.Location) (time.Time, error) {
	if clock == "" {
		clock = "00:00:00"
	}
	for _, layout := range []string{"2006-01-02 03:04 PM", "2006-01-02 03:04:05 PM"} {
		if t, err := time.ParseInLocation(layout, day+" "+clock, zone); err == nil {
			return wire.ParseTime(t.Format(time.RFC3339), zone)
		}
	}
	return wire.ParseTime(day+" "+clock, zone)
}

// FromBooking is r as it goes on the wire, without its status.
func FromBooking(r *booking.Reservation, zone *time.Location) Reservation {
	x := Reservation{
		ID: wire.Text(r.ID), Duration: int(r.Duration / time.Minute), MaxGuests: r.PartySize, ArrivedGuests: r.Arrived, TableNumbers: wire.FromTexts(r.Tables),
		Notes: r.Notes, ClientRequests: r.GuestRequest, IsVIP: r.Guest.VIP, ClientID: wire.Text(r.Guest.ID), FirstName: r.Guest.FirstName, LastName: r.Guest.LastName,
		PhoneNumber: r.Guest.Phone, Email: r.Guest.Email, Currency: r.Currency,
	}
	if !r.UpdatedAt.IsZero() {
		x.Updated = r.UpdatedAt.UTC().Format(updatedLayout)
	}
	if !r.ScheduledAt.IsZero() {
		local := r.ScheduledAt.In(zone)
		x.Date, x.ArrivalTime = local.Format(time.DateOnly), local.Format(time.TimeOnly)
	}
	if r.WalkIn {
		x.ReservationType = typeWalkIn
	}
	for _, t := range r.Tags {
		x.Tags = append(x.Tags, Tag(t))
	}
	for _, d := range r.Deposits {
		if !d.Voided {
			x.Prepayment = jsontext.Value(d.Amount)
		}
	}
	return x
}
