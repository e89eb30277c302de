package printer

import (
	"context"
	"fmt"
	"time"
)

// JobID names a job; the ledger gives it its meaning.
type JobID [16]byte

// String gives the usual form of such ids, 8-4-4-4-12 hexadecimal digits.
func (id JobID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// MarshalText is String, for logs.
func (id JobID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// State of a job (design.md, "Print jobs").
type State string

// The states. Queued, Superseded and Cancelled are the ledger's own; the driver reports the others.
const (
	Queued     State = "queued"
	Sending    State = "sending"
	Sent       State = "sent"    // the port took the last byte
	Printed    State = "printed" // the printer answered for this very job
	Done       State = "done"    // and cut it
	Held       State = "held"    // nothing was sent; retry freely
	Waiting    State = "waiting" // fault in the middle, link alive: the printer will go on by itself
	Unknown    State = "unknown" // link or power lost after bytes went out
	Cleared    State = "cleared" // the printer said that it threw the rest away
	Superseded State = "superseded"
	Cancelled  State = "cancelled"
	Failed     State = "failed"
)

// Evidence is what a printed or done job rests on (spec/escpos.md 10.1).
type Evidence string

// The kinds of evidence, best first.
const (
	NoEvidenceYet      Evidence = ""
	EvidenceProcessID  Evidence = "process_id"  // echo of GS ( H with this job's token
	EvidenceFence      Evidence = "fence"       // an anonymous queued request behind the job was answered
	EvidenceCutCounter Evidence = "cut_counter" // only with Config.TrustCutCounter
	EvidenceNone       Evidence = "none"        // bytes were taken, the printer never answers
)

// A Job is one ticket for one printer.
type Job struct {
	ID   JobID
	Body []byte // rendered ticket without envelope, ends with LF; the driver does not change it
	// Reprint is the policy for an outcome that cannot be known: true sends it once more under a banner (kitchen
	// tickets), false leaves it unknown for a person (receipts).
	Reprint   bool
	State     State
	Attempt   int       // number of the last attempt, 0 before the first
	Sequence  uint32    // of the last attempt
	FirstSent time.Time // of attempt 1
	Reason    string    // of the state
	Ticket    string    // words for the banner: order number, partner's id
	Redo      bool      // a person asked for another copy: banner even though the outcome is certain
	// Drawer is the pin (2 or 5) of the cash drawer to open once the ticket is cut, 0 for none. Only the first attempt
	// opens it: a drawer must not spring open by itself later.
	Drawer int
	Buzz   int // times to sound the model's buzzer once the ticket is cut
}

// An Attempt is one sending of a job. It is on disk before its first byte leaves.
type Attempt struct {
	Number         int    // from 1
	Sequence       uint32 // the printer's own numbering, shown on paper: a gap is a lost ticket
	TokenP, TokenC [4]byte
	At             time.Time
	Banner         bool   // a copy of it may already be on paper
	Reason         string // for the banner
}

// A Report tells what became of a job.
type Report struct {
	State    State
	Evidence Evidence
	Reason   string // a Reason word, "" when all is well
	At       time.Time
	Attempt  int
	Damaged  bool // printed over a fault in the middle: two rolls, or a line lost under an open cover
	Bytes    int  // bytes of this attempt that the port took
	// Settled: the driver will do nothing more for this job by itself, and Next must not return it again. Set with
	// done, and with unknown or cleared when a person has to decide. A late answer may still report printed and done.
	Settled bool
}

// A Ledger keeps the jobs of one printer. Next and Sending return when what they record is on disk.
type Ledger interface {
	// Next picks the oldest open job and durably records the attempt that sending makes for it, in one step; ok is
	// false when nothing is open. Queued or held jobs with an attempt must be such as put no byte on the line, or Redo.
	// A job that an earlier process left in sending, sent, printed, waiting, unknown or
	// cleared, and not settled, comes first, untouched, with its stored attempt, for resolution; sending is not called for it.
	Next(ctx context.Context, sending func(Job) Attempt) (Job, Attempt, bool, error)
	// Sending records a further attempt of a job already taken: the reprint of one whose outcome stays unknown, or the same
	// attempt again of one that was reported held. ErrGone means that the job is no longer this printer's.
	Sending(ctx context.Context, id JobID, a Attempt) error
	// Record stores what became of a job; it must not block and may ride a later commit. A job reported held stays in the
	// driver's hand and goes out first; Next must not give it again in this process.
	Record(id JobID, r Report)
	// Hold says that the printer cannot take work now; its queued jobs show held with this reason.
	Hold(reason string)
	Unhold()
}
