package folio

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// PMS is a hotel system as folio needs it. Its methods may be called from any goroutine.
type PMS interface {
	// Run keeps the link until ctx ends.
	Run(ctx context.Context) error
	// Listen says who hears what the hotel tells unasked. It is called once, before Run.
	Listen(Listener)
	// Status is how the link stands now.
	Status() Status
	// Search asks the hotel for guests, with a message of its own number.
	Search(ctx context.Context, q Query) ([]Guest, error)
	// Post books. Without error the hotel has answered. ErrNotSent says that no byte of it can have reached the hotel;
	// after any other error nobody knows.
	Post(ctx context.Context, m Message) (Answer, error)
	// Limits of what a message can hold.
	Limits() Limits
}

// ErrNotSent says that nothing of a message can have reached the hotel.
var ErrNotSent = errors.New("nothing was sent to the hotel system")

// errOtherLine says that the link was lost between an inquiry and its posting, which the hotel would not take
// (spec/fias.md 6.1).
var errOtherLine = fmt.Errorf("%w: the link was restarted since the inquiry", ErrNotSent)

// ErrNoAnswer says that a message was sent and no answer came in time.
var ErrNoAnswer = errors.New("no answer from the hotel system in time")

// Listener hears what the hotel tells unasked. Its methods do not block, and may be called from any goroutine.
type Listener interface {
	// LinkChanged says that Status has changed.
	LinkChanged(Status)
	// Late brings the answer of a Post that has returned, perhaps before this program was started.
	Late(number int64, a Answer)
	// Answered brings the answer of a Post that still waits for it, where the line wants it acknowledged: it returns once
	// the answer is on disk, or cannot be put there. It is the one method that may take a commit's time.
	Answered(number int64, a Answer)
	// News tells of a guest.
	News(News)
}

// A Resyncer is a PMS that can tell of everybody in the house at once.
type Resyncer interface {
	// Resync asks for it, and returns when News has told of all.
	Resync(ctx context.Context) error
}

// Limits is what a message of a protocol can hold.
type Limits struct {
	Subtotals int // of each kind of part: 9 in FIAS, 16 in XML_POS
}

// States of a link, as callers see them.
const (
	Down       = "down"
	Connecting = "connecting"
	Auth       = "auth"
	Up         = "up"
	NightAudit = "night_audit"
)

// Status is how a link stands.
type Status struct {
	State   string    `json:"state" enum:"down,connecting,auth,up,night_audit"`
	Since   time.Time `json:"since"`
	Peer    string    `json:"peer"`            // where the hotel system is
	Reason  string    `json:"reason,omitzero"` // why it is not up
	Version string    `json:"version,omitzero" doc:"of the hotel system, where it tells"`
}

// Query asks for guests.
type Query struct {
	Number      int64  // P#, its own
	Term        string // a room, or the beginning of a name
	Method      string // PM: the room payment method
	Max         int    // matches wanted at most; 0 leaves it to the hotel
	Outlet      int
	Staff       string
	Workstation string
	At          time.Time // venue local time
}

// Guest is somebody who can be charged, or an account.
type Guest struct {
	Room        string
	Reservation string // "0" for an account that is no reservation
	Name        string // as the hotel writes it; for people
	Last        string // last name, where the protocol has one of its own
	First       string
	Title       string
	Profile     string
	Hotel       string
	VIP         string
	NoPost      bool
	Limit       *int64 // credit limit in minor units; nil: the hotel told none
	Balance     *int64 // owed already; nil: not told
	Index       int    // 1-based place in the hotel's answer

	via any // the connection that told of the guest, where a posting must take the same
}

// Message is a posting as it goes to the hotel. Amounts are minor units; discounts are negative, and all of it when it
// reverses something. Total is the sum of the rest.
type Message struct {
	Number        int64  // P#
	Method        string // PM
	Term          string // what the guest was found by; "" for a tender
	Guest         Guest  // zero for a tender
	Total         int64
	Subtotals     []int64 // Limits.Subtotals of each
	Taxes         []int64
	Discounts     []int64
	ServiceCharge int64
	Tip           int64
	Currency      string
	Check         int64 // C#
	Outlet        int   // SO; 0: not told
	OutletName    string
	Table         int // T#; 0: not told
	Covers        int
	Period        int // ST: 1-4
	Staff         string
	Workstation   string
	Reference     string // ours, unique for ever
	Override      bool   // CO: a manager lets the credit limit be exceeded
	Text          string
	Supplement    string
	At            time.Time // venue local time: DA and TI
}

// Answer is the hotel's. Status is FIAS's AS code ("OK", "NG"); adapters of other protocols translate.
type Answer struct {
	Status string
	Text   string
	At     time.Time
}

// Kinds of News.
const (
	CheckedIn   = "checked_in"
	Changed     = "changed"
	CheckedOut  = "checked_out"
	ResyncBegin = "resync_begin"
	ResyncEnd   = "resync_end"
	ResyncLost  = "resync_lost" // it began and did not end
)

// News is what the hotel tells of guests unasked.
type News struct {
	Kind   string
	Guest  Guest
	From   string // the former room, after a move
	NoPost bool   // whether Guest.NoPost was told
}

// RefusedError is a Search that the hotel answered with a status instead of guests: nobody found, night audit, retry.
type RefusedError struct{ Answer Answer }

func (e *RefusedError) Error() string {
	return "the hotel system answered " + e.Answer.Status + " " + e.Answer.Text
}

// account tells whether the guest is an account that is no reservation (spec/fias.md 6.4).
func (g Guest) account() bool {
	return g.Reservation == "" || g.Reservation == "0"
}

// accountReservation is what stands for the reservation of an account towards callers.
func accountReservation(number string) string { return "account:" + number }
