package fias

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Reasons of a *FieldError.
var (
	ErrTooWide   = errors.New("longer than the field may be")
	ErrNotDigits = errors.New("not a number as this field needs it")
	ErrBadTag    = errors.New("not a two-character name")
	ErrBadYear   = errors.New("outside the years that YYMMDD can say")
	ErrTooMuch   = errors.New("the record is longer than 2000 characters")
)

// A FieldError says why a record could not be written. Nothing of it left.
type FieldError struct {
	Record, Field Tag
	Value         string
	Err           error
}

func (e *FieldError) Error() string {
	if e.Field == 0 {
		return fmt.Sprintf("record %s: %v", e.Record, e.Err)
	}
	return fmt.Sprintf("record %s: field %s: %q: %v", e.Record, e.Field, e.Value, e.Err)
}

func (e *FieldError) Unwrap() error { return e.Err }

// A Message is a record with a type of its own.
type Message interface {
	// Record is its name on the wire.
	Record() Tag
	// Encode writes its fields.
	Encode(e *Encoder)
}

// Marshal appends m as the link has it, without its frame. An error is a *FieldError: the first field whose value it
// cannot have.
func Marshal(dst []byte, m Message, c Codec) ([]byte, error) {
	e := NewEncoder(c)
	e.begin(dst, m.Record())
	m.Encode(e)
	return e.End()
}

// An Encoder writes one record after the other, a field a call, with the types and limits of the dictionary. A text that
// only describes is cut to its limit, one that identifies and a number that is too wide are errors; the first error is
// End's. A field that the dictionary lacks is taken for text without limit.
type Encoder struct {
	codec    Codec
	enc      *Encoding
	b        []byte
	from     int
	runes    int // characters beyond ASCII count once in the record's length
	record   Tag
	err      error
	cut      []Tag
	replaced int
}

// NewEncoder makes an encoder for a link.
func NewEncoder(c Codec) *Encoder { return &Encoder{codec: c, enc: c.encoding()} }

// Begin starts a record.
func (e *Encoder) Begin(record Tag) { e.begin(nil, record) }

func (e *Encoder) begin(dst []byte, record Tag) {
	e.b, e.from, e.runes, e.record, e.err, e.cut, e.replaced = dst, len(dst), 0, record, nil, e.cut[:0], 0
	if !record.Valid() {
		e.fail(0, "", ErrBadTag)
		return
	}
	e.b = append(record.AppendTo(e.b), '|')
}

// End returns the record, or the first error.
func (e *Encoder) End() ([]byte, error) {
	if e.err == nil && len(e.b)-e.from-e.runes > MaxRecord {
		e.fail(0, "", ErrTooMuch)
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.b, nil
}

// Cut lists the fields whose text was cut to its limit.
func (e *Encoder) Cut() []Tag { return e.cut }

// Replaced is how many characters could not be sent as they were.
func (e *Encoder) Replaced() int { return e.replaced }

// Text writes a text, an empty one as an empty field.
func (e *Encoder) Text(t Tag, s string) {
	f, known := FieldOf(e.record, t)
	if !e.open(t) {
		return
	}
	from := len(e.b)
	limit := f.Max
	if !known {
		limit = 0
	}
	enc := e.enc
	if f.Type == ASCII && known {
		enc = &Encoding{plain: true}
	}
	var did Text
	e.b, did = enc.AppendText(e.b, s, limit, f.Type == Lines)
	e.replaced += did.Replaced
	if enc.page == nil && !enc.plain {
		for _, c := range e.b[from:] {
			if c&0xC0 == 0x80 {
				e.runes++
			}
		}
	}
	if did.Cut {
		if !f.Cut {
			e.fail(t, s, ErrTooWide)
			return
		}
		e.cut = append(e.cut, t)
	}
	e.b = append(e.b, '|')
}

// Option writes a text unless it is empty.
func (e *Encoder) Option(t Tag, s string) {
	if s != "" {
		e.Text(t, s)
	}
}

// Number writes a number.
func (e *Encoder) Number(t Tag, n int64) {
	if !e.open(t) {
		return
	}
	from := len(e.b)
	e.b = strconv.AppendInt(e.b, n, 10)
	width := len(e.b) - from
	if n < 0 {
		width--
	}
	if f, ok := FieldOf(e.record, t); ok && f.Max > 0 && width > f.Max {
		e.fail(t, string(e.b[from:]), ErrTooWide)
		return
	}
	e.b = append(e.b, '|')
}

// Count writes a number unless it is 0.
func (e *Encoder) Count(t Tag, n int64) {
	if n != 0 {
		e.Number(t, n)
	}
}

// Digits writes a text of digits as it is, leading zeros too; anything else is an error. An empty one is left out.
func (e *Encoder) Digits(t Tag, s string) {
	if s == "" || !e.open(t) {
		return
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && !(i == 0 && s[i] == '-' && len(s) > 1) {
			e.fail(t, s, ErrNotDigits)
			return
		}
	}
	if f, ok := FieldOf(e.record, t); ok && f.Max > 0 && len(s) > f.Max {
		e.fail(t, s, ErrTooWide)
		return
	}
	e.b = append(append(e.b, s...), '|')
}

// Amount writes money, never with a point (fias.md 2).
func (e *Encoder) Amount(t Tag, a Amount) { e.Number(t, int64(a)) }

// Part writes money unless it is 0: parts that are zero are left out (fias.md 6.5).
func (e *Encoder) Part(t Tag, a Amount) { e.Count(t, int64(a)) }

// Flag writes Y or N.
func (e *Encoder) Flag(t Tag, yes bool) {
	if yes {
		e.Text(t, "Y")
		return
	}
	e.Text(t, "N")
}

// Mark writes a field that has no value, such as SF.
func (e *Encoder) Mark(t Tag) {
	if e.open(t) {
		e.b = append(e.b, '|')
	}
}

// Date writes YYMMDD of the link's time zone. A zero time writes nothing.
func (e *Encoder) Date(t Tag, at time.Time) {
	if at.IsZero() || !e.open(t) {
		return
	}
	at = at.In(e.codec.location())
	if y := at.Year(); y < 1969 || y > 2068 {
		e.fail(t, at.Format(time.RFC3339), ErrBadYear)
		return
	}
	e.b = append(at.AppendFormat(e.b, "060102"), '|')
}

// Moment writes DA and TI. A zero time writes neither.
func (e *Encoder) Moment(at time.Time) {
	if at.IsZero() {
		return
	}
	e.Date(DA, at)
	if e.open(TI) {
		e.b = append(at.In(e.codec.location()).AppendFormat(e.b, "150405"), '|')
	}
}

// Raw writes a value as the wire had it, such as a field of another record. Bytes of the link and bars are replaced.
func (e *Encoder) Raw(t Tag, value []byte) {
	if !e.open(t) {
		return
	}
	for _, c := range value {
		switch {
		case c == '|':
			c = '/'
		case c == '\r' || c == '\n' || c == '\f':
		case c < ' ' || c == 0x7F:
			c = ' '
		}
		e.b = append(e.b, c)
	}
	e.b = append(e.b, '|')
}

// open writes a field's name; false if the record has failed.
func (e *Encoder) open(t Tag) bool {
	if e.err != nil {
		return false
	}
	if !t.Valid() {
		e.fail(t, "", ErrBadTag)
		return false
	}
	e.b = t.AppendTo(e.b)
	return true
}

func (e *Encoder) fail(t Tag, value string, err error) {
	if e.err == nil {
		e.err = &FieldError{Record: e.record, Field: t, Value: value, Err: err}
	}
}
