package fias

import "time"

// A Moment is a record that says nothing but when: LS, LA, LE, DR, DS, DE, NS, NE (fias.md 3.1, 4.2). At is the sender's
// clock, also at night audit, whose business date it is not (fias.md 4.4).
type Moment struct {
	ID Tag
	At time.Time
}

// Record is the moment's name.
func (m Moment) Record() Tag { return m.ID }

// Encode writes DA and TI.
func (m Moment) Encode(e *Encoder) { e.Moment(m.At) }

// Decode reads any of the eight records. A time that cannot be read is zero: the record counts all the same.
func (m *Moment) Decode(r *Record, c Codec) {
	*m = Moment{ID: r.ID(), At: r.Moment(c)}
}
