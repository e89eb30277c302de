package lightspeed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Order is one to send. Amounts are minor units.
type Order struct {
	Reference  string // ours, 1 to 48 characters, chosen before the first attempt
	ToGo       bool   // otherwise at Table
	Table      int
	Covers     int
	Account    string // adds to this check, whose table and covers stay
	First      string // guest; required by Lightspeed: "Guest" when there is none
	Last       string
	Phone      string
	Email      string
	Address    string // of a delivery
	Profile    string // accountProfileCode
	Staff      string
	Note       string // printed; begins with the partner and its id
	Collection string // code, up to 8
	CollectAt  time.Time
	Method     string // of the payment; "": none
	Paid       int64  // with the tip
	Tip        int64
	Lines      []Line
}

// A Line is an item, or an open item when it has no SKU.
type Line struct {
	SKU       string
	Name      string // of an open item, or with Custom
	Price     int64  // of an open item, each, or with Custom
	Custom    bool   // price, and a name if there is one, stand in place of the till's, where it permits that
	Quantity  int
	Course    int
	Modifiers []string // ids of production instructions
	Items     []Line   // product modifiers and parts of a combo
	Discount  int64    // off the line, by a manual discount of the till
	Code      string   // of that discount
}

// wireOrder is the body.
type wireOrder struct {
	Location   string       `json:"businessLocationId"`
	Reference  string       `json:"thirdPartyReference"`
	Endpoint   string       `json:"endpointId"`
	Customer   wireCustomer `json:"customerInfo"`
	Table      *int         `json:"tableNumber,omitzero"`
	Covers     int          `json:"clientCount,omitzero"`
	Account    string       `json:"accountIdentifier,omitzero"`
	Profile    string       `json:"accountProfileCode,omitzero"`
	Staff      string       `json:"staffId,omitzero"`
	Note       string       `json:"orderNote,omitzero"`
	Delivery   int64        `json:"maxTimeToAttemptOrderDeliverToPos"`
	CollectAt  string       `json:"orderCollectionTimeAsIso8601,omitzero"`
	Collection string       `json:"collectionCode,omitzero"`
	Address    *wireAddress `json:"deliveryAddress,omitzero"`
	Payment    *wirePayment `json:"payment,omitzero"`
	Items      []wireLine   `json:"items"`
}

type wireCustomer struct {
	First string `json:"firstName"`
	Last  string `json:"lastName,omitzero"`
	Phone string `json:"contactNumberAsE164,omitzero"`
	Email string `json:"email,omitzero"`
}

type wireAddress struct {
	Line string `json:"addressLine1"`
}

type wirePayment struct {
	Method string         `json:"paymentMethod"`
	Amount jsontext.Value `json:"paymentAmount"`
	Tip    jsontext.Value `json:"tipAmount,omitzero"`
}

type wireLine struct {
	Quantity  int            `json:"quantity"`
	SKU       string         `json:"sku,omitzero"`
	Name      string         `json:"customItemName,omitzero"`
	Price     jsontext.Value `json:"customItemPrice,omitzero"`
	Course    int            `json:"course,omitzero"`
	Modifiers []wireModifier `json:"modifiers,omitzero"`
	Items     []wireLine     `json:"subItems,omitzero"`
	Code      string         `json:"discountCode,omitzero"`
	Discount  jsontext.Value `json:"discountAmountOverride,omitzero"`
}

type wireModifier struct {
	ID string `json:"modifierId"`
}

// Check tells what Lightspeed would refuse, before anything is sent.
func (o *Order) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if n := utf8.RuneCountInString(o.Reference); n < 1 || n > MaxReference {
		fault("reference has %d characters; 1 to %d", n, MaxReference)
	}
	if o.First == "" {
		fault("the guest has no first name")
	}
	if len(o.Collection) > MaxCollection {
		fault("collection code %q has more than %d characters", o.Collection, MaxCollection)
	}
	if !o.ToGo && o.Table <= 0 && o.Account == "" {
		fault("a table order has no table")
	}
	var lines func(l []Line, depth int)
	lines = func(all []Line, depth int) {
		for _, l := range all {
			if l.Quantity < 1 {
				fault("line %q has quantity %d", l.Name+l.SKU, l.Quantity)
			}
			if l.SKU == "" && l.Name == "" {
				fault("a line has neither a sku nor a name")
			}
			if len(l.SKU) > MaxSKU {
				fault("sku %q has more than the %d characters that an order's line takes", l.SKU, MaxSKU)
			}
			if depth > 5 {
				fault("sub-items go deeper than 5 levels")
				return
			}
			lines(l.Items, depth+1)
		}
	}
	lines(o.Lines, 1)
	return errors.Join(faults...)
}

// Send sends an order. nil means that Lightspeed will bring it to the till, and that a notification tells whether it came.
// ErrDuplicate: an order of this reference is there. Any other error wraps a *rest.Error, whose fate counts.
func (c *Client) Send(ctx context.Context, o Order) error {
	if err := o.Check(); err != nil {
		return &rest.Error{Op: "send order", Method: http.MethodPost, Path: c.path("local"), Fate: rest.NotSent, Err: err}
	}
	b := wireOrder{
		Location: c.c.Location, Reference: o.Reference, Endpoint: c.c.Endpoint, Customer: wireCustomer{o.First, o.Last, o.Phone, o.Email}, Profile: o.Profile, Staff: o.Staff, Note: o.Note,
		Delivery: c.c.Delivery.Milliseconds(), Collection: o.Collection, Items: c.lines(o.Lines),
	}
	op := "local"
	if o.ToGo {
		op = "togo"
		if o.Address != "" {
			b.Address = &wireAddress{o.Address}
		}
	} else if b.Account = o.Account; o.Account == "" {
		b.Table, b.Covers = &o.Table, o.Covers
	}
	if !o.CollectAt.IsZero() {
		b.CollectAt = o.CollectAt.UTC().Format(time.RFC3339)
	}
	if o.Method != "" {
		b.Payment = &wirePayment{Method: o.Method, Amount: wire.Number(o.Paid, c.decimals)}
		if o.Tip != 0 {
			b.Payment.Tip = wire.Number(o.Tip, c.decimals)
		}
	}
	return duplicate(c.do(ctx, rest.Call{Op: "send order", Method: http.MethodPost, Path: c.path(op), In: b, Once: true}))
}

func (c *Client) lines(lines []Line) []wireLine {
	out := make([]wireLine, 0, len(lines))
	for _, l := range lines {
		w := wireLine{Quantity: l.Quantity, SKU: l.SKU, Course: l.Course}
		if l.SKU == "" || l.Custom {
			w.Name, w.Price = l.Name, wire.Number(l.Price, c.decimals)
		}
		if l.Code != "" && l.Discount > 0 {
			w.Code, w.Discount = l.Code, wire.Number(l.Discount, c.decimals)
		}
		for _, m := range l.Modifiers {
			w.Modifiers = append(w.Modifiers, wireModifier{m})
		}
		if len(l.Items) > 0 {
			w.Items = c.lines(l.Items)
		}
		out = append(out, w)
	}
	return out
}

func duplicate(err error) error {
	var e *rest.Error
	if errors.As(err, &e) && (e.Status == http.StatusConflict || e.Status == http.StatusBadRequest && bytes.Contains(e.Body, []byte("already been used"))) {
		return fmt.Errorf("%w: %w", ErrDuplicate, err)
	}
	return err
}

// Payment is one to record on a check.
type Payment struct {
	Reference string // ours, 1 to 50 characters
	Account   string
	Method    string
	Amount    int64 // without the tip
	Tip       int64
}

// Pay records a payment. nil means that it will be brought to the till; a notification tells whether it was taken.
func (c *Client) Pay(ctx context.Context, p Payment) error {
	if n := utf8.RuneCountInString(p.Reference); n < 1 || n > MaxPaymentReference || p.Amount <= 0 {
		return &rest.Error{Op: "pay", Method: http.MethodPost, Path: c.path("pay"), Fate: rest.NotSent, Err: fmt.Errorf("a payment has a reference of 1 to %d characters and an amount above zero", MaxPaymentReference)}
	}
	body := struct {
		Location  string         `json:"businessLocationId"`
		Reference string         `json:"thirdPartyPaymentReference"`
		Endpoint  string         `json:"endpointId"`
		Account   string         `json:"iKaccountIdentifier"`
		Method    string         `json:"paymentMethod"`
		Amount    jsontext.Value `json:"paymentAmount"`
		Tip       jsontext.Value `json:"tipAmount,omitzero"`
		TTL       int64          `json:"taskTtlInMs"`
	}{c.c.Location, p.Reference, c.c.Endpoint, p.Account, p.Method, wire.Number(p.Amount, c.decimals), nil, c.c.Delivery.Milliseconds()}
	if p.Tip != 0 {
		body.Tip = wire.Number(p.Tip, c.decimals)
	}
	return duplicate(c.do(ctx, rest.Call{Op: "pay", Method: http.MethodPost, Path: c.path("pay"), In: body, Once: true}))
}

// AtTable gives the check at a table, the oldest when there are several.
func (c *Client) AtTable(ctx context.Context, table int) (booking.Check, error) {
	return c.account(ctx, "read table", c.path("table", "{table}", string(wire.Number(int64(table), 0))))
}

// Account gives a check by its identifier.
func (c *Client) Account(ctx context.Context, account string) (booking.Check, error) {
	return c.account(ctx, "read check", c.path("account", "{account}", account))
}

// ByReference gives the check that an order of ours made. ErrNotFound is certain only after the order's time for delivery.
func (c *Client) ByReference(ctx context.Context, reference string) (booking.Check, error) {
	return c.account(ctx, "find order", c.path("reference", "{reference}", reference))
}

func (c *Client) account(ctx context.Context, op, path string) (booking.Check, error) {
	var a Account
	err := c.do(ctx, rest.Call{Op: op, Path: path, Query: c.location(), Out: &a})
	var e *rest.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		return booking.Check{}, fmt.Errorf("%w: %w", ErrNotFound, err)
	case err != nil:
		return booking.Check{}, err
	case a.ID() == "":
		return booking.Check{}, ErrNotFound
	}
	return a.Check(c.c.Currency)
}
