// Package generic is the reservation that any platform can send: the push body of "Reservations for Platforms"
// (spec/reservations.md 8.6), the only public contract that already serves several platforms. It is the body of our own
// inbound call, and what platforms whose wire nobody has published are expected to send in a frame of their own.
package generic

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Limits of identifiers.
const (
	MaxPlatform    = 11
	MaxReservation = 36
)

// Layout is how the contract writes times: UTC, without a zone.
const Layout = "2006-01-02T15:04:05"

// Push is a reservation as a platform sends it.
type Push struct {
	UtcUpdatedAt     string         `json:"utcUpdatedAt"`
	UtcScheduledAt   string         `json:"utcScheduledAt"`
	PartySize        *int           `json:"partySize"`
	Status           string         `json:"status"`
	Guest            *Guest         `json:"guest"`
	SequenceID       jsontext.Value `json:"sequenceId,omitzero"`
	TableNumbers     []wire.Text    `json:"tableNumbers,omitzero"`
	Notes            string         `json:"notes,omitzero"`
	GuestRequest     string         `json:"guestRequest,omitzero"`
	SpecialOffer     string         `json:"specialOffer,omitzero"`
	Tags             []string       `json:"tags,omitzero"`
	ExpectedDuration string         `json:"expectedDuration,omitzero"`
	Liability        *Liability     `json:"liability,omitzero"`
}

// Guest is who booked.
type Guest struct {
	PlatformGuestID     wire.Text `json:"platformGuestId"`
	FirstName           string    `json:"firstName"`
	LastName            string    `json:"lastName,omitzero"`
	Email               string    `json:"email,omitzero"`
	Phone               string    `json:"phone,omitzero"`
	WalkIn              bool      `json:"walkIn,omitzero"`
	FoodAndDrinkNotes   string    `json:"foodAndDrinkNotes,omitzero"`
	Notes               string    `json:"notes,omitzero"`
	Language            string    `json:"language,omitzero"`
	Allergens           []string  `json:"allergens,omitzero"`
	DietaryRestrictions []string  `json:"dietaryRestrictions,omitzero"`
}

// Liability is the money the platform holds for the party.
type Liability struct {
	Currency string    `json:"currency"`
	Deposits []Deposit `json:"deposits,omitzero"`
	Refunds  []Refund  `json:"refunds,omitzero"`
}

// Deposit is money taken. Amount is a decimal in a text.
type Deposit struct {
	Amount            jsontext.Value `json:"amount"`
	PlatformDepositID wire.Text      `json:"platformDepositId"`
	UtcCreatedAt      string         `json:"utcCreatedAt,omitzero"`
	Voided            bool           `json:"voided,omitzero"`
	UtcVoidedAt       string         `json:"utcVoidedAt,omitzero"`
}

// Refund is money given back.
type Refund struct {
	Amount           jsontext.Value `json:"amount"`
	PlatformRefundID wire.Text      `json:"platformRefundId"`
	UtcCreatedAt     string         `json:"utcCreatedAt,omitzero"`
	Voided           bool           `json:"voided,omitzero"`
	UtcVoidedAt      string         `json:"utcVoidedAt,omitzero"`
}

// Accepted is the answer to a push that was taken.
type Accepted struct {
	PlatformCode          string `json:"platformCode"`
	PlatformRestaurantID  string `json:"platformRestaurantId"`
	PlatformReservationID string `json:"platformReservationId"`
	Accepted              bool   `json:"accepted"`
}

// Words are the statuses of the contract. PAID goes to the platform only, and is no word here.
func Words() []booking.Word {
	var words []booking.Word
	for _, s := range booking.Statuses() {
		m := booking.Meaning{Status: s}
		if s == booking.Seated {
			m.Stage = booking.AtTable
		}
		words = append(words, booking.Word{Name: string(s), Wire: strings.ToUpper(string(s)), Meaning: m})
	}
	return words
}

// Identifier tells whether s can be a platform's code or a reservation's id of the contract: letters, digits, underscore and
// hyphen, at most so many.
func Identifier(s string, longest int) bool {
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// Parse reads the body of an inbound push for a reservation. A status that is none of the contract's is a fault. The error is
// a *booking.Malformed that names every fault. Statuses are taken in either case.
func Parse(body []byte, reservation string) (booking.Reservation, error) {
	var p Push
	if err := wire.Read(body, &p); err != nil {
		return booking.Reservation{}, err
	}
	r, faults := p.Booking(reservation, "")
	if !Identifier(reservation, MaxReservation) {
		faults.Add("", "the reservation's id is not made of at most %d letters, digits, _ and -", MaxReservation)
	}
	if p.Status != "" {
		for _, w := range Words() {
			if strings.EqualFold(w.Wire, p.Status) {
				r.Status, r.Stage = w.Status, w.Stage
			}
		}
		if r.Status == "" {
			var words []string
			for _, w := range Words() {
				words = append(words, w.Wire)
			}
			faults.Add("/status", "is %.40q; write one of %s", p.Status, strings.Join(words, ", "))
		}
	}
	return r, faults.Err()
}

// Booking is p in our words but for its status, which is Word. at is where p stands in its message.
func (p *Push) Booking(id, at string) (booking.Reservation, wire.Faults) {
	var faults wire.Faults
	moment := func(name, s string, needed bool) time.Time {
		t, err := wire.ParseTime(s, time.UTC)
		switch {
		case err != nil:
			faults.Add(at+name, "%v", err)
		case t.IsZero() && needed:
			faults.Add(at+name, "is missing")
		}
		return t
	}
	r := booking.Reservation{
		ID: id, Word: p.Status, UpdatedAt: moment("/utcUpdatedAt", p.UtcUpdatedAt, true), ScheduledAt: moment("/utcScheduledAt", p.UtcScheduledAt, true),
		Tables: wire.Texts(p.TableNumbers), Notes: p.Notes, GuestRequest: p.GuestRequest, Tags: p.Tags, Offer: p.SpecialOffer,
	}
	if p.PartySize == nil {
		faults.Add(at+"/partySize", "is missing")
	} else {
		r.PartySize = *p.PartySize
	}
	if p.Status == "" {
		faults.Add(at+"/status", "is missing")
	}
	if g := p.Guest; g == nil {
		faults.Add(at+"/guest", "is missing")
	} else {
		r.WalkIn = g.WalkIn
		r.Guest = booking.Guest{ID: string(g.PlatformGuestID), FirstName: g.FirstName, LastName: g.LastName, Phone: g.Phone, Email: g.Email, Language: g.Language,
			Allergens: g.Allergens, Dietary: g.DietaryRestrictions, FoodNotes: g.FoodAndDrinkNotes, Notes: g.Notes}
		if g.PlatformGuestID == "" {
			faults.Add(at+"/guest/platformGuestId", "is missing")
		}
		if g.FirstName == "" {
			faults.Add(at+"/guest/firstName", "is missing")
		}
	}
	if p.SequenceID != nil {
		n, err := wire.Minor(p.SequenceID, 0)
		if err != nil || n <= 0 || p.SequenceID.Kind() != '0' {
			faults.Add(at+"/sequenceId", "is not a number above zero; leave it out when there is none")
		}
		r.Sequence = n
	}
	seen := map[string]bool{}
	for _, name := range r.Tables {
		if seen[name] || name == "" {
			faults.Add(at+"/tableNumbers", "has %.40q twice or an empty name", name)
			break
		}
		seen[name] = true
	}
	if p.ExpectedDuration != "" {
		d, ok := ParseDuration(p.ExpectedDuration)
		if !ok {
			faults.Add(at+"/expectedDuration", "is not a duration as PT1H30M")
		}
		r.Duration = d
	}
	if l := p.Liability; l != nil {
		r.Currency = l.Currency
		if l.Currency == "" && len(l.Deposits)+len(l.Refunds) > 0 {
			faults.Add(at+"/liability/currency", "is missing")
		}
		money := func(where string, amount jsontext.Value, id wire.Text, created string, voided bool, voidedAt string) booking.Deposit {
			d := booking.Deposit{ID: string(id), At: moment(where, created, false), Voided: voided, VoidedAt: moment(where, voidedAt, false)}
			var err error
			if d.Amount, err = wire.ParseAmount(amount, l.Currency); err != nil || len(amount) == 0 || strings.HasPrefix(d.Amount, "-") {
				faults.Add(at+where, "has an amount that is not a decimal of %s from 0", l.Currency)
			}
			if id == "" || seen[where+string(id)] {
				faults.Add(at+where, "has an id twice or none")
			}
			seen[where+string(id)] = true
			return d
		}
		for _, d := range l.Deposits[:min(len(l.Deposits), wire.MaxDeposit+1)] {
			r.Deposits = append(r.Deposits, money("/liability/deposits", d.Amount, d.PlatformDepositID, d.UtcCreatedAt, d.Voided, d.UtcVoidedAt))
		}
		for _, d := range l.Refunds[:min(len(l.Refunds), wire.MaxDeposit+1)] {
			r.Refunds = append(r.Refunds, money("/liability/refunds", d.Amount, d.PlatformRefundID, d.UtcCreatedAt, d.Voided, d.UtcVoidedAt))
		}
	}
	faults.Check(&r, at, at+"/partySize", at+"/tableNumbers")
	return r, faults
}

// FromBooking is r as it is pushed, with status as its word. Times lose what is below a second, as the contract writes them.
func FromBooking(r *booking.Reservation, status string) Push {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(Layout)
	}
	p := Push{
		UtcUpdatedAt: stamp(r.UpdatedAt), UtcScheduledAt: stamp(r.ScheduledAt), PartySize: &r.PartySize, Status: status,
		TableNumbers: wire.FromTexts(r.Tables), Notes: r.Notes, GuestRequest: r.GuestRequest, SpecialOffer: r.Offer, Tags: r.Tags,
		Guest: &Guest{PlatformGuestID: wire.Text(r.Guest.ID), FirstName: r.Guest.FirstName, LastName: r.Guest.LastName, Email: r.Guest.Email, Phone: r.Guest.Phone,
			WalkIn: r.WalkIn, FoodAndDrinkNotes: r.Guest.FoodNotes, Notes: r.Guest.Notes, Language: r.Guest.Language, Allergens: r.Guest.Allergens,
			DietaryRestrictions: r.Guest.Dietary},
	}
	if r.Sequence > 0 {
		p.SequenceID = wire.Number(r.Sequence, 0)
	}
	if r.Duration > 0 {
		p.ExpectedDuration = FormatDuration(r.Duration)
	}
	if len(r.Deposits)+len(r.Refunds) > 0 {
		p.Liability = &Liability{Currency: r.Currency}
		for _, d := range r.Deposits {
			p.Liability.Deposits = append(p.Liability.Deposits, Deposit{quote(d.Amount), wire.Text(d.ID), stamp(d.At), d.Voided, stamp(d.VoidedAt)})
		}
		for _, d := range r.Refunds {
			p.Liability.Refunds = append(p.Liability.Refunds, Refund{quote(d.Amount), wire.Text(d.ID), stamp(d.At), d.Voided, stamp(d.VoidedAt)})
		}
	}
	return p
}

func quote(s string) jsontext.Value {
	b, err := jsontext.AppendQuote(nil, bytes.ToValidUTF8([]byte(s), []byte("?")))
	if err != nil {
		return nil
	}
	return b
}
