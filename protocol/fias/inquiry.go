package fias

import "time"

// Inquiry is record PR as an inquiry: who is in house under this room or name (fias.md 6.2). A posting to a guest is
// preceded by one.
type Inquiry struct {
	At            time.Time
	Number        int    // P#
	Find          string // PI: a room, or the start of a name; at most 10 characters
	Card          string // $2: a key card; then Find is empty
	Most          int    // MX: 1 to 9 matches; 0 leaves it to the hotel
	Workstation   string // WS
	Outlet        string // SO
	User          string // ID
	PaymentMethod string // PM
	Check         int64  // C#
}

// Record is PR.
func (Inquiry) Record() Tag { return PR }

// Encode writes the fields.
func (q Inquiry) Encode(e *Encoder) {
	e.Option(PI, q.Find)
	e.Option(Track2, q.Card)
	e.Count(MX, int64(q.Most))
	e.Count(PNum, int64(q.Number))
	e.Option(WS, q.Workstation)
	e.Option(SO, q.Outlet)
	e.Option(ID, q.User)
	e.Option(PM, q.PaymentMethod)
	e.Count(CNum, q.Check)
	e.Moment(q.At)
}

// Decode reads record PR as an inquiry.
func (q *Inquiry) Decode(r *Record, c Codec) {
	*q = Inquiry{
		At: r.Moment(c), Number: number(r, PNum), Find: r.Text(PI, c), Card: r.Text(Track2, c), Most: number(r, MX),
		Workstation: r.Text(WS, c), Outlet: r.Text(SO, c), User: r.Text(ID, c), PaymentMethod: r.Text(PM, c),
	}
	q.Check, _ = r.Number(CNum)
}

// Validate reports why the inquiry must not be sent.
func (q *Inquiry) Validate() error {
	switch {
	case q.Number < 1 || q.Number > MaxNumber:
		return ErrNumber
	case q.Find == "" && q.Card == "":
		return ErrInquiry
	}
	return nil
}

// A Request says what a PR is.
type Request byte

// The kinds of PR.
const (
	NoRequest      Request = iota // neither: the answer is UR
	InquiryRequest                // no total, and a room, a name or a card
	PostRequest                   // a total, or articles
)

// RequestOf tells an inquiry from a posting by the rule that is safe with every vendor (fias.md 6.2): a total makes a
// posting; without one, a room, name or card makes an inquiry. Articles post without a total (fias.md 6.6).
func RequestOf(r *Record) Request {
	switch {
	case r.ID() != PR:
		return NoRequest
	case r.Has(TA):
		return PostRequest
	case r.Has(PI) || r.Has(Track2):
		return InquiryRequest
	case r.Has(MA):
		return PostRequest
	}
	return NoRequest
}
