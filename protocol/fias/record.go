package fias

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"time"
)

// MaxRecord is the longest record this package writes, in characters, and the longest FIAS has (fias.md 1.2).
const MaxRecord = 2000

// maxParse bounds what Parse takes, in bytes: offsets and the number of fields stay small.
const maxParse = 64 << 10

// Faults of a record that cannot be read at all.
var (
	ErrNoRecord = errors.New("not a FIAS record: it begins with no two-character name and bar")
	ErrLong     = errors.New("the record is longer than 65536 bytes")
)

// A Record is a view over the bytes of one record: nothing is copied, and it is good as long as those bytes are. Parse into
// the same Record again and again to spare its memory. The zero Record is empty.
type Record struct {
	raw    []byte
	id     Tag
	odd    int
	fields []span
}

// A span is a field's name and where its value lies.
type span struct {
	tag      Tag
	from, to uint32
}

// Parse reads a record, the bytes between STX and ETX, into r. It is lenient (fias.md 2, 9.2): the last bar may be missing,
// fields may be empty, repeated, unknown and in any order. What stands between two bars and begins with no tag is left out
// and counted by Odd. raw must not change while r is used.
func Parse(raw []byte, r *Record) error {
	r.raw, r.fields, r.id, r.odd = raw, r.fields[:0], 0, 0
	if len(raw) > maxParse {
		r.raw = nil
		return ErrLong
	}
	if len(raw) < 2 || len(raw) > 2 && raw[2] != '|' || !tag(raw[0], raw[1]).Valid() {
		return ErrNoRecord
	}
	r.id = tag(raw[0], raw[1])
	fields, from, i := r.fields, 3, 3
	for ; i+8 <= len(raw); i += 8 { // eight bytes at a time: most of the work is looking for bars
		for bars := barsIn(binary.LittleEndian.Uint64(raw[i:])); bars != 0; bars &= bars - 1 {
			to := i + bits.TrailingZeros64(bars)/8
			if to-from >= 2 && printable(raw[from]) && printable(raw[from+1]) {
				fields = append(fields, span{tag(raw[from], raw[from+1]), uint32(from + 2), uint32(to)})
			} else if to > from {
				r.odd++
			}
			from = to + 1
		}
	}
	for ; i <= len(raw); i++ {
		if i < len(raw) && raw[i] != '|' {
			continue
		}
		if i-from >= 2 && printable(raw[from]) && printable(raw[from+1]) {
			fields = append(fields, span{tag(raw[from], raw[from+1]), uint32(from + 2), uint32(i)})
		} else if i > from {
			r.odd++
		}
		from = i + 1
	}
	r.fields = fields
	return nil
}

// barsIn sets the top bit of each byte of w that is a bar, and no other bit.
func barsIn(w uint64) uint64 {
	const low = 0x7F7F7F7F7F7F7F7F
	x := w ^ '|'*0x0101010101010101 // a bar becomes 0
	return ^((x&low + low) | x | low)
}

// ID is the record's own name.
func (r *Record) ID() Tag { return r.id }

// Raw is the record as it came.
func (r *Record) Raw() []byte { return r.raw }

// Len is the number of fields.
func (r *Record) Len() int { return len(r.fields) }

// Odd is how many pieces between bars began with no tag and were left out.
func (r *Record) Odd() int { return r.odd }

// At is field i, 0 the first.
func (r *Record) At(i int) (Tag, []byte) {
	f := r.fields[i]
	return f.tag, r.raw[f.from:f.to:f.to]
}

// Get is the value of the first field of that name; nil if there is none, empty and not nil if the field is empty.
func (r *Record) Get(t Tag) []byte {
	for i := range r.fields {
		if r.fields[i].tag == t {
			_, v := r.At(i)
			return v
		}
	}
	return nil
}

// Has reports whether a field of that name is there and not empty.
func (r *Record) Has(t Tag) bool { return len(r.Get(t)) > 0 }

// Is reports whether a field holds just that value.
func (r *Record) Is(t Tag, value string) bool { return string(r.Get(t)) == value }

// Fields ranges over all fields in their order, repeated ones too.
func (r *Record) Fields() iter.Seq2[Tag, []byte] {
	return func(yield func(Tag, []byte) bool) {
		for i := range r.fields {
			if !yield(r.At(i)) {
				return
			}
		}
	}
}

// All is the values of one repeated field.
func (r *Record) All(t Tag) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range r.fields {
			if f, v := r.At(i); f == t && !yield(v) {
				return
			}
		}
	}
}

// Clone is a copy that keeps its own bytes.
func (r *Record) Clone() *Record {
	return &Record{raw: bytes.Clone(r.raw), id: r.id, odd: r.odd, fields: append([]span(nil), r.fields...)}
}

// Number is a numeric field; ok is false if it is absent, empty or no number.
func (r *Record) Number(t Tag) (n int64, ok bool) { return parseNumber(r.Get(t)) }

// Amount is a money field; ok is false if it is absent, empty or no amount.
func (r *Record) Amount(t Tag) (a Amount, ok bool) { return parseAmount(r.Get(t)) }

// Flag reports whether a Y/N field says Y, or the valueless SF is there.
func (r *Record) Flag(t Tag) bool {
	v := r.Get(t)
	return len(v) == 1 && (v[0] == 'Y' || v[0] == 'y') || t == SF && v != nil
}

// Text is a text field as UTF-8.
func (r *Record) Text(t Tag, c Codec) string { return c.encoding().Decode(r.Get(t)) }

// Date is a field of type D in the time zone of the link; zero if it is absent or no date.
func (r *Record) Date(t Tag, c Codec) time.Time {
	d, ok := parseDate(r.Get(t))
	if !ok {
		return time.Time{}
	}
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, c.location())
}

// Moment is DA and TI together, in the time zone of the link; zero unless both are there and right.
func (r *Record) Moment(c Codec) time.Time {
	d, ok := parseDate(r.Get(DA))
	if !ok {
		return time.Time{}
	}
	t, ok := parseClock(r.Get(TI))
	if !ok {
		return time.Time{}
	}
	return time.Date(d.year, d.month, d.day, t.hour, t.minute, t.second, 0, c.location())
}
