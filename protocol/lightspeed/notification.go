package lightspeed

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// States of an order in a notification.
const (
	Success      = "SUCCESS"
	Failure      = "FAILURE"
	InDelivery   = "IN_DELIVERY"
	ReadyPickup  = "READY_FOR_PICKUP"
	Closed       = "CLOSED"
	Abandoned    = "ABANDONED"
	Cancelled    = "CANCELLED"
	CheckUpdated = "CHECK_WAS_UPDATED"
)

// States of an item in a notification.
const (
	Restricted    = "RESTRICTED" // sold out, or as many left as Count says
	NotRestricted = "NOT_RESTRICTED"
)

// Kinds of notifications.
const (
	TypeOrder   = "ORDER"
	TypePayment = "PAYMENT"
	TypeItem    = "ITEM"
	TypeReady   = "ORDER_API"
)

// Notification is what a till tells.
type Notification struct {
	Type             string         `json:"type"`
	Status           string         `json:"status"`
	Reason           string         `json:"reason,omitzero"`
	Reference        string         `json:"thirdPartyReference,omitzero"`
	PaymentReference string         `json:"thirdPartyPaymentReference,omitzero"`
	Location         wire.Text      `json:"businessLocationId,omitzero"`
	AccountID        string         `json:"ikentooAccountIdentifier,omitzero"`
	OldAccountID     wire.Text      `json:"ikentooAccountId,omitzero"`
	Account          *Account       `json:"account,omitzero"`
	ErrorCode        string         `json:"errorCode,omitzero"` // of a payment: OVERPAID, ACCOUNT_ALREADY_CLOSED …
	SKU              string         `json:"sku,omitzero"`
	Count            jsontext.Value `json:"count,omitzero"`
}

// Account is a check as a till tells it.
type Account struct {
	Identifier     wire.Text      `json:"accountIdentifier,omitzero"`
	UUID           wire.Text      `json:"uuid,omitzero"`
	Name           string         `json:"name,omitzero"`
	ClientCount    int            `json:"clientCount,omitzero"`
	TableNumber    wire.Text      `json:"tableNumber,omitzero"`
	StaffName      string         `json:"staffName,omitzero"`
	OpenDate       jsontext.Value `json:"openDate,omitzero"`
	CloseDate      jsontext.Value `json:"closeDate,omitzero"`
	CurrentAmount  jsontext.Value `json:"currentAmount,omitzero"`
	PaidAmount     jsontext.Value `json:"paidAmount,omitzero"`
	ServiceCharge  jsontext.Value `json:"serviceCharge,omitzero"`
	SalesEntries   []Sale         `json:"salesEntries,omitzero"`
	PaymentEntries []Paid         `json:"paymentEntries,omitzero"`
}

// A Sale is a line of a check. Some of its names are seen in one version of the interface and some in another.
type Sale struct {
	SKU        string         `json:"sku,omitzero"`
	ItemSKU    string         `json:"itemSku,omitzero"`
	Name       string         `json:"itemName,omitzero"`
	Text       string         `json:"itemDescription,omitzero"`
	Quantity   jsontext.Value `json:"quantity,omitzero"`
	Amount     jsontext.Value `json:"amount,omitzero"`
	WithTax    jsontext.Value `json:"amountWithTax,omitzero"`
	Group      string         `json:"accountingGroupName,omitzero"`
	Statistics []Statistic    `json:"statisticGroups,omitzero"`
	Categories []Statistic    `json:"categories,omitzero"`
	Course     int            `json:"course,omitzero"`
}

// Paid is a payment of a check.
type Paid struct {
	Method string         `json:"paymentMethod,omitzero"`
	Code   string         `json:"paymentMethodCode,omitzero"`
	Amount jsontext.Value `json:"amount,omitzero"`
	Tip    jsontext.Value `json:"tipAmount,omitzero"`
}

// Read checks the credentials of a notification and reads it. The error is booking.ErrSignature, booking.ErrVenue or a
// *booking.Malformed.
func (c *Client) Read(m booking.Message, user, password string) (Notification, error) {
	r := http.Request{Header: m.Header}
	gotUser, gotPassword, ok := r.BasicAuth()
	if password == "" || !ok || !same(gotUser, user) || !same(gotPassword, password) {
		return Notification{}, booking.ErrSignature
	}
	var n Notification
	if err := wire.Read(m.Body, &n); err != nil {
		return Notification{}, err
	}
	if n.Location != "" && string(n.Location) != c.c.Location {
		return n, booking.ErrVenue
	}
	var faults wire.Faults
	if n.Status == "" {
		faults.Add("/status", "is missing")
	}
	if n.Reference == "" && n.PaymentReference == "" && n.Account == nil && n.AccountID == "" && n.SKU == "" && n.Status != "READY" && n.Status != "NOT_READY" {
		faults.Add("/thirdPartyReference", "is missing, and so is whatever else could say what this is about")
	}
	if n.Account != nil {
		if _, err := n.Account.Check(c.c.Currency); err != nil {
			faults.Add("/account", "%v", err)
		}
	}
	return n, faults.Err()
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// SoldOut tells whether an item is sold out or back; ok is false for a notification of something else. An item with some left is
// on sale.
func (n *Notification) SoldOut() (out, ok bool) {
	if n.SKU == "" || n.Type != TypeItem {
		return false, false
	}
	count, err := wire.Minor(n.Count, 0)
	limited := len(n.Count) > 0 && n.Count.Kind() != 'n'
	switch n.Status {
	case Restricted:
		return !limited || err == nil && count <= 0, true
	case NotRestricted:
		return false, true
	}
	return false, false
}

// Key is the deduplication key of a notification: Lightspeed's own where it sends one.
func Key(m booking.Message) string { return m.Header.Get("X-Lightspeed-Idempotency-Key") }

// Bounds of a check: beyond them is a slip.
const (
	maxAmount   = 1 << 40 // minor units
	maxQuantity = 100_000 // of a line
)

// ID is the identifier of the check.
func (a *Account) ID() string {
	if a.Identifier != "" {
		return string(a.Identifier)
	}
	return string(a.UUID)
}

// Check is a in our words. The error is a *booking.Malformed.
func (a *Account) Check(currency string) (booking.Check, error) {
	var faults wire.Faults
	c := booking.Check{ID: a.ID(), Open: len(a.CloseDate) == 0 || a.CloseDate.Kind() == 'n', Covers: a.ClientCount, Staff: a.StaffName, Currency: currency, Decimals: wire.Decimals(currency)}
	if a.TableNumber != "" {
		c.Tables = []string{string(a.TableNumber)}
	}
	if a.ClientCount < 0 || a.ClientCount > wire.MaxParty {
		faults.Add("/clientCount", "is %d; a check has 0 to %d guests", a.ClientCount, wire.MaxParty)
	}
	minor := func(at string, v jsontext.Value) int64 {
		n, err := wire.Minor(v, c.Decimals)
		if err == nil && (n > maxAmount || n < -maxAmount) {
			err = fmt.Errorf("%s is no amount of a check", v)
		}
		if err != nil {
			faults.Add("/"+at, "%v", err)
		}
		return n
	}
	moment := func(at string, v jsontext.Value) time.Time {
		t, err := wire.ParseInstant(v, nil)
		if err != nil {
			faults.Add("/"+at, "%v", err)
		}
		return t
	}
	c.OpenedAt, c.ClosedAt = moment("openDate", a.OpenDate), moment("closeDate", a.CloseDate)
	c.Total, c.Paid, c.Service = minor("currentAmount", a.CurrentAmount), minor("paidAmount", a.PaidAmount), minor("serviceCharge", a.ServiceCharge)
	for _, s := range a.SalesEntries {
		l := booking.Line{SKU: s.SKU + s.ItemSKU, Name: s.Name, Group: s.Group}
		if s.SKU != "" {
			l.SKU = s.SKU
		}
		if l.Name == "" {
			l.Name = s.Text
		}
		for _, g := range slices.Concat(s.Statistics, s.Categories) {
			l.Groups = append(l.Groups, g.Value)
		}
		if len(l.Groups) > 0 {
			l.Group = l.Groups[0]
		}
		n, err := wire.Minor(s.Quantity, 3) // scales sell by thousandths
		if err == nil && (n > 1000*maxQuantity || n < -1000*maxQuantity) {
			err = fmt.Errorf("%s is no number of dishes", s.Quantity)
		}
		if err != nil {
			faults.Add("/salesEntries/quantity", "%v", err)
		}
		if l.Quantity = int(n / 1000); l.Quantity == 0 && n > 0 {
			l.Quantity = 1 // part of a kilogram is one portion
		}
		l.Course = s.Course
		amount := s.WithTax
		if len(amount) == 0 {
			amount = s.Amount
		}
		l.Amount = minor("salesEntries/amount", amount)
		c.Lines = append(c.Lines, l)
	}
	if len(a.CurrentAmount) == 0 {
		for i := range c.Lines {
			c.Total += c.Lines[i].Amount
		}
	}
	for _, p := range a.PaymentEntries {
		method := p.Code
		if method == "" {
			method = p.Method
		}
		c.Payments = append(c.Payments, booking.Payment{Method: method, Amount: minor("paymentEntries/amount", p.Amount), Tip: minor("paymentEntries/tipAmount", p.Tip)})
		if len(a.PaidAmount) == 0 {
			c.Paid += c.Payments[len(c.Payments)-1].Amount
		}
	}
	c.Due = max(c.Total-c.Paid, 0)
	return c, faults.Err()
}
