package fias

import (
	"errors"
	"time"
)

// Posting types, PT (fias.md 6.6).
const (
	TypeAmount  = "C" // an amount; also what a posting without PT means
	TypeArticle = "M" // articles that the hotel prices
	TypePhone   = "T" // telephone; PS only
	TypeDebit   = "D" // protel
)

// MaxNumber is the highest P#; the lowest is 1 (fias.md 6.3).
const MaxNumber = 99999999

// Reasons of Validate.
var (
	ErrNumber  = errors.New("the posting number is not between 1 and 99999999")
	ErrGuest   = errors.New("a posting to a guest needs the room and the reservation of an inquiry")
	ErrArticle = errors.New("the number of an article is not above zero")
	ErrInquiry = errors.New("an inquiry needs a room, the start of a name, or a key card")
)

// A Posting is what PS and the posting PR share. Fields left at zero are not sent, but for the total.
type Posting struct {
	At     time.Time // DA, TI: of all records of one check the same, or the hotel cannot cumulate them (fias.md 6.5)
	Number int       // P#; every record has its own (fias.md 6.3)

	Room        string // RN; of an account its number
	Reservation string // G#; "0" of an account
	Guest       string // GN
	Profile     string // G+

	Workstation   string // WS
	Outlet        string // SO
	User          string // ID
	PaymentMethod string // PM

	Type   string // PT
	Total  Amount // TA
	Parts  Parts
	Credit bool // CO: a supervisor lets the charge pass the credit limit

	Check       int64  // C#
	Covers      int    // CV
	ServingTime int    // ST
	Table       int    // T#
	Text        string // CT, 20 characters on the folio
	Supplement  string // X1, 25 characters more

	Articles []Article // MA, M#

	// Telephone.
	Digits   string // DD
	Duration string // DU, HHMMSS
	CallType string // PC
	Pulses   int    // MP, PS only
	Trunk    int    // PX, PS only
}

// An Article is something the hotel prices itself.
type Article struct {
	Number int64 // MA
	Count  int   // M#; 0 on the wire means it was absent, which counts 1
}

// encode writes what PS and PR share.
func (p *Posting) encode(e *Encoder) {
	e.Option(RN, p.Room)
	e.Option(GNum, p.Reservation)
	e.Option(GN, p.Guest)
	e.Option(GPlus, p.Profile)
	e.Count(PNum, int64(p.Number))
	e.Option(WS, p.Workstation)
	e.Option(SO, p.Outlet)
	e.Option(ID, p.User)
	e.Option(PM, p.PaymentMethod)
	e.Option(PT, p.Type)
	if p.Total != 0 || p.Type == "" || p.Type == TypeAmount || p.Type == TypeDebit {
		e.Amount(TA, p.Total)
	}
	p.Parts.encode(e)
	if p.Credit {
		e.Flag(CO, true)
	}
	for _, a := range p.Articles {
		e.Number(MA, a.Number)
		e.Count(MNum, int64(a.Count))
	}
	e.Digits(DD, p.Digits)
	e.Option(DU, p.Duration)
	e.Option(PC, p.CallType)
	e.Count(MP, int64(p.Pulses))
	e.Count(PX, int64(p.Trunk))
	e.Count(CNum, p.Check)
	e.Count(CV, int64(p.Covers))
	e.Count(ST, int64(p.ServingTime))
	e.Count(TNum, int64(p.Table))
	e.Option(CT, p.Text)
	e.Option(X1, p.Supplement)
	e.Moment(p.At)
}

func (p *Posting) decode(r *Record, c Codec) {
	*p = Posting{
		At: r.Moment(c), Number: number(r, PNum),
		Room: r.Text(RN, c), Reservation: r.Text(GNum, c), Guest: r.Text(GN, c), Profile: r.Text(GPlus, c),
		Workstation: r.Text(WS, c), Outlet: r.Text(SO, c), User: r.Text(ID, c), PaymentMethod: r.Text(PM, c),
		Type: r.Text(PT, c), Credit: r.Flag(CO), Covers: number(r, CV), ServingTime: number(r, ST), Table: number(r, TNum),
		Text: r.Text(CT, c), Supplement: r.Text(X1, c),
		Digits: r.Text(DD, c), Duration: r.Text(DU, c), CallType: r.Text(PC, c), Pulses: number(r, MP), Trunk: number(r, PX),
	}
	p.Total, _ = r.Amount(TA)
	p.Check, _ = r.Number(CNum)
	for t, v := range r.Fields() {
		switch t {
		case MA:
			n, _ := parseNumber(v)
			p.Articles = append(p.Articles, Article{Number: n})
		case MNum:
			if n, ok := parseNumber(v); ok && len(p.Articles) > 0 {
				p.Articles[len(p.Articles)-1].Count = int(n)
			}
		default:
			p.Parts.take(t, v)
		}
	}
}

// validate checks what the hotel would refuse or, worse, misread.
func (p *Posting) validate() error {
	if p.Number < 1 || p.Number > MaxNumber {
		return ErrNumber
	}
	for _, a := range p.Articles {
		if a.Count < 0 {
			return ErrArticle
		}
	}
	return p.Parts.Balance(p.Total)
}

// PostingSimple is record PS: a posting to a room, without inquiry (fias.md 6.1).
type PostingSimple struct{ Posting }

// Record is PS.
func (PostingSimple) Record() Tag { return PS }

// Encode writes the fields.
func (p PostingSimple) Encode(e *Encoder) { p.encode(e) }

// Decode reads record PS.
func (p *PostingSimple) Decode(r *Record, c Codec) { p.decode(r, c) }

// Validate reports why the posting must not be sent.
func (p *PostingSimple) Validate() error {
	if p.Number != 0 {
		return p.validate()
	}
	q := *p
	q.Number = 1 // P# is only recommended in PS (fias.md 6.3)
	return q.validate()
}

// PostingRequest is record PR as a posting: to a guest found by an Inquiry just before, or directly in another tender
// (fias.md 6.1). A posting to a guest has Room and Reservation of the guest in the list; one in a tender such as cash has
// neither.
type PostingRequest struct{ Posting }

// Record is PR.
func (PostingRequest) Record() Tag { return PR }

// Encode writes the fields. TA is always there: without it the record would be an inquiry (fias.md 6.2).
func (p PostingRequest) Encode(e *Encoder) { p.encode(e) }

// Decode reads record PR as a posting.
func (p *PostingRequest) Decode(r *Record, c Codec) { p.decode(r, c) }

// Validate reports why the posting must not be sent.
func (p *PostingRequest) Validate() error {
	if (p.Room == "") != (p.Reservation == "") {
		return ErrGuest
	}
	return p.validate()
}
