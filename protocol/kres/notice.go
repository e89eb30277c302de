package kres

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Kinds of notices.
const (
	OrderOpen   = "OPEN"
	OrderUpdate = "UPDATE"
	OrderClose  = "CLOSE"
	OrderCancel = "CANCEL"
	Activated   = "ACTIVATED"
	Deactivated = "DEACTIVATED"
)

// IDs say which reservation a notice is of.
type IDs struct {
	PlatformCode          string    `json:"platformCode"`
	PlatformRestaurantID  string    `json:"platformRestaurantId"`
	PlatformReservationID string    `json:"platformReservationId"`
	BusinessLocationID    wire.Text `json:"businessLocationId,omitzero"` // a number in older pages
}

// Order is the order webhook.
type Order struct {
	NotificationType string `json:"notificationType"`
	IDs              `json:",inline"`
	SequenceID       wire.Text `json:"sequenceId,omitzero"`
	Account          Account   `json:"account"`
}

// Account is a check. Amounts are numbers, moments milliseconds; both are read as texts too.
type Account struct {
	AccountNumber          wire.Text      `json:"accountNumber"`
	ReceiptNumber          wire.Text      `json:"receiptNumber,omitzero"`
	Name                   string         `json:"name,omitzero"`
	OrderMode              string         `json:"orderMode,omitzero"`
	Tables                 []wire.Text    `json:"tables,omitzero"`
	CoverCount             int            `json:"coverCount,omitzero"`
	StaffID                wire.Text      `json:"staffId,omitzero"`
	StaffName              string         `json:"staffName,omitzero"`
	OpenDate               jsontext.Value `json:"openDate,omitzero"`
	UpdateDate             jsontext.Value `json:"updateDate,omitzero"`
	CloseDate              jsontext.Value `json:"closeDate,omitzero"`
	CurrencyCode           string         `json:"currencyCode,omitzero"`
	CurrentProductionPhase int            `json:"currentProductionPhase,omitzero"`
	TotalAmount            jsontext.Value `json:"totalAmount,omitzero"`
	PreTaxAmount           jsontext.Value `json:"preTaxAmount,omitzero"`
	TaxAmount              jsontext.Value `json:"taxAmount,omitzero"`
	PaidAmount             jsontext.Value `json:"paidAmount,omitzero"`
	ServiceCharge          jsontext.Value `json:"serviceCharge,omitzero"`
	GratuityAmount         jsontext.Value `json:"gratuityAmount,omitzero"`
	TotalDiscount          jsontext.Value `json:"totalDiscount,omitzero"`
	AccountProfileCode     string         `json:"accountProfileCode,omitzero"`
	TransactionLines       []Line         `json:"transactionLines,omitzero"`
	PaymentLines           []Payment      `json:"paymentLines,omitzero"`
}

// A Line is something sold.
type Line struct {
	ItemID              wire.Text      `json:"itemId,omitzero"`
	ItemSku             string         `json:"itemSku,omitzero"`
	ItemDescription     string         `json:"itemDescription,omitzero"`
	NameOverride        string         `json:"nameOverride,omitzero"`
	Quantity            jsontext.Value `json:"quantity"`
	AmountWithTax       jsontext.Value `json:"amountWithTax,omitzero"`
	Amount              jsontext.Value `json:"amount,omitzero"`
	Phase               int            `json:"phase,omitzero"`
	AccountingGroupName string         `json:"accountingGroupName,omitzero"`
	Categories          []Category     `json:"categories,omitzero"`
}

// A Category is a statistic group of an item.
type Category struct {
	Category string `json:"category"`
	Value    string `json:"value"`
}

// A Payment is money taken.
type Payment struct {
	Amount                   jsontext.Value `json:"amount"`
	GratuityAmount           jsontext.Value `json:"gratuityAmount,omitzero"`
	PaymentMethod            string         `json:"paymentMethod"`
	PaymentMethodDescription string         `json:"paymentMethodDescription,omitzero"`
}

// Reservation is the webhook of a reservation that staff changed at the till.
type Reservation struct {
	IDs    `json:",inline"`
	Status string   `json:"status,omitzero"`
	Tables []string `json:"tables,omitzero"`
	Covers int      `json:"covers,omitzero"`
}

// Integration is the webhook of a link that was made or ended.
type Integration struct {
	NotificationType     string    `json:"notificationType"`
	PlatformCode         string    `json:"platformCode"`
	PlatformRestaurantID string    `json:"platformRestaurantId"`
	BusinessLocationID   wire.Text `json:"businessLocationId,omitzero"`
}

// FromUpdate is the order webhook for an update that has a check.
func FromUpdate(ids IDs, u *booking.Update) Order {
	c := u.Check
	n := func(minor int64) jsontext.Value { return wire.Number(minor, c.Decimals) }
	ms := func(t time.Time) jsontext.Value {
		if t.IsZero() {
			return nil
		}
		return jsontext.Value(strconv.FormatInt(t.UnixMilli(), 10))
	}
	o := Order{NotificationType: OrderUpdate, IDs: ids, SequenceID: wire.Text(strconv.FormatInt(u.At.UnixMilli(), 10)), Account: Account{
		AccountNumber: wire.Text(c.ID), OrderMode: "TABLE", Tables: wire.FromTexts(c.Tables), CoverCount: c.Covers, StaffName: c.Staff, OpenDate: ms(c.OpenedAt),
		UpdateDate: ms(u.At), CloseDate: ms(c.ClosedAt), CurrencyCode: c.Currency, TotalAmount: n(c.Total), PreTaxAmount: n(c.Net), TaxAmount: n(c.Tax), PaidAmount: n(c.Paid),
		ServiceCharge: n(c.Service), GratuityAmount: n(c.Tip), TotalDiscount: n(c.Discount),
	}}
	if u.Kind == booking.KindClosed {
		o.NotificationType = OrderClose
		if c.ClosedAt.IsZero() {
			o.Account.CloseDate = ms(u.At)
		}
	}
	for _, l := range c.Lines {
		line := Line{ItemSku: l.SKU, ItemDescription: l.Name, Quantity: wire.Number(int64(l.Quantity), 0), AmountWithTax: n(l.Amount)}
		if l.Group != "" {
			line.Categories = []Category{{Category: "course", Value: l.Group}}
		}
		o.Account.TransactionLines = append(o.Account.TransactionLines, line)
	}
	for _, p := range c.Payments {
		o.Account.PaymentLines = append(o.Account.PaymentLines, Payment{Amount: n(p.Amount), GratuityAmount: n(p.Tip), PaymentMethod: p.Method})
	}
	return o
}

// Check is a as a check of ours; a line's group is its first category's value, else its accounting group. The error is a
// *booking.Malformed.
func (a *Account) Check() (booking.Check, error) {
	var faults wire.Faults
	c := booking.Check{ID: string(a.AccountNumber), Open: len(a.CloseDate) == 0 || a.CloseDate.Kind() == 'n', Covers: a.CoverCount, Staff: a.StaffName,
		Tables: wire.Texts(a.Tables), Currency: a.CurrencyCode, Decimals: wire.Decimals(a.CurrencyCode)}
	minor := func(at string, v jsontext.Value) int64 {
		n, err := wire.Minor(v, c.Decimals)
		if err != nil {
			faults.Add("/account/"+at, "%v", err)
		}
		return n
	}
	moment := func(at string, v jsontext.Value) time.Time {
		t, err := wire.ParseInstant(v, nil)
		if err != nil {
			faults.Add("/account/"+at, "%v", err)
		}
		return t
	}
	c.OpenedAt, c.ClosedAt = moment("openDate", a.OpenDate), moment("closeDate", a.CloseDate)
	c.Total, c.Net, c.Tax, c.Paid = minor("totalAmount", a.TotalAmount), minor("preTaxAmount", a.PreTaxAmount), minor("taxAmount", a.TaxAmount), minor("paidAmount", a.PaidAmount)
	c.Service, c.Tip, c.Discount = minor("serviceCharge", a.ServiceCharge), minor("gratuityAmount", a.GratuityAmount), minor("totalDiscount", a.TotalDiscount)
	c.Due = max(c.Total-c.Paid, 0)
	for _, l := range a.TransactionLines {
		line := booking.Line{Name: l.ItemDescription, SKU: l.ItemSku, Group: l.AccountingGroupName}
		if l.NameOverride != "" {
			line.Name = l.NameOverride
		}
		if len(l.Categories) > 0 {
			line.Group = l.Categories[0].Value
		}
		n, err := wire.Minor(l.Quantity, 3) // scales sell by thousandths
		if err != nil {
			faults.Add("/account/transactionLines/quantity", "%v", err)
		}
		line.Quantity = int(n / 1000)
		amount := l.AmountWithTax
		if len(amount) == 0 {
			amount = l.Amount
		}
		line.Amount = minor("transactionLines/amountWithTax", amount)
		c.Lines = append(c.Lines, line)
	}
	for _, p := range a.PaymentLines {
		c.Payments = append(c.Payments, booking.Payment{Method: p.PaymentMethod, Amount: minor("paymentLines/amount", p.Amount), Tip: minor("paymentLines/gratuityAmount", p.GratuityAmount)})
	}
	return c, faults.Err()
}
