package opera

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Charge is a posting as a till asks for it, in either dialect. A Posting is what the hotel books of it.
type Charge struct {
	Record string `json:"record"`         // PR, PS, PostRequest
	Number int64  `json:"number"`         // P#, SequenceNumber
	Type   string `json:"type,omitempty"` // PT: C amount, M articles, T telephone; "" is told from the rest

	Room        string `json:"room,omitempty"`
	Reservation string `json:"reservation,omitempty"` // 0: Room is an account
	Name        string `json:"name,omitempty"`
	Method      string `json:"method,omitempty"`   // PM
	Override    bool   `json:"override,omitempty"` // CO=Y

	Total     Amount   `json:"total"`
	HasTotal  bool     `json:"-"`
	Subtotals []Amount `json:"subtotals,omitempty"` // S1 is the first
	Discounts []Amount `json:"discounts,omitempty"`
	Taxes     []Amount `json:"taxes,omitempty"`
	Services  []Amount `json:"service_charges,omitempty"`
	Tip       Amount   `json:"tip,omitempty"`
	Rounding  Amount   `json:"rounding,omitempty"` // +0

	Articles []ArticleCount `json:"articles,omitempty"`
	Pulses   int64          `json:"pulses,omitempty"`
	Duration time.Duration  `json:"duration_ns,omitempty"` // of a call
	Dialled  string         `json:"dialled,omitempty"`

	Check       string `json:"check,omitempty"`
	Table       string `json:"table,omitempty"`
	Covers      int64  `json:"covers,omitempty"`
	Period      string `json:"period,omitempty"` // ST
	Outlet      string `json:"outlet,omitempty"` // SO, RevenueCenter
	Waiter      string `json:"waiter,omitempty"` // ID
	Workstation string `json:"workstation,omitempty"`
	Text        string `json:"text,omitempty"`       // CT, PostingDescription
	Supplement  string `json:"supplement,omitempty"` // X1
	Date        string `json:"date,omitempty"`       // DA and TI as they came: YYMMDD, HHMMSS
	Time        string `json:"time,omitempty"`
}

// An ArticleCount is MA with its M#.
type ArticleCount struct {
	Number string `json:"number"`
	Count  int64  `json:"count"`
}

// A Posting is a line of the hotel's ledger.
type Posting struct {
	N            int64     `json:"n"`           // from 1, in the order of booking
	Transaction  int64     `json:"transaction"` // the hotel's own number, which the answer's text names
	At           time.Time `json:"at"`
	BusinessDate string    `json:"business_date"` // 2026-08-21; not the date of the till
	Kind         Kind      `json:"kind"`
	Link         string    `json:"link,omitempty"`
	Repeat       bool      `json:"repeat,omitempty"` // a posting of this number was booked before on this link
	Guest        string    `json:"guest,omitempty"`  // who pays, as the hotel knows them
	Charge
}

// Status is an answer status, AS (fias.md 6.7).
type Status string

// The statuses of postings.
const (
	StatusOK Status = "OK" // done
	StatusNG Status = "NG" // guest or account not found
	StatusNP Status = "NP" // no-post
	StatusCO Status = "CO" // over the credit limit
	StatusDM Status = "DM" // parts do not make the total
	StatusIA Status = "IA" // invalid account
	StatusFX Status = "FX" // not allowed for this guest
	StatusNA Status = "NA" // night audit
	StatusRY Status = "RY" // retry
	StatusUR Status = "UR" // cannot be processed
	StatusDN Status = "DN" // denied
)

// statuses are all that are defined, those of other records than postings too.
var statuses = []Status{
	StatusOK, StatusNG, StatusNP, StatusCO, StatusDM, StatusIA, StatusFX, StatusNA, StatusRY, StatusUR, StatusDN,
	"AA", "AN", "BM", "CD", "NF", "BY", "NR", "DE", "NM", "RF", "SV",
}

func statusList() string {
	var all []string
	for _, s := range statuses {
		all = append(all, string(s))
	}
	return strings.Join(all, ", ")
}

// statusTexts are what CT says with a status where nothing better is known.
var statusTexts = map[Status]string{
	StatusNG: "GUEST NOT FOUND", StatusNP: "NO POST", StatusCO: "OVER CREDIT LIMIT", StatusDM: "TOTALS DO NOT MATCH", StatusIA: "INVALID ACCOUNT",
	StatusFX: "NOT ALLOWED FOR THIS GUEST", StatusNA: "NIGHT AUDIT RUNNING", StatusRY: "PLEASE RETRY", StatusUR: "CANNOT BE PROCESSED", StatusDN: "DENIED",
}

// A Decision is what the hotel answers to a charge.
type Decision struct {
	Status  Status
	Text    string
	Guest   Match    // who was found, as far as anybody was
	Posting *Posting // nil: nothing was booked
}

func refusal(s Status, text string) Decision {
	if text == "" {
		text = statusTexts[s]
	}
	return Decision{Status: s, Text: text}
}

// DefaultKeep is how many postings and exchanges are kept for readers.
const DefaultKeep = 100_000

// Post books c, or says why not. Nothing is booked that is not answered OK here, and there is no recognition of a charge
// that came before: FIAS defines none (fias.md 6.3).
func (h *Hotel) Post(c Charge, link string, repeat bool, now time.Time) Decision {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.audit {
		return refusal(StatusNA, "")
	}
	if d, bad := h.price(&c); bad {
		return d
	}
	if len(h.f.Outlets) > 0 && c.Outlet != "" && !slices.Contains(h.f.Outlets, c.Outlet) {
		return refusal(StatusUR, "UNKNOWN OUTLET "+c.Outlet)
	}
	if c.Total < 0 && h.f.NoNegative {
		return refusal(StatusUR, "NEGATIVE TOTAL")
	}
	p := Posting{Link: link, Repeat: repeat, At: now, BusinessDate: h.business.Format(time.DateOnly), Charge: c}
	balance, d := h.payer(&p)
	if d.Status != StatusOK {
		return d
	}
	if c.Total == 0 && h.f.SkipZero {
		h.total.NotFolio++
		d.Text = "ZERO VALUE"
		return d
	}
	if balance != nil {
		*balance += c.Total
	}
	p.Transaction = h.next
	h.next++
	p.N = int64(h.dropped + len(h.booked) + 1)
	h.booked = append(h.booked, p)
	if h.keep > 0 && len(h.booked) >= 2*h.keep {
		n := len(h.booked) - h.keep
		h.booked = append(h.booked[:0:0], h.booked[n:]...)
		h.dropped += n
	}
	h.total.Postings++
	h.total.Amount += c.Total
	switch p.Kind {
	case OnAccount:
		h.total.Accounts++
	case OnMethod:
		h.total.Methods++
	default:
		h.total.Rooms++
	}
	d.Text = fmt.Sprintf("Posting successful. Interface transaction number/s - %d", p.Transaction)
	d.Posting = &p
	return d
}

// price finds c's total and whether its parts make it (fias.md 6.5, 6.6).
func (h *Hotel) price(c *Charge) (Decision, bool) {
	if c.Type == "" {
		switch {
		case len(c.Articles) > 0 && !c.HasTotal:
			c.Type = "M"
		case (c.Pulses > 0 || c.Duration > 0) && !c.HasTotal:
			c.Type = "T"
		default:
			c.Type = "C"
		}
	}
	switch c.Type {
	case "M":
		return h.priceArticles(c)
	case "T":
		if c.Record != "PS" {
			return refusal(StatusUR, "PTT IS FOR PS"), true
		}
		switch {
		case c.Pulses > 0:
			c.Total = Amount(c.Pulses) * h.f.PulsePrice
		case c.Duration > 0:
			c.Total = Amount((c.Duration+time.Minute-1)/time.Minute) * h.f.CallPrice
		default:
			return refusal(StatusUR, "NO MP OR DU"), true
		}
		return Decision{}, false
	case "C", "D": // D is met at one maker's
	default:
		return refusal(StatusUR, "PT "+c.Type), true
	}
	if !c.HasTotal {
		return refusal(StatusUR, "NO TOTAL"), true
	}
	for _, d := range c.Discounts {
		if d > 0 && c.Total >= 0 {
			return refusal(StatusDM, "POSITIVE DISCOUNT"), true
		}
	}
	sum, parts := c.Tip+c.Rounding, c.Tip != 0 || c.Rounding != 0
	for _, part := range [][]Amount{c.Subtotals, c.Discounts, c.Taxes, c.Services} {
		for _, a := range part {
			sum += a
			parts = parts || a != 0
		}
	}
	if parts && sum != c.Total {
		return refusal(StatusDM, fmt.Sprintf("PARTS %d TOTAL %d", sum, c.Total)), true
	}
	return Decision{}, false
}

func (h *Hotel) priceArticles(c *Charge) (Decision, bool) {
	if len(c.Articles) == 0 {
		return refusal(StatusUR, "NO ARTICLE"), true
	}
	c.Total = 0
	for _, a := range c.Articles {
		if a.Count <= 0 {
			return refusal(StatusUR, "ARTICLE COUNT"), true
		}
		i := slices.IndexFunc(h.f.Articles, func(b Article) bool { return b.Number == a.Number })
		if i < 0 {
			return refusal(StatusUR, "UNKNOWN ARTICLE "+a.Number), true
		}
		c.Total += Amount(a.Count) * h.f.Articles[i].Price
	}
	return Decision{}, false
}

// payer finds whose folio p goes to, and refuses what that one may not be charged. The balance is nil where there is no
// folio.
func (h *Hotel) payer(p *Posting) (balance *Amount, d Decision) {
	if p.Method != "" && !slices.Contains(h.f.RoomMethods, p.Method) {
		if p.Room != "" && p.Reservation != "" {
			return nil, refusal(StatusUR, "PAYMENT METHOD "+p.Method+" HAS NO ROOM")
		}
		if len(h.f.OtherMethods) > 0 && !slices.Contains(h.f.OtherMethods, p.Method) {
			return nil, refusal(StatusUR, "PAYMENT METHOD "+p.Method)
		}
		p.Kind = OnMethod
		return nil, Decision{Status: StatusOK}
	}
	if p.Reservation == AccountReservation {
		a := h.accounts[p.Room]
		if a == nil {
			return nil, refusal(StatusIA, "")
		}
		p.Kind, p.Guest = OnAccount, a.Name
		d = h.allow(*p, a.NoPost, a.Answer, a.CreditLimit, a.Balance)
		d.Guest = h.account(a)
		return &a.Balance, d
	}
	g, d := h.guestOf(p)
	if g == nil {
		return nil, d
	}
	m := h.match(g)
	p.Kind, p.Guest = m.Kind, m.FullName
	p.Room, p.Reservation = g.Room, g.Reservation
	d = h.allow(*p, g.NoPost, g.Answer, g.CreditLimit, g.Balance)
	d.Guest = m
	return &g.Balance, d
}

func (h *Hotel) guestOf(p *Posting) (*Guest, Decision) {
	r := h.rooms[p.Room]
	if p.Record == "PS" && p.Reservation == "" {
		if r == nil || len(r.guests) == 0 {
			return nil, refusal(StatusNG, "INVALID ROOM")
		}
		return r.guests[0], Decision{}
	}
	if p.Reservation == "" {
		return nil, refusal(StatusUR, "NO RESERVATION NUMBER")
	}
	g := h.guests[p.Reservation]
	switch {
	case g == nil:
		return nil, refusal(StatusNG, "")
	case g.Room != p.Room:
		return nil, refusal(StatusIA, "GUEST IS NOT IN ROOM "+p.Room)
	}
	return g, Decision{}
}

// allow says whether a folio takes p.
func (h *Hotel) allow(p Posting, noPost bool, answer string, limit, balance Amount) Decision {
	switch {
	case noPost:
		return refusal(StatusNP, "")
	case answer != "" && Status(answer) != StatusOK:
		return refusal(Status(answer), "")
	case limit > 0 && p.Total > 0 && balance+p.Total > limit && (!p.Override || h.f.NoOverride):
		return refusal(StatusCO, "")
	}
	return Decision{Status: StatusOK}
}

// Ledger is every posting kept, oldest first, after number n.
func (h *Hotel) Ledger(n int64) []Posting {
	h.mu.Lock()
	defer h.mu.Unlock()
	from := max(0, min(int64(len(h.booked)), n-int64(h.dropped)))
	return slices.Clone(h.booked[from:])
}

// Folio is every posting kept of a reservation, or of an account's number.
func (h *Hotel) Folio(reservation string) []Posting {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Posting
	for _, p := range h.booked {
		if p.Reservation == reservation || p.Kind == OnAccount && p.Room == reservation {
			all = append(all, p)
		}
	}
	return all
}

// Totals are sums over everything ever booked.
func (h *Hotel) Totals() Totals {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.total
}

// Bill is what is owed on a reservation with the postings behind it; for display.
func (h *Hotel) Bill(room, reservation string) (balance Amount, lines []Posting, ok bool) {
	lines = h.Folio(reservation)
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.guests[reservation]
	if g == nil || g.Room != room {
		return 0, nil, false
	}
	return g.Balance, lines, true
}

// CheckOutPaid is a guest's own check-out on a screen: the balance shown to them has to be the one owed, and they leave
// on the day they meant to (fias.md 6.7: BM, CD).
func (h *Hotel) CheckOutPaid(room, reservation string, balance Amount) (Status, Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.guests[reservation]
	switch {
	case g == nil || g.Room != room:
		return StatusNG, Change{}
	case g.Departure > h.business.Format(time.DateOnly):
		return "CD", Change{}
	case g.Balance != balance:
		return "BM", Change{}
	}
	return StatusOK, h.checkOut(g)
}
