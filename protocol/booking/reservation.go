package booking

import "time"

// A Reservation is one party as its platform tells of it. Texts are as they came: whoever keeps them checks them.
type Reservation struct {
	Platform    string        `json:"platform,omitzero"`
	Venue       string        `json:"venue,omitzero"` // the platform's id of it
	ID          string        `json:"id"`             // the platform's, opaque
	Sequence    int64         `json:"sequence,omitzero"`
	UpdatedAt   time.Time     `json:"updated_at,omitzero"`
	ScheduledAt time.Time     `json:"scheduled_at,omitzero"`
	Duration    time.Duration `json:"duration,omitzero,format:nano"` // expected
	PartySize   int           `json:"party_size,omitzero"`
	Arrived     int           `json:"arrived,omitzero"` // guests
	Seated      int           `json:"seated,omitzero"`

	Word    string `json:"word,omitzero"`    // the status as the platform spells it
	Status  Status `json:"status,omitzero"`  // "": a word nobody knows; it moves nothing
	Stage   Stage  `json:"stage,omitzero"`   // the stage that the word stands for, "" for none
	Assumed bool   `json:"assumed,omitzero"` // set by a job of the platform's, not by a person
	OpenNow bool   `json:"open_now,omitzero"`
	Late    bool   `json:"late,omitzero"`
	Sure    bool   `json:"confirmed,omitzero"` // the guest has confirmed
	WalkIn  bool   `json:"walk_in,omitzero"`

	Tables       []string `json:"tables,omitzero"` // exact names
	Guest        Guest    `json:"guest,omitzero"`
	Notes        string   `json:"notes,omitzero"` // of the venue
	GuestRequest string   `json:"guest_request,omitzero"`
	Tags         []string `json:"tags,omitzero"`
	Offer        string   `json:"offer,omitzero"`

	Currency string    `json:"currency,omitzero"` // of deposits and refunds
	Deposits []Deposit `json:"deposits,omitzero"`
	Refunds  []Deposit `json:"refunds,omitzero"`
}

// Guest is who booked: personal data, kept only as long as the venue keeps it.
type Guest struct {
	ID        string   `json:"id,omitzero"` // the platform's
	FirstName string   `json:"first_name,omitzero"`
	LastName  string   `json:"last_name,omitzero"`
	Phone     string   `json:"phone,omitzero"`
	Email     string   `json:"email,omitzero"`
	Language  string   `json:"language,omitzero"`
	Allergens []string `json:"allergens,omitzero"`
	Dietary   []string `json:"dietary,omitzero"`
	FoodNotes string   `json:"food_notes,omitzero"`
	Notes     string   `json:"notes,omitzero"`
	VIP       bool     `json:"vip,omitzero"`
}

// Name is both names, as far as they are known.
func (g *Guest) Name() string {
	switch {
	case g.FirstName == "":
		return g.LastName
	case g.LastName == "":
		return g.FirstName
	}
	return g.FirstName + " " + g.LastName
}

// Deposit is money the platform took from the guest, or gave back.
type Deposit struct {
	ID       string    `json:"id"`
	Amount   string    `json:"amount"` // exact decimal: "12.50"
	At       time.Time `json:"at,omitzero"`
	Voided   bool      `json:"voided,omitzero"`
	VoidedAt time.Time `json:"voided_at,omitzero"`
}
