package ifc

// LRC is the check byte of a serial record: XOR of every byte after STX up to and including ETX (fias.md 1.4). It may have
// any value, STX and ETX among them, and is known by its place only.
func LRC(record []byte) byte {
	lrc := byte(ETX)
	for _, b := range record {
		lrc ^= b
	}
	return lrc
}

// AppendSerial appends STX, record, ETX, LRC: a frame for a serial line (fias.md 1.4).
func AppendSerial(dst, record []byte) []byte {
	return append(AppendFrame(dst, record), LRC(record))
}

// A Kind says what a SerialDecoder found.
type Kind byte

// The kinds of tokens on a serial line.
const (
	More    Kind = iota // nothing yet, more bytes are needed
	Record              // a whole record with the right LRC
	Damaged             // a record whose LRC is wrong
	Long                // a record longer than the limit; it was dropped
	Control             // ACK, NAK or ENQ outside of a record, or an ENQ that ended one
	Noise               // bytes outside of a record that mean nothing
)

// A Token is one thing found on a serial line.
type Token struct {
	Kind   Kind
	Byte   byte   // of Control; of Record and Damaged the LRC that came
	Record []byte // of Record and Damaged; shares memory with the decoder and is good until the next call
}

// A SerialDecoder cuts the bytes of a serial line into records and link bytes (fias.md 1.4). Its rules are the Decoder's,
// and more: the byte after ETX is the LRC whatever its value; and an ENQ inside a record, where it cannot be data, says that
// the sender gave the record up. ACK and NAK inside a record do not count as answers, since a damaged byte may look like
// them; they stay in the record, whose LRC tells. The zero SerialDecoder takes records of MaxRecord bytes with an LRC.
type SerialDecoder struct {
	Limit int  // longest record, in bytes; 0 means MaxRecord
	NoLRC bool // ETX is the last byte of a frame

	state    state
	part     []byte
	counters Counters
}

// Next takes the next token from p and returns what of p is left for the following call.
func (d *SerialDecoder) Next(p []byte) (Token, []byte) {
	for i, b := range p {
		switch d.state {
		case outside:
			switch b {
			case STX:
				d.state, d.part = inside, d.part[:0]
			case ACK, NAK, ENQ:
				return Token{Kind: Control, Byte: b}, p[i+1:]
			default:
				d.counters.Skipped++
				return Token{Kind: Noise, Byte: b}, p[i+1:]
			}
		case inside, tooLong:
			switch b {
			case STX:
				d.counters.Restarted++
				d.state, d.part = inside, d.part[:0]
			case ENQ:
				d.counters.Stale++
				d.state = outside
				return Token{Kind: Control, Byte: b}, p[i+1:]
			case ETX:
				if !d.NoLRC {
					d.state = atLRC + (d.state - inside)
					continue
				}
				return d.end(b, true), p[i+1:]
			default:
				if d.state == tooLong {
					continue
				}
				if len(d.part) >= d.limit() {
					d.state = tooLong
					continue
				}
				d.part = append(d.part, b)
			}
		case atLRC, longLRC:
			return d.end(b, b == LRC(d.part)), p[i+1:]
		}
	}
	return Token{}, nil
}

// end finishes the open record; last is its last byte.
func (d *SerialDecoder) end(last byte, right bool) Token {
	long := d.state == tooLong || d.state == longLRC
	d.state = outside
	switch {
	case long:
		d.counters.Long++
		return Token{Kind: Long, Byte: last}
	case !right:
		d.counters.Damaged++
		return Token{Kind: Damaged, Byte: last, Record: d.part}
	}
	d.counters.Records++
	return Token{Kind: Record, Byte: last, Record: d.part}
}

// Open reports whether a record has begun and not ended.
func (d *SerialDecoder) Open() bool { return d.state != outside }

// Abandon throws an unfinished record away: it took longer than a record may (fias.md 1.4).
func (d *SerialDecoder) Abandon() {
	if d.Open() {
		d.counters.Stale++
		d.state = outside
	}
}

// Counters returns what the decoder met so far.
func (d *SerialDecoder) Counters() Counters { return d.counters }

func (d *SerialDecoder) limit() int {
	if d.Limit > 0 {
		return d.Limit
	}
	return MaxRecord
}
