package fias

import "time"

// PostingAnswer is record PA: what became of a posting, or of an inquiry that found nobody (fias.md 6.4, 6.7).
type PostingAnswer struct {
	At          time.Time
	Number      int    // P# of the request; 0 if the hotel left it out, as it may with PS
	Status      Status // AS
	Text        string // CT; the only place where the hotel's own transaction number shows (fias.md 6.7)
	Room        string // RN
	Reservation string // G#
	Guest       string // GN
	Workstation string // WS
	Outlet      string // SO
	User        string // ID
	Check       int64  // C#
}

// Record is PA.
func (PostingAnswer) Record() Tag { return PA }

// Encode writes the fields.
func (a PostingAnswer) Encode(e *Encoder) {
	e.Text(AS, string(a.Status))
	e.Option(CT, a.Text)
	e.Count(PNum, int64(a.Number))
	e.Option(WS, a.Workstation)
	e.Option(SO, a.Outlet)
	e.Option(ID, a.User)
	e.Option(RN, a.Room)
	e.Option(GNum, a.Reservation)
	e.Option(GN, a.Guest)
	e.Count(CNum, a.Check)
	e.Moment(a.At)
}

// Decode reads record PA.
func (a *PostingAnswer) Decode(r *Record, c Codec) {
	*a = PostingAnswer{
		At: r.Moment(c), Number: number(r, PNum), Status: Status(r.Text(AS, c)), Text: r.Text(CT, c), Room: r.Text(RN, c),
		Reservation: r.Text(GNum, c), Guest: r.Text(GN, c), Workstation: r.Text(WS, c), Outlet: r.Text(SO, c), User: r.Text(ID, c),
	}
	a.Check, _ = r.Number(CNum)
}
