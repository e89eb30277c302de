package fias

import "time"

// Interface families, IF of LD (fias.md 3.6).
const (
	FamilyCallAccounting = "CA"
	FamilyDoorLock       = "DL"
	FamilyEnergy         = "EM"
	FamilyMinibar        = "MB"
	FamilyPBX            = "PB"
	FamilyPOS            = "PO"
	FamilyVideo          = "VI"
	FamilyVoiceMail      = "VM"
	FamilyMiscellaneous  = "MS"
	FamilyInternet       = "WW"
)

// Bits of LinkDescription.Request, which ask for parts of LC (fias.md 3.7).
const (
	WantPaymentMethods = 1
	WantPMSVersion     = 4
	WantIFCVersion     = 16 // the text swaps this and the next in one of its tables
	WantDriverVersion  = 32
	WantTimeouts       = 128
)

// LinkDescription is record LD: what the vendor is. It voids every description before it (fias.md 3.3).
type LinkDescription struct {
	At           time.Time
	Version      string // V#, at most 10 characters
	Interface    string // IF
	Request      int    // RT; 0 asks for no LC
	RecordLength int    // RL, of message texts; 0 leaves it out
	Cryptogram   string // CG; see Key.Cryptogram
}

// Record is LD.
func (LinkDescription) Record() Tag { return LD }

// Encode writes the fields.
func (d LinkDescription) Encode(e *Encoder) {
	e.Moment(d.At)
	e.Text(VNum, d.Version)
	e.Text(IF, d.Interface)
	e.Count(RT, int64(d.Request))
	e.Count(RL, int64(d.RecordLength))
	e.Option(CG, d.Cryptogram)
}

// Decode reads record LD.
func (d *LinkDescription) Decode(r *Record, c Codec) {
	*d = LinkDescription{
		At: r.Moment(c), Version: r.Text(VNum, c), Interface: r.Text(IF, c),
		Request: number(r, RT), RecordLength: number(r, RL), Cryptogram: r.Text(CG, c),
	}
}

// number is a numeric field that fits an int32, else 0.
func number(r *Record, t Tag) int {
	if n, ok := r.Number(t); ok && n > -1<<31 && n < 1<<31 {
		return int(n)
	}
	return 0
}
