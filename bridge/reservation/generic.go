package reservation

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/protocol/booking"
)

// Push is the body of the generic inbound API, which is the one that Lightspeed's "Reservations for Platforms" has
// (spec/reservations.md 8.6).
type Push struct {
	UpdatedAt    string     `json:"utcUpdatedAt" doc:"UTC without a zone: 2026-11-21T19:04:05"`
	ScheduledAt  string     `json:"utcScheduledAt" doc:"UTC without a zone"`
	PartySize    int        `json:"partySize" minimum:"0" maximum:"1000"`
	Status       string     `json:"status" enum:"ON_HOLD,SCHEDULED,PARTIALLY_ARRIVED,ARRIVED,PARTIALLY_SEATED,SEATED,DEPARTED,CANCELLED,NO_SHOW,ERROR"`
	Guest        PushGuest  `json:"guest"`
	Sequence     *int64     `json:"sequenceId,omitzero" doc:"rises with each change; leave it out rather than send 0"`
	Tables       []string   `json:"tableNumbers,omitzero" doc:"exact names, each once"`
	Notes        string     `json:"notes,omitzero"`
	GuestRequest string     `json:"guestRequest,omitzero"`
	Offer        string     `json:"specialOffer,omitzero"`
	Tags         []string   `json:"tags,omitzero"`
	Duration     string     `json:"expectedDuration,omitzero" doc:"ISO 8601: PT1H30M"`
	Liability    *Liability `json:"liability,omitzero"`
}

// PushGuest is who booked.
type PushGuest struct {
	ID        string   `json:"platformGuestId"`
	FirstName string   `json:"firstName"`
	LastName  string   `json:"lastName,omitzero"`
	Email     string   `json:"email,omitzero"`
	Phone     string   `json:"phone,omitzero"`
	WalkIn    bool     `json:"walkIn,omitzero"`
	FoodNotes string   `json:"foodAndDrinkNotes,omitzero"`
	Notes     string   `json:"notes,omitzero"`
	Language  string   `json:"language,omitzero"`
	Allergens []string `json:"allergens,omitzero"`
	Dietary   []string `json:"dietaryRestrictions,omitzero"`
}

// Liability is money that the platform holds of the guest.
type Liability struct {
	Currency string        `json:"currency"`
	Deposits []PushDeposit `json:"deposits,omitzero"`
	Refunds  []PushRefund  `json:"refunds,omitzero"`
}

// PushDeposit is money taken.
type PushDeposit struct {
	Amount    string `json:"amount" doc:"exact decimal"`
	ID        string `json:"platformDepositId"`
	CreatedAt string `json:"utcCreatedAt,omitzero"`
	Voided    bool   `json:"voided,omitzero"`
	VoidedAt  string `json:"utcVoidedAt,omitzero"`
}

// PushRefund is money given back.
type PushRefund struct {
	Amount    string `json:"amount" doc:"exact decimal"`
	ID        string `json:"platformRefundId"`
	CreatedAt string `json:"utcCreatedAt,omitzero"`
	Voided    bool   `json:"voided,omitzero"`
	VoidedAt  string `json:"utcVoidedAt,omitzero"`
}

// Pushed answers a push.
type Pushed struct {
	Platform    string `json:"platformCode"`
	Venue       string `json:"platformRestaurantId"`
	Reservation string `json:"platformReservationId"`
	Accepted    bool   `json:"accepted" doc:"false: older than what is known, or the same again"`
}

var errDuration = errors.New("is not a duration of ISO 8601; write PT1H30M")

// reservation checks the push and gives what it says.
func (p *Push) reservation(id string) (booking.Reservation, []api.Fault) {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	when := func(pointer, text string, required bool) time.Time {
		if text == "" && !required {
			return time.Time{}
		}
		t, err := moment(text)
		if err != nil {
			wrong(pointer, "is not a time in UTC; write 2026-11-21T19:04:05")
		}
		return t
	}
	if !wellFormed(id, 36) {
		wrong("", "the reservation's id has more than 36 characters or others than letters, digits, underscore and hyphen")
	}
	m := booking.Reservation{
		ID: id, UpdatedAt: when("/utcUpdatedAt", p.UpdatedAt, true), ScheduledAt: when("/utcScheduledAt", p.ScheduledAt, true), PartySize: p.PartySize, Word: p.Status,
		Status: booking.Status(strings.ToLower(p.Status)), WalkIn: p.Guest.WalkIn, Tables: p.Tables, Notes: p.Notes, GuestRequest: p.GuestRequest, Offer: p.Offer, Tags: p.Tags,
		Guest: booking.Guest{
			ID: p.Guest.ID, FirstName: p.Guest.FirstName, LastName: p.Guest.LastName, Email: p.Guest.Email, Phone: p.Guest.Phone, Language: p.Guest.Language,
			FoodNotes: p.Guest.FoodNotes, Notes: p.Guest.Notes, Allergens: p.Guest.Allergens, Dietary: p.Guest.Dietary,
		},
	}
	if !m.Status.Valid() {
		wrong("/status", "is none of ON_HOLD, SCHEDULED, PARTIALLY_ARRIVED, ARRIVED, PARTIALLY_SEATED, SEATED, DEPARTED, CANCELLED, NO_SHOW, ERROR")
	}
	if p.PartySize < 1 {
		wrong("/partySize", "is not a number above 0")
	}
	if p.Guest.ID == "" {
		wrong("/guest/platformGuestId", "is missing")
	}
	if p.Guest.FirstName == "" {
		wrong("/guest/firstName", "is missing")
	}
	if p.Sequence != nil {
		if m.Sequence = *p.Sequence; m.Sequence < 1 {
			wrong("/sequenceId", "is not a number above 0; leave it out if there is none")
		}
	}
	if p.Duration != "" {
		var err error
		if m.Duration, err = duration(p.Duration); err != nil {
			wrong("/expectedDuration", err.Error())
		}
	}
	if l := p.Liability; l != nil {
		m.Currency = l.Currency
		for n, d := range l.Deposits {
			at := fmt.Sprintf("/liability/deposits/%d", n)
			m.Deposits = append(m.Deposits, booking.Deposit{ID: d.ID, Amount: d.Amount, At: when(at+"/utcCreatedAt", d.CreatedAt, false), Voided: d.Voided, VoidedAt: when(at+"/utcVoidedAt", d.VoidedAt, false)})
		}
		for n, d := range l.Refunds {
			at := fmt.Sprintf("/liability/refunds/%d", n)
			m.Refunds = append(m.Refunds, booking.Deposit{ID: d.ID, Amount: d.Amount, At: when(at+"/utcCreatedAt", d.CreatedAt, false), Voided: d.Voided, VoidedAt: when(at+"/utcVoidedAt", d.VoidedAt, false)})
		}
	}
	return m, faults
}

// moment reads a time of this API; one that names its zone is taken too.
func moment(text string) (time.Time, error) {
	if t, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}

// wellFormed tells whether a code has only letters, digits, underscores and hyphens, and no more than limit of them.
func wellFormed(code string, limit int) bool {
	if code == "" || len(code) > limit {
		return false
	}
	for _, c := range []byte(code) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// duration reads an ISO 8601 duration of at most a day: hours, minutes and seconds.
func duration(text string) (time.Duration, error) {
	short, ok := strings.CutPrefix(text, "PT")
	if !ok || short == "" {
		return 0, errDuration
	}
	// What is left is Go's own form in capitals, if it has these three letters in their order and nothing else.
	if !regexp.MustCompile(`^(\d{1,2}H)?(\d{1,4}M)?(\d{1,5}S)?$`).MatchString(short) {
		return 0, errDuration
	}
	d, err := time.ParseDuration(strings.ToLower(short))
	if err != nil || d > 24*time.Hour {
		return 0, errDuration
	}
	return d, nil
}
