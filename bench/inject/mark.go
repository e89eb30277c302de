package main

import "bytes"

// A mark is what the generator knows an order by wherever it shows up: it is the partner's order id, which is on paper
// and on screen, and the head of the source's order id. Nine letters without a space, so that no ticket wraps inside it.
type mark struct {
	salt uint16 // tells this run's orders from those of a run before; 10 bits
	n    uint32 // the order's place in the book; 25 bits
}

const (
	markHead  = "ZQ" // in no menu and in no word of a ticket
	markLen   = len(markHead) + 2 + 5
	blankMark = markHead + "-------"
	digits32  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's, without I L O U
	maxOrders = 1 << 25
)

var digitValue = func() (v [256]int8) {
	for i := range v {
		v[i] = -1
	}
	for i, c := range digits32 {
		v[c] = int8(i)
	}
	return v
}()

// put writes the mark to the first markLen bytes of b.
func (m mark) put(b []byte) {
	copy(b, markHead)
	b[2], b[3] = digits32[m.salt>>5&31], digits32[m.salt&31]
	n := m.n
	for i := markLen - 1; i >= 4; i-- {
		b[i] = digits32[n&31]
		n >>= 5
	}
}

func (m mark) String() string {
	var b [markLen]byte
	m.put(b[:])
	return string(b[:])
}

// parseMark reads the mark at the start of b.
func parseMark(b []byte) (mark, bool) {
	if len(b) < markLen || string(b[:2]) != markHead {
		return mark{}, false
	}
	var v uint64
	for _, c := range b[2:markLen] {
		d := digitValue[c]
		if d < 0 {
			return mark{}, false
		}
		v = v<<5 | uint64(d)
	}
	return mark{salt: uint16(v >> 25), n: uint32(v & (maxOrders - 1))}, true
}

// findMark looks for the first mark in text.
func findMark(text []byte) (mark, bool) {
	for {
		i := bytes.Index(text, []byte(markHead))
		if i < 0 {
			return mark{}, false
		}
		if m, ok := parseMark(text[i:]); ok {
			return m, true
		}
		text = text[i+1:]
	}
}

func indexAll(b []byte, s string) []int {
	var at []int
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(s))
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		from += i + len(s)
	}
}
