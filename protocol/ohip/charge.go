package ohip

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/rest"
)

// A Posting is one charge to a reservation: what one payer pays of one check.
type Posting struct {
	Reservation string
	Check       string
	Reference   string // ours, unique for ever; Folio finds the posting by it
	Remark      string // what the guest reads
	Outlet      string // chooses Config.Codes
	Currency    string // ISO 4217; "" means Config.Currency
	Total       int64  // minor units; equals the sum of Parts
	Parts       []Part
	Covers      int
	Window      int    // folio window; 0 means Config.Window
	Request     string // x-request-id; "" means Reference
}

// A Part is one amount of a Posting. Zero parts are left out on the wire.
type Part struct {
	Kind   PartKind
	N      int   // 1-16 of Subtotal, Discount and Tax
	Amount int64 // minor units; discounts are negative
}

// PartKind is what a Part is of.
type PartKind uint8

const (
	Subtotal PartKind = iota
	Discount
	Tax
	ServiceCharge
	Tip
)

func (k PartKind) String() string {
	return [...]string{"subtotal", "discount", "tax", "service charge", "tip"}[min(k, Tip)]
}

// An Outcome is OPERA's answer to a posting.
type Outcome struct {
	AS     string // answer status as in FIAS: OK, or why not (docs/spec/fias.md 6.7)
	Text   string // OPERA's words, one line
	Code   string // OPERA's error code
	Number string // OPERA's transaction number, where it tells one
	At     time.Time
}

// Booked reports whether the charge is on the folio.
func (o Outcome) Booked() bool { return o.AS == "OK" }

// Post charges p. See the package's description for its three ends.
func (c *Client) Post(ctx context.Context, p Posting) (Outcome, error) {
	return c.charge(ctx, "post charge", p, false)
}

// Void takes the posting p back: the same parts and amounts as posted, under a Reference of its own.
func (c *Client) Void(ctx context.Context, p Posting) (Outcome, error) {
	return c.charge(ctx, "void charge", p, true)
}

func (c *Client) charge(ctx context.Context, op string, p Posting, void bool) (Outcome, error) {
	template := c.c.Paths.Charges
	if c.c.ByCheck {
		template = c.c.Paths.CheckCharges
	}
	path := c.path(template, p.Reservation, p.Check)
	charges, err := c.charges(p, void)
	switch {
	case err != nil:
	case p.Reservation == "":
		err = errors.New("no reservation given; a room alone cannot be charged")
	case c.c.ByCheck && p.Check == "":
		err = errors.New("no check given")
	}
	if err != nil {
		return Outcome{}, unsent(op, path, err)
	}
	criteria := c.criteria(charges)
	if c.c.ReservationInBody {
		criteria.ReservationID = &ID{ID: p.Reservation, Type: "Reservation"}
	}
	return c.post(ctx, rest.Call{Op: op, Method: http.MethodPost, Path: path, In: ChargesRequest{criteria}, Key: request(p)})
}

// VoidCheck takes back everything that is posted under a check's number.
func (c *Client) VoidCheck(ctx context.Context, check, request string) (Outcome, error) {
	path := c.path(c.c.Paths.VoidCheck, "", check)
	if check == "" {
		return Outcome{}, unsent("void check", path, errors.New("no check given"))
	}
	return c.post(ctx, rest.Call{Op: "void check", Method: http.MethodDelete, Path: path, Key: request})
}

// PasserBy books a sale that no room pays: p without a reservation, settled by OPERA's payment method.
func (c *Client) PasserBy(ctx context.Context, p Posting, method string) (Outcome, error) {
	path := c.path(c.c.Paths.PasserBy, "", "")
	charges, err := c.charges(p, false)
	if err == nil && method == "" {
		err = errors.New("no payment method given")
	}
	if err != nil {
		return Outcome{}, unsent("post sale", path, err)
	}
	criteria := c.criteria(charges)
	criteria.Payments = []Payment{{
		PaymentMethod:    PaymentMethod{method},
		PostingAmount:    c.amount(p.Total, p.Currency),
		PostingReference: p.Reference,
		PostingRemark:    cut(p.Remark),
		CashierID:        c.cashier,
	}}
	return c.post(ctx, rest.Call{Op: "post sale", Method: http.MethodPost, Path: path, In: ChargesRequest{criteria}, Key: request(p)})
}

func unsent(op, path string, err error) error {
	return &rest.Error{Op: op, Method: http.MethodPost, Path: path, Fate: rest.NotSent, Err: err}
}

func request(p Posting) string {
	if p.Request != "" {
		return p.Request
	}
	return p.Reference
}

func (c *Client) criteria(charges []Charge) Criteria {
	return Criteria{HotelID: c.c.Hotel, Charges: charges, IncomeAuditDate: c.c.IncomeAuditDate, PostIt: c.c.PostIt, CashierID: c.cashier}
}

func (c *Client) amount(minor int64, currency string) Money {
	if currency == "" {
		currency = c.c.Currency
	}
	return Money{FormatMinor(minor, c.decimals(currency)), currency}
}

// MaxCheck is the longest number of a check, in characters.
const MaxCheck = 40

// MaxParts bounds the parts of a posting: 16 each of subtotals, discounts and taxes, service charge and tip.
const MaxParts = 50

// charges writes p as OPERA's charges.
func (c *Client) charges(p Posting, void bool) ([]Charge, error) {
	switch {
	case p.Reference == "":
		return nil, errors.New("a posting without a reference could not be found again")
	case utf8.RuneCountInString(p.Reference) > MaxText || !header(request(p)):
		return nil, errors.New("the reference is too long or has characters that a header cannot hold")
	case utf8.RuneCountInString(p.Check) > MaxCheck:
		return nil, fmt.Errorf("check number of more than %d characters", MaxCheck)
	case len(p.Parts) > MaxParts:
		return nil, fmt.Errorf("%d parts; OPERA takes %d", len(p.Parts), MaxParts)
	case p.Currency == "" && c.c.Currency == "":
		return nil, errors.New("no currency given")
	case p.Covers < 0 || p.Window < 0:
		return nil, errors.New("covers and folio window are not negative")
	}
	var sum int64
	for _, part := range p.Parts {
		next := sum + part.Amount
		if (next > sum) != (part.Amount > 0) && part.Amount != 0 {
			return nil, errors.New("the parts are too large")
		}
		sum = next
	}
	if sum != p.Total {
		return nil, fmt.Errorf("the parts come to %d, the total is %d", sum, p.Total)
	}
	codes, ok := c.c.Codes[p.Outlet]
	if !ok {
		codes = c.c.Codes[""]
	}
	charge := func(code string, amount int64) Charge {
		h := c.c.Charge
		h.TransactionCode = code
		h.PostingQuantity = 1
		switch {
		case void && c.c.VoidBy == VoidByQuantity:
			h.PostingQuantity = -1
		case void:
			amount = -amount
		}
		h.Price = c.amount(amount, p.Currency)
		h.PostingReference, h.PostingRemark = p.Reference, cut(p.Remark)
		h.CheckNumber, h.Covers = p.Check, p.Covers
		if h.FolioWindowNo = p.Window; p.Window == 0 {
			h.FolioWindowNo = c.c.Window
		}
		if c.c.CashierOnCharge {
			h.CashierID = c.cashier
		}
		return h
	}
	if codes.Total != "" && p.Total != 0 {
		return []Charge{charge(codes.Total, p.Total)}, nil
	}
	var all []Charge
	for _, part := range p.Parts {
		if part.Amount == 0 {
			continue
		}
		code := codes.of(part)
		if code == "" {
			outlet := p.Outlet
			if outlet == "" {
				outlet = "the only one"
			}
			return nil, fmt.Errorf("no transaction code for %s of outlet %s; add it to the hotel's codes", part, outlet)
		}
		all = append(all, charge(code, part.Amount))
	}
	if len(all) == 0 {
		return nil, errors.New("nothing to post: every part is zero")
	}
	return all, nil
}

func (p Part) String() string {
	if p.Kind >= ServiceCharge {
		return p.Kind.String()
	}
	return p.Kind.String() + " " + strconv.Itoa(p.N)
}

func (c *Codes) of(p Part) string {
	switch p.Kind {
	case Subtotal:
		return c.Subtotals[p.N]
	case Discount:
		if code := c.Discounts[p.N]; code != "" {
			return code
		}
		return c.Subtotals[p.N]
	case Tax:
		return c.Taxes[p.N]
	case ServiceCharge:
		return c.ServiceCharge
	case Tip:
		return c.Tip
	}
	return ""
}

// cut shortens a remark to MaxText characters.
func cut(s string) string {
	if utf8.RuneCountInString(s) > MaxText {
		return string([]rune(s)[:MaxText])
	}
	return s
}

// header reports whether s may stand in a header.
func header(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// post makes a call that books. It is never repeated where OPERA may have acted.
func (c *Client) post(ctx context.Context, call rest.Call) (Outcome, error) {
	var body []byte
	call.Out, call.Timeout = &body, c.c.AnswerTimeout
	answer, err := c.http.Do(ctx, call)
	if err == nil && answer.Status == http.StatusAccepted {
		return Outcome{}, &rest.Error{Op: call.Op, Method: call.Method, Path: call.Path, Fate: rest.Uncertain, Status: answer.Status, Err: errors.New("OPERA will book later")}
	}
	if err == nil {
		text, number := receipt(body)
		return Outcome{AS: "OK", Text: c.http.Redact(text), Number: number, At: c.now()}, nil
	}
	var e *rest.Error
	if !errors.As(err, &e) || e.Fate == rest.NotSent || e.Status == 0 {
		return Outcome{}, err
	}
	if e.Fate == rest.Accepted && e.Status != http.StatusAccepted {
		return Outcome{AS: "OK", Text: "booked; the rest of the answer was lost", At: c.now()}, nil
	}
	if o, certain := c.refusal(e); certain {
		o.At = c.now()
		return o, nil
	}
	e.Fate = rest.Uncertain
	return Outcome{}, c.inquiry(e)
}

// receipt is what OPERA says after booking: warnings, and a transaction number where it has one.
func receipt(body []byte) (text, number string) {
	var answer struct {
		Warnings []struct {
			Text string `json:"shortText"`
			Code string `json:"code"`
		} `json:"warnings"`
		Postings []jsontext.Value `json:"postings"`
	}
	if json.Unmarshal(body, &answer, lenient) != nil {
		return "", ""
	}
	for _, w := range answer.Warnings {
		if text != "" {
			text += "; "
		}
		text += w.Text
	}
	if len(answer.Postings) > 0 {
		number = word(answer.Postings[0], []string{"transactionNo"})
	}
	return clean(text), number
}
