package ifc

import (
	"fmt"
	"strconv"
	"time"
)

// An Event is one record or one link byte that passed.
type Event struct {
	At     time.Time
	Sent   bool   // by this side
	Record []byte // nil for a link byte; good during the call only
	Link   byte   // ACK, NAK or ENQ; 0 for a record
	Note   string // what was wrong with a record: "damaged", "too long"
}

// AppendTo appends the event as one line of a trace, without its end: offset from start, direction, record or the name of
// the byte. Control bytes inside a record are written as <0A>.
//
//	+0.031 < LA|DA260821|TI190406|
//	+0.033 > <ACK>
func (e Event) AppendTo(b []byte, start time.Time) []byte {
	b = append(b, '+')
	b = strconv.AppendFloat(b, e.At.Sub(start).Seconds(), 'f', 3, 64)
	if e.Sent {
		b = append(b, " > "...)
	} else {
		b = append(b, " < "...)
	}
	if e.Record == nil && e.Link != 0 {
		b = append(append(append(b, '<'), LinkByte(e.Link)...), '>')
	}
	for _, c := range e.Record {
		if c < 0x20 || c == 0x7F {
			b = fmt.Appendf(b, "<%02X>", c)
			continue
		}
		b = append(b, c)
	}
	if e.Note != "" {
		b = append(append(b, "  # "...), e.Note...)
	}
	return b
}

// LinkByte names a byte of the link: STX, ETX, ENQ, ACK, NAK; another one in hexadecimal.
func LinkByte(b byte) string {
	switch b {
	case STX:
		return "STX"
	case ETX:
		return "ETX"
	case ENQ:
		return "ENQ"
	case ACK:
		return "ACK"
	case NAK:
		return "NAK"
	}
	return fmt.Sprintf("%02X", b)
}
