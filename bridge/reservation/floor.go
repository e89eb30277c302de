package reservation

import (
	"context"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/protocol/booking"
)

// Floor is where checks are: the built-in POS, which also mirrors those of a till that is not ours. Its methods work inside the
// caller's transaction.
type Floor interface {
	Known(table string) bool // exact name
	Tables() []string
	On(tx *journal.Tx, table string) ([]Check, error) // open ones, the oldest first
	Load(tx *journal.Tx, id journal.ID) (Check, error)
	Open(tx *journal.Tx, by string, o Opening) (Check, error)
	// Move sets a check to other tables; ErrTaken when another check stands on one of them.
	Move(tx *journal.Tx, id journal.ID, by string, tables []string) error
	// Party changes covers, guest and notes; what is zero stays.
	Party(tx *journal.Tx, id journal.ID, by string, covers int, guest, notes string) error
	// PayDeposit takes a payment of the method deposit. It comes back as TakeDeposit.
	PayDeposit(tx *journal.Tx, id journal.ID, by string, amount int64) error
	// Link notes whose party a check is of; "" for nobody's.
	Link(tx *journal.Tx, id journal.ID, by, reservation, guest string) error
}

// Check is one on the floor, as far as it matters here.
type Check struct {
	ID          journal.ID
	Number      int64
	Open        bool
	Ended       bool // closed as a sale; a check that is neither open nor ended was merged or cancelled
	Tables      []string
	Covers      int
	OpenedAt    time.Time
	Reservation string
	Empty       bool // nothing counts on it
	Due         int64
	Snapshot    func() booking.Check // for the platform
}

// Opening asks for a check.
type Opening struct {
	Reservation string // id of the party's reservation
	Tables      []string
	Covers      int
	Guest       string
	Notes       string
	Staff       string
	Profile     string
	Till        string
	WalkIn      bool
	Reference   string // of a check that is open at a till that is not ours
}

// Kinds of steps that a check makes. Others say nothing of the party.
const (
	StepOpened    = "opened"
	StepOrdered   = "line_added"
	StepVoided    = "line_voided"
	StepCovers    = "covers"
	StepMoved     = "moved"
	StepTookOver  = "took_over"
	StepMerged    = "merged_into"
	StepSplitOff  = "split_off"
	StepBilled    = "bill_printed"
	StepPaid      = "payment"
	StepCleared   = "cleared"
	StepBussing   = "bussing"
	StepFree      = "finished"
	StepClosed    = "closed"
	StepReopened  = "reopened"
	StepCancelled = "cancelled"
)

// Step is one thing that happened at a check.
type Step struct {
	Kind  string
	Check Check
	By    string
	Lines []stage.Line // of StepOrdered
	Other journal.ID   // of StepTookOver and StepSplitOff: the check that it comes from
}

// Relay tells platforms; see bridge/relay.
type Relay interface {
	Put(tx *journal.Tx, platform string, party int64, u booking.Update) error
	Drop(tx *journal.Tx, platform string) error
	Leave(tx *journal.Tx, platform string, party int64) error
	Untold(tx *journal.Tx, party int64) ([]booking.Kind, error)
	Knows(tx *journal.Tx, party int64) (booking.Stage, error)
	Hold(platform string)
	Release(platform string)
	Retry(platform string)
	Queue(ctx context.Context, platform string) (Queue, error)
	Told(ctx context.Context, party int64) ([]Told, error)
}

// Queue is what waits for a platform.
type Queue struct {
	Waiting   int       `json:"waiting"`
	Oldest    time.Time `json:"oldest,omitzero"`
	LastSent  time.Time `json:"last_sent,omitzero"`
	LastError string    `json:"last_error,omitzero"`
}

// Told is one update with what came of it.
type Told struct {
	booking.Update
	State     string    `json:"state" enum:"waiting,sent,superseded,skipped,failed,expired,cancelled"`
	Attempts  int       `json:"attempts"`
	NextAt    time.Time `json:"next_at,omitzero"`
	SettledAt time.Time `json:"settled_at,omitzero"`
	Answer    string    `json:"answer,omitzero"`
}

// Till is a POS that is not ours and opens the checks itself (spec/pos.md 1). Its calls are made outside transactions.
type Till interface {
	// Info tells what can be asked of it now; an error means that it cannot be reached.
	Info(ctx context.Context) (TillInfo, error)
	// Find looks for a check by the reference that the box chose for it.
	Find(ctx context.Context, reference string) (Opened, bool, error)
	// Open opens a check. A *TillError is certain: there is none. After any other error Find tells.
	Open(ctx context.Context, reference string, o Opening) (Opened, error)
}

// TillInfo is how a till stands.
type TillInfo struct {
	Devices []Device
	Staff   []string // nil: it does not tell
}

// Device is one workstation of the till.
type Device struct {
	Name   string
	Active bool
}

// Opened is a check at the till.
type Opened struct {
	ID     string
	Number int64
}

// TillError is a till that refused for certain: Problem is one of this package's.
type TillError struct{ Problem, Detail string }

func (e *TillError) Error() string { return e.Problem + ": " + e.Detail }
