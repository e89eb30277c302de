package bepoz

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
)

// Event is what happened at a till.
type Event string

// Events.
const (
	Opened    Event = "opened"
	Ordered   Event = "ordered"
	Voided    Event = "voided"
	Covers    Event = "covers"
	Billed    Event = "bill_printed"
	Paid      Event = "paid"
	Closed    Event = "closed"
	Reopened  Event = "reopened"
	Moved     Event = "moved"
	Cancelled Event = "cancelled"
	Cleared   Event = "cleared"
)

// Events lists them.
func Events() []Event {
	return []Event{Opened, Ordered, Voided, Covers, Billed, Paid, Closed, Reopened, Moved, Cancelled, Cleared}
}

// Bounds of a message.
const (
	MaxWord  = 64       // bytes of a till, table or check
	MaxLine  = 64 << 10 // bytes of a message
	MaxLines = 200

	MaxAmount = 1 << 40 // minor units of one price or payment: beyond it is a slip
)

// A Message is one entry of a till's queue. Amounts are minor units.
type Message struct {
	Till    string    `json:"till"`
	Seq     int64     `json:"seq"` // from 1, without gaps, per till
	Table   string    `json:"table"`
	Check   string    `json:"check"` // the till's number of it
	Event   Event     `json:"event"`
	At      time.Time `json:"at"`
	Payload Payload   `json:"payload,omitzero"`
}

// Payload is what an event needs to be understood; members that it does not need are left out.
type Payload struct {
	Covers    int    `json:"covers,omitzero"`
	Staff     string `json:"staff,omitzero"`
	Reference string `json:"reference,omitzero"` // opened: the booking's, where it was opened from the list
	Guest     string `json:"guest,omitzero"`
	Table     string `json:"table,omitzero"` // moved: to where
	Method    string `json:"method,omitzero"`
	Amount    int64  `json:"amount,omitzero"` // paid: without the tip
	Tip       int64  `json:"tip,omitzero"`
	Total     int64  `json:"total,omitzero"` // closed
	Lines     []Line `json:"lines,omitzero"`
}

// A Line is something ordered or voided.
type Line struct {
	Name     string `json:"name"`
	SKU      string `json:"sku,omitzero"`
	Group    string `json:"group,omitzero"` // product group
	Quantity int    `json:"quantity"`
	Price    int64  `json:"price"` // each
	Course   int    `json:"course,omitzero"`
}

// Faults is everything that is wrong with m.
func (m *Message) Faults() wire.Faults {
	var f wire.Faults
	word := func(at, s string, needed bool) {
		switch {
		case s == "" && needed:
			f.Add(at, "is missing")
		case len(s) > MaxWord || strings.ContainsFunc(s, hidden):
			f.Add(at, "has more than %d bytes or a control character", MaxWord)
		}
	}
	word("/till", m.Till, true)
	word("/table", m.Table, true)
	word("/check", m.Check, true)
	if m.Seq < 1 {
		f.Add("/seq", "is %d; numbers begin with 1", m.Seq)
	}
	if m.At.IsZero() || m.At.Year() > 9999 || m.At.Year() < 1970 {
		f.Add("/at", "is no time")
	}
	known := false
	for _, e := range Events() {
		known = known || e == m.Event
	}
	if !known {
		f.Add("/event", "%.40q is not known; write one of %v", m.Event, Events())
	}
	p := &m.Payload
	word("/payload/reference", p.Reference, false)
	word("/payload/table", p.Table, m.Event == Moved)
	word("/payload/method", p.Method, m.Event == Paid)
	if p.Covers < 0 || p.Covers > wire.MaxParty {
		f.Add("/payload/covers", "is %d", p.Covers)
	}
	if len(p.Lines) > MaxLines || len(p.Lines) == 0 && (m.Event == Ordered || m.Event == Voided) {
		f.Add("/payload/lines", "are %d; an order has 1 to %d", len(p.Lines), MaxLines)
	}
	for i, l := range p.Lines {
		if l.Name == "" || l.Quantity < 1 || l.Quantity > 1000 || l.Price < 0 || l.Price > MaxAmount {
			f.Add(fmt.Sprintf("/payload/lines/%d", i), "has a name, a quantity from 1 to 1000 and a price from 0 to %d", int64(MaxAmount))
			break
		}
	}
	for _, n := range []int64{p.Amount, p.Tip, p.Total} {
		if n < 0 || n > MaxAmount {
			f.Add("/payload", "has an amount that is not from 0 to %d", int64(MaxAmount))
			break
		}
	}
	return f
}

// hidden tells whether r steers what shows it: a control character, or one that turns the direction of text.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// ParseMessage reads the JSON of a message. The error is a *booking.Malformed.
func ParseMessage(body []byte) (Message, error) {
	var m Message
	if err := wire.Read(body, &m); err != nil {
		return Message{}, err
	}
	return m, m.Faults().Err()
}

// AppendLine writes m as an EVT line, without its till.
func (m *Message) AppendLine(b []byte) ([]byte, error) {
	payload, err := json.Marshal(m.Payload)
	if err != nil {
		return b, err
	}
	b = append(b, "EVT\t"...)
	b = strconv.AppendInt(b, m.Seq, 10)
	for _, s := range []string{m.Table, m.Check, string(m.Event), m.At.UTC().Format(time.RFC3339Nano)} {
		b = append(append(b, '\t'), s...)
	}
	b = append(append(b, '\t'), payload...)
	return append(b, '\n'), nil
}

// parseEvent reads the fields of an EVT line.
func parseEvent(till string, fields []string) (Message, error) {
	if len(fields) != 7 {
		return Message{}, fmt.Errorf("EVT has %d fields, not 7", len(fields))
	}
	seq, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return Message{}, errors.New("seq is not a number")
	}
	at, err := time.Parse(time.RFC3339, fields[5])
	if err != nil {
		return Message{}, errors.New("at is no time")
	}
	m := Message{Till: till, Seq: seq, Table: fields[2], Check: fields[3], Event: Event(fields[4]), At: at}
	if !jsontext.Value(fields[6]).IsValid() {
		return Message{}, errors.New("payload is not JSON")
	}
	if err := wire.Read([]byte(fields[6]), &m.Payload); err != nil {
		return Message{}, err
	}
	return m, m.Faults().Err()
}

// Verdict is what a number says of its message.
type Verdict string

// Verdicts.
const (
	Next Verdict = "next" // take it, then acknowledge it
	Seen Verdict = "seen" // acknowledge it and do nothing
	Gap  Verdict = "gap"  // ask for what is missing before it; do nothing
)

// Judge tells what to do with message seq of a till whose last one was last.
func Judge(last, seq int64) Verdict {
	switch {
	case seq <= last:
		return Seen
	case seq == last+1:
		return Next
	}
	return Gap
}

// Answer is what a till gets for a message.
type Answer struct {
	Ack    int64 `json:"ack"`             // every number up to this one is on disk
	Resend int64 `json:"resend,omitzero"` // begin again with this one
}
