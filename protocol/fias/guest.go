package fias

import "time"

// GuestRecord is record GI, GC or GO: a check-in, a change or room move, a check-out (fias.md 4.2, 4.3). It is for display
// only and never stands for the inquiry before a posting (fias.md 6.1).
type GuestRecord struct {
	ID          Tag // GI, GC or GO
	At          time.Time
	Room        string // RN; of a GC for a move the destination
	OldRoom     string // RO: a move
	Reservation string // G#; may be missing in a resync
	Name        string // GN; never in a GO
	FirstName   string // GF
	Title       string // GT
	VIP         string // GV
	Language    string // GL
	Group       string // GG
	Profile     string // G+
	Arrival     time.Time
	Departure   time.Time
	Shared      bool   // GS after RN: another guest is in that room
	OldShared   bool   // GS after RO
	NoPost      bool   // NP, information only
	Swap        bool   // SF: it belongs to a resync; with G# missing the room is empty
	Present     Fields // which fields were listed: a GC touches only those (fias.md 4.3)
}

// Fields are some fields of a record.
type Fields []Tag

// Has reports whether t is among them.
func (f Fields) Has(t Tag) bool { return tagSet(f).has(t) }

// Record is the record's own name.
func (g GuestRecord) Record() Tag { return g.ID }

// Encode writes the fields that are set, and GS.
func (g GuestRecord) Encode(e *Encoder) {
	e.Text(RN, g.Room)
	if g.ID != GC || g.OldRoom != "" || g.Shared || g.Present.Has(GS) {
		e.Flag(GS, g.Shared)
	}
	e.Option(GNum, g.Reservation)
	e.Option(GN, g.Name)
	e.Option(GF, g.FirstName)
	e.Option(GT, g.Title)
	e.Option(GL, g.Language)
	e.Option(GV, g.VIP)
	e.Option(GG, g.Group)
	e.Option(GPlus, g.Profile)
	e.Date(GA, g.Arrival)
	e.Date(GD, g.Departure)
	if g.NoPost || g.Present.Has(NP) {
		e.Flag(NP, g.NoPost)
	}
	if g.OldRoom != "" {
		e.Text(RO, g.OldRoom)
		e.Flag(GS, g.OldShared)
	}
	if g.Swap {
		e.Mark(SF)
	}
	e.Moment(g.At)
}

// Decode reads record GI, GC or GO. GS belongs to the room directly before it, RN or RO (fias.md 2).
func (g *GuestRecord) Decode(r *Record, c Codec) {
	*g = GuestRecord{
		ID: r.ID(), At: r.Moment(c), Room: r.Text(RN, c), OldRoom: r.Text(RO, c), Reservation: r.Text(GNum, c),
		Name: r.Text(GN, c), FirstName: r.Text(GF, c), Title: r.Text(GT, c), VIP: r.Text(GV, c), Language: r.Text(GL, c),
		Group: r.Text(GG, c), Profile: r.Text(GPlus, c), Arrival: r.Date(GA, c), Departure: r.Date(GD, c),
		NoPost: r.Flag(NP), Swap: r.Flag(SF),
	}
	room := RN
	for t, v := range r.Fields() {
		g.Present = append(g.Present, t)
		switch t {
		case RN, RO:
			room = t
		case GS:
			yes := string(v) == "Y" || string(v) == "y"
			if room == RO {
				g.OldShared = yes
			} else {
				g.Shared = yes
			}
		}
	}
}
