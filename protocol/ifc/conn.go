package ifc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Conn carries records both ways. *Stream and *Line are the two that exist. Send and Close may be called from any
// goroutine, Receive and Acknowledge from one.
type Conn interface {
	// Send puts one record on the line and returns once the peer's kernel (Stream) or the peer itself (Line) has it. An
	// error is a *SendError and says whether the peer may have got the record.
	Send(ctx context.Context, record []byte) error
	// Receive returns the next record, good until the next call. When ctx ends first it returns ctx's error, and a later
	// call goes on where this one stood.
	Receive(ctx context.Context) ([]byte, error)
	// Acknowledge answers ACK for the oldest record received and not yet answered, where Options.Hold leaves that to the
	// owner. Elsewhere it does nothing.
	Acknowledge()
	// Stats counts what happened since the Conn was made.
	Stats() Stats
	// Close ends the line at once and waits for what runs on it.
	Close() error
}

var (
	_ Conn = (*Stream)(nil)
	_ Conn = (*Line)(nil)
)

// Two outcomes of a Send that failed; each *SendError is one of them.
var (
	ErrNotSent   = errors.New("the peer did not get it")
	ErrUncertain = errors.New("the peer may have got it")
)

// Reasons of a *SendError, besides those of the connection below.
var (
	ErrClosed   = errors.New("the line is closed")
	ErrReserved = errors.New("the record holds a byte of the link itself (STX, ETX, ENQ, ACK or NAK)")
	ErrTooLong  = errors.New("the record is longer than the limit")
	ErrRefused  = errors.New("the peer answered NAK to every attempt; check baud rate, parity and cable")
	ErrNoAnswer = errors.New("the peer answered neither the record nor the enquiries after it; check the cable")
	ErrDoubt    = errors.New("a NAK came that may mean another record")
)

// A SendError says how far a send came.
type SendError struct {
	Sent    int  // bytes of the frame that the line took, all attempts together
	Refused bool // serial: the peer said of each attempt that it did not arrive
	Err     error
}

func (e *SendError) Error() string {
	switch {
	case e.Refused:
		return "send: " + e.Err.Error()
	case e.Sent == 0:
		return fmt.Sprintf("send: %v; nothing left", e.Err)
	}
	return fmt.Sprintf("send: %v after %d bytes", e.Err, e.Sent)
}

// Untouched reports that the peer has certainly not got the record: no byte left, or it refused each attempt.
func (e *SendError) Untouched() bool { return e.Sent == 0 || e.Refused }

// Is makes errors.Is(err, ErrNotSent) and errors.Is(err, ErrUncertain) work.
func (e *SendError) Is(target error) bool {
	return target == ErrNotSent && e.Untouched() || target == ErrUncertain && !e.Untouched()
}

func (e *SendError) Unwrap() error { return e.Err }

// Stats counts what happened on a Conn.
type Stats struct {
	Counters        // of what came in
	Sent     uint64 // records sent, a repeated one once
	Repeats  uint64 // serial: frames sent again after NAK
	Enquired uint64 // serial: ENQ sent
	Refused  uint64 // serial: records given up after NAK
	Silent   uint64 // serial: records given up without an answer
	Nacked   uint64 // serial: NAK sent for a record that came
	Busy     uint64 // serial: whole records answered NAK because one before them is not answered yet
	Stray    uint64 // serial: ACK and NAK that answered nothing
}

// Defaults for Options left at zero (fias.md 1.2, 1.4).
const (
	DefaultWriteTimeout = 10 * time.Second // the peer takes no byte: the line is broken
	DefaultAnswer       = 3 * time.Second  // timer 1: until ACK or NAK
	DefaultEnquiry      = 3 * time.Second  // timer 2: until the answer to an ENQ
	DefaultRecordTime   = 5 * time.Second  // 2 x 2000 bytes at 9600 baud, and something
	Retries             = 3                // frames sent again after NAK
	Enquiries           = 3                // ENQ sent for one frame
)

// Options of a Conn. The zero Options are good.
type Options struct {
	Limit        int           // longest record taken, in bytes; 0 means MaxRecord
	WriteTimeout time.Duration // 0 means DefaultWriteTimeout; a nearer deadline of a context counts

	// Trace is called for each record and link byte, in the order they pass, from several goroutines; it must not block.
	Trace func(Event)
	// Now is the clock of Trace; nil means time.Now.
	Now func() time.Time

	// Of a Line only.
	NoLRC      bool          // frames end with ETX, and every record is answered ACK (fias.md 1.4)
	Answer     time.Duration // 0 means DefaultAnswer
	Enquiry    time.Duration // 0 means DefaultEnquiry
	RecordTime time.Duration // longest time from STX to LRC; 0 means DefaultRecordTime
	// Hold leaves the ACK of a record to Acknowledge, so that it can wait until the record is on disk. The owner answers
	// every record, in the order received, within Answer; until then an ENQ is not answered either.
	Hold bool
}

func (o Options) withDefaults() Options {
	if o.Limit <= 0 {
		o.Limit = MaxRecord
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&o.WriteTimeout, DefaultWriteTimeout}, {&o.Answer, DefaultAnswer}, {&o.Enquiry, DefaultEnquiry}, {&o.RecordTime, DefaultRecordTime},
	} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// sendable checks that a record can stand in a frame.
func (o Options) sendable(record []byte) error {
	if len(record) > o.Limit {
		return &SendError{Err: ErrTooLong}
	}
	for _, b := range record {
		switch b {
		case STX, ETX, ENQ, ACK, NAK:
			return &SendError{Err: ErrReserved}
		}
	}
	return nil
}

func (o Options) trace(e Event) {
	if o.Trace != nil {
		e.At = o.Now()
		o.Trace(e)
	}
}
