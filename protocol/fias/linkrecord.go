package fias

import (
	"errors"
	"fmt"
)

// ErrDescription reports an LR that is not exactly LR|RIxx|FLxxxx| (fias.md 2, 3.3).
var ErrDescription = errors.New("not LR|RIxx|FL…| with two characters a field")

// LinkRecord is record LR: a record the vendor will use, whichever way it goes, and the fields it wants in it
// (fias.md 3.3).
type LinkRecord struct {
	Described Tag   // RI
	Fields    []Tag // FL
}

// Describe makes a LinkRecord of its text form: Describe(PR, "DATIP#WSPI").
func Describe(record Tag, fields string) LinkRecord {
	r := LinkRecord{Described: record}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Fields = append(r.Fields, TagOf(fields[i:i+2]))
	}
	return r
}

// Record is LR.
func (LinkRecord) Record() Tag { return LR }

// Encode writes RI and FL, in this order.
func (l LinkRecord) Encode(e *Encoder) {
	e.Text(RI, l.Described.String())
	if !e.open(FL) {
		return
	}
	for _, t := range l.Fields {
		if !t.Valid() {
			e.fail(FL, t.String(), ErrBadTag)
			return
		}
		e.b = t.AppendTo(e.b)
	}
	e.b = append(e.b, '|')
}

// Decode reads record LR. The host logs and ignores one that is wrong.
func (l *LinkRecord) Decode(r *Record) error {
	ri, fl := r.Get(RI), r.Get(FL)
	if len(ri) != 2 || fl == nil || len(fl)%2 != 0 {
		return fmt.Errorf("record %q: %w", r.Raw(), ErrDescription)
	}
	*l = LinkRecord{Described: tag(ri[0], ri[1])}
	for i := 0; i < len(fl); i += 2 {
		t := tag(fl[i], fl[i+1])
		if !t.Valid() {
			return fmt.Errorf("record %q: %w", r.Raw(), ErrDescription)
		}
		l.Fields = append(l.Fields, t)
	}
	return nil
}

// Lists reports whether the vendor asked for a field.
func (l LinkRecord) Lists(t Tag) bool {
	for _, f := range l.Fields {
		if f == t {
			return true
		}
	}
	return false
}

// POSRecords describe the records of a till (fias.md 8, complete transcript): inquiry, posting, their answers, night audit,
// and the guests in house.
func POSRecords() []LinkRecord {
	return []LinkRecord{
		Describe(PR, "DATIP#WSSOIDPIMX$2RNG#GNG+PMTAS1S2S3S4S5S6S7S8S9D1D2D3D4D5D6D7D8D9T1T2T3T4T5T6T7T8T9TPSC+0COC#CVSTT#CTX1PT"),
		Describe(PL, "P#WSSOIDRNG#GNGFGTGVG+CLBANPPMGAGDGG"),
		Describe(PA, "ASCTP#WSSOIDRNG#GNC#DATI"),
		Describe(PS, "DATIP#WSSOIDRNPMTAS1S2S3S4S5S6S7S8S9D1D2D3D4D5D6D7D8D9T1T2T3T4T5T6T7T8T9TPSC+0COC#CVSTT#CTX1PTMAM#"),
		Describe(GI, "RNG#GNGFGTGLGVGGGAGDGSNPSF"),
		Describe(GC, "RNG#GNGFGTGLGVGGGAGDGSNPRO"),
		Describe(GO, "RNG#GSSF"),
		Describe(NS, "DATI"),
		Describe(NE, "DATI"),
	}
}
