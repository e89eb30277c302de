package floor

import (
	"context"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Hotel charges rooms and takes down what was sold.
type Hotel interface {
	// Charge asks the hotel to book c.Amount and c.Tip on a room and waits for its answer. also is written in the
	// transaction that records the charge.
	Charge(ctx context.Context, by access.Principal, c Charge, also func(*journal.Tx) error) (Posting, error)
	// Posting is how a charge stands; ok is false when there is none of that id.
	Posting(ctx context.Context, id journal.ID) (p Posting, ok bool, err error)
	// Sold records, in the transaction that closes a check, what it sold and how it was paid.
	Sold(tx *journal.Tx, by access.Principal, s Sale) error
}

// Charge is what a room pays of a check.
type Charge struct {
	ID          journal.ID // of the posting
	Check       string     // the check's id
	Number      int64
	Room        string
	Reservation string
	Guest       string
	Amount      int64 // without the tip
	Tip         int64
	Parts       []Part // of Amount
	Outlet      string
	Table       string
	Covers      int
	Staff       string
	Manager     bool
}

// States of a posting, as the hotel's side names them.
const (
	PostingPosted  = "posted"
	PostingRefused = "refused"
	PostingUnknown = "unknown"
)

// Posting is how a charge stands.
type Posting struct {
	ID       journal.ID
	Kind     string // charge, void …
	State    string // posted, refused, unknown; anything else is under way
	Reason   string
	Message  string // for staff
	Amount   int64  // tip included
	Tip      int64
	Original journal.ID // what a void reverses
}

// Sale is a closed check for the hotel's books.
type Sale struct {
	ID          string
	Number      int64
	Outlet      string
	FloorPlan   string // area of its first table
	Table       string
	Covers      int
	Staff       string
	At          time.Time
	Parts       []Part
	Payments    []Payment // those that count
	BusinessDay string
}

// noHotel is a venue without one.
type noHotel struct{}

func (noHotel) Charge(context.Context, access.Principal, Charge, func(*journal.Tx) error) (Posting, error) {
	return Posting{}, ErrNoHotel
}
func (noHotel) Posting(context.Context, journal.ID) (Posting, bool, error) {
	return Posting{}, false, nil
}
func (noHotel) Sold(*journal.Tx, access.Principal, Sale) error { return nil }
