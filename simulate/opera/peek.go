package opera

import (
	"bytes"

	"aboyeur/protocol/fias"
	"aboyeur/protocol/ifc"
)

// peeked is what a cut that waits for a request wants to know of a record.
type peeked struct {
	on     On
	room   string
	number int64
}

// peek looks into a record of either dialect, without its STX and with what follows its ETX.
func peek(b []byte) peeked {
	if i := bytes.IndexByte(b, ifc.ETX); i >= 0 {
		b = b[:i]
	}
	if x, ok := peekXML(b); ok {
		return x
	}
	var f fiasLink
	if fias.Parse(b, &f.r) != nil {
		return peeked{}
	}
	switch f.r.ID() {
	case fias.LS, fias.LA, fias.LD, fias.LR, fias.LE:
		return peeked{}
	}
	x := f.exchange()
	return peeked{x.On, x.Room, x.Number}
}
