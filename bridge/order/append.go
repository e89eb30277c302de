package order

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/bridge/journal"
)

// What every order writes while its sender waits is appended by hand, to the byte as package json writes it.

// appendTo appends the receipt's JSON.
func (r *Receipt) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), r.ID)
	b = strconv.AppendInt(append(b, `,"number":`...), int64(r.Number), 10)
	b = appendText(append(b, `,"state":`...), r.State)
	b = appendText(append(b, `,"in_pos":`...), r.InPOS)
	b = append(b, `,"tickets":[`...)
	for i := range r.Tickets {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.Tickets[i].appendTo(b)
	}
	b = appendTime(append(b, `],"received_at":`...), r.ReceivedAt)
	b = appendTime(append(b, `,"committed_at":`...), r.CommittedAt)
	return append(b, '}')
}

func (t *Ticket) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), t.ID)
	b = appendText(append(b, `,"station":`...), t.Station)
	b = appendText(append(b, `,"kind":`...), t.Kind)
	b = appendText(append(b, `,"state":`...), t.State)
	b = append(b, `,"jobs":[`...)
	for i := range t.Jobs {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.Jobs[i].appendTo(b)
	}
	return append(b, "]}"...)
}

func (j *Job) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), j.ID)
	b = appendText(append(b, `,"printer":`...), j.Printer)
	b = appendText(append(b, `,"state":`...), j.State)
	if j.Evidence != "" {
		b = appendText(append(b, `,"evidence":`...), j.Evidence)
	}
	if j.Attempt != 0 {
		b = strconv.AppendInt(append(b, `,"attempt":`...), int64(j.Attempt), 10)
	}
	if j.Reason != "" {
		b = appendText(append(b, `,"reason":`...), j.Reason)
	}
	return append(b, '}')
}

func (n *notice) appendTo(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), n.ID)
	b = strconv.AppendInt(append(b, `,"number":`...), int64(n.Number), 10)
	b = appendText(append(b, `,"business_day":`...), n.BusinessDay)
	b = strconv.AppendInt(append(b, `,"version":`...), int64(n.Version), 10)
	b = appendText(append(b, `,"state":`...), n.State)
	b = appendText(append(b, `,"in_pos":`...), n.InPOS)
	b = appendText(append(b, `,"source":`...), n.Source)
	b = appendText(append(b, `,"service":`...), n.Service)
	if n.Table != "" {
		b = appendText(append(b, `,"table":`...), n.Table)
	}
	b = n.Partner.AppendMember(b, `,"partner":`)
	b = strconv.AppendInt(append(b, `,"total":`...), n.Total, 10)
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

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}
