// Package sale holds what a guest ordered: the order with its lines, modifiers and payments, as the contract's
// JSON has it. Orders, kitchen tickets, checks and POS injections are made from these values, so they live in a leaf
// that knows none of them.
//
// A value says what was asked for, never what became of it: states belong to the features that keep them.
package sale

import (
	"crypto/sha256"
	"math"
	"time"
)

// Services an order can ask for.
const (
	Delivery = "delivery"
	Pickup   = "pickup"
	DineIn   = "dine_in"
)

// Schedulings of an order.
const (
	ASAP      = "asap"
	FixedTime = "fixed_time"
)

// An Order is one order as its source sent it (contract section 4). Amounts are minor units of Currency.
type Order struct {
	Source        string    `json:"source" doc:"who sends it: an aggregator, a till, a kiosk"`
	SourceOrderID string    `json:"source_order_id" doc:"the sender's own id; with source it names the order for ever"`
	Version       int       `json:"version,omitzero" minimum:"1" doc:"grows with each change; absent means 1"`
	PlacedAt      time.Time `json:"placed_at,omitzero"`
	Service       string    `json:"service,omitzero" enum:"delivery,pickup,dine_in" doc:"absent means dine_in with a table, else pickup"`
	Scheduling    string    `json:"scheduling,omitzero" enum:"asap,fixed_time" doc:"absent means asap; fixed_time needs ready_at"`
	ReadyAt       time.Time `json:"ready_at,omitzero"`
	Partner       Partner   `json:"partner,omitzero"`
	Table         string    `json:"table,omitzero"`
	Covers        int       `json:"covers,omitzero" minimum:"0" maximum:"1000"`
	Staff         string    `json:"staff,omitzero"`
	Customer      Customer  `json:"customer,omitzero"`
	Notes         string    `json:"notes,omitzero"`
	AllergyNote   string    `json:"allergy_note,omitzero"`
	Currency      string    `json:"currency" doc:"ISO 4217 code"`
	Lines         []Line    `json:"lines"`
	Payments      []Payment `json:"payments,omitzero"`
}

// Partner is the marketplace the order came through, with the id its couriers say.
type Partner struct {
	Name    string `json:"name,omitzero"`
	OrderID string `json:"order_id,omitzero"`
}

// Customer is who ordered; both members are optional and personal.
type Customer struct {
	Name  string `json:"name,omitzero"`
	Phone string `json:"phone,omitzero"`
}

// A Line is one dish, Quantity times.
type Line struct {
	SKU       string     `json:"sku,omitzero"`
	Name      string     `json:"name"`
	Category  string     `json:"category,omitzero"`
	Course    int        `json:"course,omitzero" minimum:"0" doc:"index into the configured courses"`
	Quantity  int        `json:"quantity" minimum:"1" maximum:"1000"`
	Price     *int64     `json:"price" minimum:"0" doc:"of one, in minor units"`
	Hold      bool       `json:"hold,omitzero" doc:"cook only when fired"`
	Notes     string     `json:"notes,omitzero"`
	Allergens []string   `json:"allergens,omitzero"`
	Modifiers []Modifier `json:"modifiers,omitzero"`
}

// A Modifier changes its line (or its parent modifier) and multiplies with it. Its quantity is a pointer so that 0, which
// somebody may mean as "without", is not taken for a quantity left out.
type Modifier struct {
	SKU       string     `json:"sku,omitzero"`
	Name      string     `json:"name"`
	Quantity  *int       `json:"quantity,omitzero" minimum:"1" maximum:"1000" doc:"absent means 1"`
	Price     int64      `json:"price,omitzero" minimum:"0" doc:"of one, in minor units"`
	Modifiers []Modifier `json:"modifiers,omitzero"`
}

// A Payment is money that was or will be taken by the source.
type Payment struct {
	Method string `json:"method" doc:"prepaid, cash, card or the source's own word"`
	Amount int64  `json:"amount" minimum:"0"`
}

// Complete fills what the contract lets a sender leave out, so that two ways to write one order are equal.
func (o *Order) Complete() {
	if o.Version == 0 {
		o.Version = 1
	}
	if o.Scheduling == "" {
		o.Scheduling = ASAP
	}
	if o.Service == "" {
		if o.Service = Pickup; o.Table != "" {
			o.Service = DineIn
		}
	}
	o.PlacedAt, o.ReadyAt = o.PlacedAt.UTC(), o.ReadyAt.UTC()
	o.Payments = orNone(o.Payments)
	for i := range o.Lines {
		l := &o.Lines[i]
		l.Allergens, l.Modifiers = orNone(l.Allergens), orNone(l.Modifiers)
		completeModifiers(l.Modifiers)
	}
}

func completeModifiers(ms []Modifier) {
	for i := range ms {
		m := &ms[i]
		if m.Quantity == nil {
			m.Quantity = new(1)
		}
		m.Modifiers = orNone(m.Modifiers)
		completeModifiers(m.Modifiers)
	}
}

// orNone makes an empty list the same as an absent one.
func orNone[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Count is the modifier's quantity.
func (m *Modifier) Count() int {
	if m.Quantity == nil {
		return 1
	}
	return *m.Quantity
}

// Total is what the lines and their modifiers cost, in minor units. A sum too large for its type is math.MaxInt64;
// Validate refuses orders far below that.
func (o *Order) Total() int64 {
	var sum int64
	for i := range o.Lines {
		sum = plus(sum, o.Lines[i].Total())
	}
	return sum
}

// Total is what the line costs with its modifiers, in minor units, bounded as the order's.
func (l *Line) Total() int64 {
	one := modifiersTotal(l.Modifiers)
	if l.Price != nil {
		one = plus(one, *l.Price)
	}
	return times(l.Quantity, one)
}

func modifiersTotal(ms []Modifier) int64 {
	var sum int64
	for i := range ms {
		sum = plus(sum, times(ms[i].Count(), plus(ms[i].Price, modifiersTotal(ms[i].Modifiers))))
	}
	return sum
}

// plus and times stop at math.MaxInt64 and math.MinInt64 instead of wrapping. Amounts of an order are not negative; what a till
// takes back of its check is.
func plus(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

func times(n int, amount int64) int64 {
	switch {
	case n > 0 && amount > math.MaxInt64/int64(n):
		return math.MaxInt64
	case n > 0 && amount < math.MinInt64/int64(n):
		return math.MinInt64
	}
	return int64(n) * amount
}

// Hash is the digest of the canonical JSON, by which "the same order" is decided.
func Hash(encoded []byte) [32]byte { return sha256.Sum256(encoded) }
