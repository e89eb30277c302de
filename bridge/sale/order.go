// Package sale holds what a guest ordered: the order with its lines, modifiers and payments, as the contract's
// JSON has it. Orders, kitchen tickets, checks and POS injections are made from these values, so they live in a leaf
// that knows none of them.
//
// A value says what was asked for, never what became of it: states belong to the features that keep them.
package sale

import (
	"crypto/sha256"
	"encoding/json"
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

// A Modifier changes its line (or its parent modifier) and multiplies with it.
type Modifier struct {
	SKU       string     `json:"sku,omitzero"`
	Name      string     `json:"name"`
	Quantity  int        `json:"quantity,omitzero" minimum:"1" maximum:"1000" doc:"absent means 1"`
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
	for i := range o.Lines {
		completeModifiers(o.Lines[i].Modifiers)
	}
}

func completeModifiers(ms []Modifier) {
	for i := range ms {
		if ms[i].Quantity == 0 {
			ms[i].Quantity = 1
		}
		completeModifiers(ms[i].Modifiers)
	}
}

// Total is what the lines and their modifiers cost, in minor units.
func (o *Order) Total() int64 {
	var sum int64
	for i := range o.Lines {
		sum += o.Lines[i].Total()
	}
	return sum
}

// Total is what the line costs with its modifiers, in minor units.
func (l *Line) Total() int64 {
	one := modifiersTotal(l.Modifiers)
	if l.Price != nil {
		one += *l.Price
	}
	return int64(l.Quantity) * one
}

func modifiersTotal(ms []Modifier) int64 {
	var sum int64
	for i := range ms {
		sum += int64(ms[i].Quantity) * (ms[i].Price + modifiersTotal(ms[i].Modifiers))
	}
	return sum
}

// Encode gives the order's canonical JSON: equal orders, completed, have equal bytes.
func (o *Order) Encode() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		// A value of these types always encodes: no channels, functions, cycles or NaN in them.
		panic(err)
	}
	return b
}

// Hash is the digest of the canonical JSON, by which "the same order" is decided.
func Hash(encoded []byte) [32]byte { return sha256.Sum256(encoded) }
