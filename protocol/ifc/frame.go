package ifc

import "bytes"

// Bytes of the link itself (fias.md 1.1, 1.4).
const (
	STX = 0x02 // a record begins
	ETX = 0x03 // it ends; on a serial line the LRC follows
	ENQ = 0x05 // serial: say your last answer again
	ACK = 0x06 // serial: the record arrived whole
	NAK = 0x15 // serial: it did not
)

// MaxRecord is what a decoder takes between STX and ETX unless told otherwise, in bytes. FIAS itself stops at 2000
// characters; a longer record that fits here is taken, a still longer one is dropped (fias.md 1.2).
const MaxRecord = 64 << 10

// AppendFrame appends STX, record, ETX: a frame for TCP (fias.md 1.1).
func AppendFrame(dst, record []byte) []byte {
	dst = append(dst, STX)
	dst = append(dst, record...)
	return append(dst, ETX)
}

// Counters say what a decoder met since it was made.
type Counters struct {
	Records   uint64 // whole records
	Skipped   uint64 // bytes outside of frames, CR and LF between frames among them
	Restarted uint64 // frames thrown away because another STX came before their ETX
	Long      uint64 // records longer than the limit, dropped
	Damaged   uint64 // serial: records whose LRC is wrong
	Stale     uint64 // serial: records that stopped in the middle
}

// A Decoder cuts the bytes of a TCP connection into records. Bytes outside of frames are skipped, a second STX throws away
// what stood before it, and a record longer than the limit is dropped up to the next STX or its ETX (fias.md 1.1, 1.2).
// It holds at most one unfinished record. The zero Decoder takes records of MaxRecord bytes. Not for concurrent use.
type Decoder struct {
	Limit int // longest record, in bytes; 0 means MaxRecord

	state    state
	part     []byte // what came of the open frame in former calls
	counters Counters
}

// state is where a decoder stands.
type state byte

const (
	outside state = iota // before an STX
	inside               // after it
	tooLong              // in a record that is being dropped
	atLRC                // serial: the next byte is the LRC, whatever its value
	longLRC              // serial: the same, of a record that was dropped
)

// Next takes the next record from p, the bytes that came, and returns what of p is left for the following call. With ok
// false p is used up and more bytes are needed. The record shares memory with p or with the decoder and is good until the
// next call.
func (d *Decoder) Next(p []byte) (record, rest []byte, ok bool) {
	for len(p) > 0 {
		if d.state == outside {
			i := bytes.IndexByte(p, STX)
			if i < 0 {
				d.counters.Skipped += uint64(len(p))
				return nil, nil, false
			}
			d.counters.Skipped += uint64(i)
			p = p[i+1:]
			d.state, d.part = inside, d.part[:0]
			continue
		}
		end := bytes.IndexByte(p, ETX)
		body := p
		if end >= 0 {
			body = p[:end]
		}
		for { // the last STX before the end is where the record begins
			i := bytes.IndexByte(body, STX)
			if i < 0 {
				break
			}
			switch {
			case d.state == tooLong: // counted when it became so
			case len(d.part)+i > d.limit():
				d.counters.Long++
			default:
				d.counters.Restarted++
			}
			body = body[i+1:]
			d.state, d.part = inside, d.part[:0]
		}
		if d.state == inside && len(d.part)+len(body) > d.limit() {
			d.counters.Long++
			d.state, d.part = tooLong, d.part[:0]
		}
		if end < 0 {
			if d.state == inside {
				d.part = append(d.part, body...)
			}
			return nil, nil, false
		}
		p = p[end+1:]
		dropped := d.state == tooLong
		d.state = outside
		if dropped {
			continue
		}
		d.counters.Records++
		if len(d.part) == 0 {
			return body, p, true
		}
		d.part = append(d.part, body...)
		return d.part, p, true
	}
	return nil, nil, false
}

// Open reports whether a frame has begun and not ended.
func (d *Decoder) Open() bool { return d.state != outside }

// Counters returns what the decoder met so far.
func (d *Decoder) Counters() Counters { return d.counters }

func (d *Decoder) limit() int {
	if d.Limit > 0 {
		return d.Limit
	}
	return MaxRecord
}
