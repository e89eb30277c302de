package kitchen

import (
	"bytes"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/bridge/journal"
)

// What every order writes while its sender waits is appended by hand, to the byte as package json writes it.

// encode is the ticket's JSON, as it goes to screens and into the change feed. It is kept as long as the ticket is open, so it
// has no room to grow.
func (t *Ticket) encode() []byte {
	var room [2 << 10]byte
	return bytes.Clone(t.appendTo(room[:0]))
}

func (t *Ticket) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), t.ID)
	b = appendID(append(b, `,"order":`...), t.Order)
	b = appendInt(append(b, `,"number":`...), t.Number)
	b = appendText(append(b, `,"station":`...), t.Station)
	b = appendText(append(b, `,"kind":`...), t.Kind)
	b = appendText(append(b, `,"state":`...), t.State)
	b = strconv.AppendBool(append(b, `,"changed_unseen":`...), t.ChangedUnseen)
	b = appendInt(append(b, `,"version":`...), t.Version)
	b = appendFlag(b, `,"priority":true`, t.Priority)
	b = appendCount(b, `,"course":`, t.Course)
	b = appendCount(b, `,"first":`, t.First)
	b = appendWord(b, `,"held":`, t.Held)
	b = appendTime(b, `,"fire_at":`, t.FireAt)
	b = appendText(append(b, `,"service":`...), t.Service)
	b = appendWord(b, `,"table":`, t.Table)
	b = appendWord(b, `,"was_table":`, t.WasTable)
	b = appendCount(b, `,"covers":`, t.Covers)
	b = appendWord(b, `,"staff":`, t.Staff)
	b = t.Partner.AppendMember(b, `,"partner":`)
	b = appendWord(b, `,"customer":`, t.Customer)
	b = appendWord(b, `,"notes":`, t.Notes)
	b = appendWord(b, `,"allergy_note":`, t.AllergyNote)
	b = appendFlag(b, `,"allergy_seen":true`, t.AllergySeen)
	b = append(t.At.AppendFormat(append(b, `,"at":"`...), time.RFC3339Nano), '"')
	b = appendTime(b, `,"due":`, t.Due)
	b = appendTime(b, `,"started_at":`, t.StartedAt)
	b = appendTime(b, `,"bumped_at":`, t.BumpedAt)
	b = appendWord(b, `,"bumped_by":`, t.BumpedBy)
	b = appendInt(append(b, `,"warn_after":`...), t.WarnAfter)
	b = appendInt(append(b, `,"late_after":`...), t.LateAfter)
	b = append(b, `,"lines":[`...)
	for i := range t.Lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.Lines[i].appendTo(b)
	}
	b = append(b, ']')
	b = appendFlag(b, `,"not_in_pos":true`, t.NotInPOS)
	b = appendWords(b, `,"also":[`, t.Also)
	return append(b, '}')
}

func (l *Line) appendTo(b []byte) []byte {
	b = appendInt(append(b, `{"n":`...), l.N)
	b = appendCount(b, `,"course":`, l.Course)
	b = appendInt(append(b, `,"quantity":`...), l.Quantity)
	b = appendCount(b, `,"was":`, l.Was)
	b = appendWord(b, `,"change":`, l.Change)
	b = appendFlag(b, `,"ticked":true`, l.Ticked)
	b = appendTime(b, `,"at":`, l.At)
	b = appendWord(b, `,"sku":`, l.SKU)
	b = appendText(append(b, `,"name":`...), l.Name)
	b = appendWord(b, `,"notes":`, l.Notes)
	b = appendWords(b, `,"allergens":[`, l.Allergens)
	if l.Modifiers != nil {
		b = append(b, `,"modifiers":[`...)
		for i := range l.Modifiers {
			m := &l.Modifiers[i]
			if i > 0 {
				b = append(b, ',')
			}
			b = appendInt(append(b, `{"level":`...), m.Level)
			b = appendInt(append(b, `,"quantity":`...), m.Quantity)
			b = append(appendText(append(b, `,"name":`...), m.Name), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (n *jobNotice) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), n.ID)
	if !n.Ticket.IsZero() {
		b = appendID(append(b, `,"ticket":`...), n.Ticket)
	}
	if !n.Order.IsZero() {
		b = appendID(append(b, `,"order":`...), n.Order)
	}
	b = appendText(append(b, `,"printer":`...), n.Printer)
	b = appendText(append(b, `,"state":`...), string(n.State))
	b = appendWord(b, `,"evidence":`, string(n.Evidence))
	b = appendCount(b, `,"attempt":`, n.Attempt)
	if n.Sequence != 0 {
		b = strconv.AppendUint(append(b, `,"sequence":`...), uint64(n.Sequence), 10)
	}
	b = appendWord(b, `,"reason":`, n.Reason)
	return append(b, '}')
}

// appendText quotes s. An order's texts were decoded as valid UTF-8; what were not would stand there as U+FFFD.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

func appendID(b []byte, id journal.ID) []byte {
	b, _ = id.AppendText(append(b, '"')) // an id always has a text
	return append(b, '"')
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// What follows appends a member unless it is zero.

func appendWord(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

func appendWords(b []byte, name string, list []string) []byte {
	if list == nil {
		return b
	}
	b = append(b, name...)
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

func appendCount(b []byte, name string, n int) []byte {
	if n == 0 {
		return b
	}
	return appendInt(append(b, name...), n)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return append(t.AppendFormat(append(append(b, name...), '"'), time.RFC3339Nano), '"')
}

// appendFlag appends the whole member.
func appendFlag(b []byte, member string, on bool) []byte {
	if on {
		b = append(b, member...)
	}
	return b
}
