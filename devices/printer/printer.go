package printer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"aboyeur/devices/port"
)

// A Printer drives one ESC/POS printer.
type Printer struct {
	c Config
}

// A Config says which printer, and how patient to be with it. Zero durations mean the defaults.
type Config struct {
	Name    string
	Connect port.Address
	Open    func(ctx context.Context) (port.Port, error) // nil means port.Open of Connect
	Ledger  Ledger
	// Sequence is the last sequence number used, from the ledger.
	Sequence uint32
	Silent   bool // the profile says that it never answers
	Words    Words
	Zone     *time.Location // for the banner; nil means UTC
	Now      func() time.Time
	Log      *slog.Logger
	OnStatus func(Status) // on each change; must not block
}

// Words are the labels printed around a ticket, in the printer's language.
type Words struct {
	Reprint        string            // "REPRINT"
	Ticket         string            // "ticket"
	FirstSent      string            // "first sent"
	Reason         string            // "reason"
	AlreadyPrinted string            // "MAY ALREADY BE PRINTED – CHECK"
	End            string            // "END"
	Test           string            // "TEST PAGE"
	Printer        string            // "printer"
	Columns        string            // "columns"
	Reasons        map[string]string // reason word -> text
}

// Status is what can be said about the printer now.
type Status struct {
	Name  string
	Up    bool // connected, and it answered
	State PrinterState
	Paper Paper
}

// PrinterState is the printer's condition in a word.
type PrinterState string

// Paper is what the paper sensors say.
type Paper string

// New checks c.
func New(c Config) (*Printer, error) { return &Printer{c: c}, nil }

// Run owns the printer until ctx ends.
func (p *Printer) Run(ctx context.Context) error { return errors.New("not yet") }

// Claim reserves the printer.
func (p *Printer) Claim(id JobID) (Attempt, bool) { return Attempt{}, false }

// Unclaim gives a reservation back.
func (p *Printer) Unclaim(id JobID) {}

// Handover gives a claimed job to the printer.
func (p *Printer) Handover(j Job, a Attempt) {}

// Wake says that something was queued.
func (p *Printer) Wake() {}

// Status tells the printer's condition.
func (p *Printer) Status() Status { return Status{} }

// Pause lets the job in hand finish and takes no other.
func (p *Printer) Pause() {}

// Resume ends a pause.
func (p *Printer) Resume() {}

// TestBody is the body of a test ticket.
func (p *Printer) TestBody(w Words) []byte { return nil }
