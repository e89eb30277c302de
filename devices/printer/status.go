package printer

import (
	"strings"
	"time"
)

// Status is what can be said about the printer now. It is comparable.
type Status struct {
	Name    string
	Address string
	Up      bool // connected, and it answers (or never does, by its nature)
	State   PrinterState
	Paper   Paper
	Reason  string // a reason word; "" when all is well
	Detail  string // the error behind the reason, for technicians
	Proof   Proof
	// AutoStatus: the printer reports changes by itself, so that Claim may trust what it said last.
	AutoStatus bool
	Paused     bool
	Sequence   uint32 // last number given
	Identity   Identity
	Fonts      string // what GS I 69 says: the model's two-byte character set, "KANJI JAPANESE"
	InHand     bool   // a job is in hand; the three below say which
	Job        JobID
	JobState   State
	Attempt    int
	Since      time.Time // of State
	Counts     Counts
}

// PrinterState is the printer's condition in a word.
type PrinterState string

// The conditions.
const (
	Ready      PrinterState = "ready"
	Printing   PrinterState = "printing"
	Paused     PrinterState = "paused"
	Offline    PrinterState = "offline"
	PaperOut   PrinterState = "paper_out"
	CoverOpen  PrinterState = "cover_open"
	Faulty     PrinterState = "error"
	Connecting PrinterState = "connecting"
)

// Paper is what the paper sensors say.
type Paper string

// The paper's conditions. A printer without near-end sensor never says low.
const (
	PaperOK      Paper = "ok"
	PaperLow     Paper = "low"
	PaperEnd     Paper = "out"
	PaperUnknown Paper = "unknown"
)

// Proof is the best evidence the printer can give, found out at each connect.
type Proof string

// The kinds of proof.
const (
	ProofProcessID Proof = "process_id"
	ProofFence     Proof = "fence"
	ProofNone      Proof = "none"
	ProofUnknown   Proof = "unknown"
)

// Identity is what the printer says of itself; clones say they are Epson. Empty when it does not answer.
type Identity struct{ Maker, Model, Firmware, Serial string }

// Counts of things that should be rare, since New.
type Counts struct {
	Connects        uint64 // connections that became useful
	ForeignTokens   uint64 // echoes of nobody's token
	DuplicateTokens uint64
	LateTokens      uint64 // echoes that resolved an unknown outcome
	StrayBytes      uint64 // bytes that are no answer
	Replaced        uint64 // another printer stood at the address than before
}

// Reason words of reports, holds and Status, beside those of escpos.Status.Reason: paper_out, cover_open, cutter,
// unrecoverable, recoverable, auto_recoverable, error, waiting_online, offline.
const (
	ReasonUnreachable = "unreachable" // no connection
	ReasonUnsupported = "unsupported" // this build cannot open such a port
	ReasonMute        = "mute"        // connected, but no answer to DLE EOT 1: another host may hold it
	ReasonStuck       = "stuck"       // answers in real time but not in the queue
	ReasonNoAnswer    = "no_answer"   // fell silent in the middle
	ReasonStalled     = "stalled"     // takes no bytes
	ReasonLinkLost    = "link_lost"
	ReasonPowerLost   = "power_lost"
	ReasonNoEcho      = "no_echo" // the queue went past the ticket without its echo
	ReasonCleared     = "cleared"
	ReasonRestart     = "restart" // this program ended in the middle
	ReasonCutUnknown  = "cut_unknown"
	ReasonPaused      = "paused"
	ReasonAsked       = "asked"     // a person wanted another copy
	ReasonUncleared   = "uncleared" // a person had it thrown away, and the printer did not say that it did
	ReasonJournal     = "journal"
)

// text is a reason word for paper.
func (w Words) text(reason string) string {
	if t := w.Reasons[reason]; t != "" {
		return t
	}
	return strings.ReplaceAll(reason, "_", " ")
}

// Status tells the printer's condition.
func (p *Printer) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.status
	st.Sequence = p.sequence
	return st
}

// show publishes what change makes of the status. Only the owner goroutine calls it, except for Pause, Resume and MoveTo.
func (p *Printer) show(change func(*Status)) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	before := p.status
	change(&p.status)
	if p.status.State != before.State {
		p.status.Since = p.c.Now()
	}
	p.status.Sequence = p.sequence
	now := p.status
	p.mu.Unlock()
	before.Counts, before.Sequence = now.Counts, now.Sequence
	if now != before && p.c.OnStatus != nil {
		p.c.OnStatus(now)
	}
}
