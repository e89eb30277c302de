package pos

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"aboyeur/bridge/sale"
)

// maxNote bounds what is told of an order in words, in characters.
const maxNote = 800

// Terms are what an order needs to stand at the till, besides what it says itself.
type Terms struct {
	Reference string
	POS       []string // the till's item of each line and, after it, of each of its modifiers, "" for none; nil: their SKUs are the till's
	OpenItems bool     // a line that the till does not know goes in on OpenItem, under its own name
	OpenItem  string   // the till's item for that; "": there is none
	Fees      []Fee
	Discount  Discount // that the restaurant bears
	Method    string   // the till's, of what was paid at the partner; "": it stays open
	Tip       int64    // the restaurant's own
	Address   string
	Profile   string
	Staff     string
	Allergy   string // the word that stands before allergies
}

// Fee is a charge that stands on the check as an item of its own.
type Fee struct {
	SKU    string
	Name   string
	Amount int64
}

// Compose makes of an order what the till gets. unlinked names lines and modifiers that the till does not know and that stand
// in no other way either; what a modifier costs is never lost: without an item of its own it is in its line's price.
func Compose(o *sale.Order, t Terms) (order Order, unlinked []string) {
	order = Order{
		Opening:  Opening{Reference: t.Reference, Table: o.Table, Covers: o.Covers, Guest: o.Customer.Name, Profile: t.Profile, Staff: t.Staff},
		Delivery: o.Service == sale.Delivery, Partner: o.Partner.Name, Short: o.Partner.OrderID, Phone: o.Customer.Phone, Address: t.Address,
		CollectAt: o.ReadyAt, PlacedAt: o.PlacedAt, Discount: t.Discount, Method: t.Method, Tip: t.Tip,
	}
	if o.Service != sale.DineIn {
		order.Table = ""
	}
	notes := o.Notes
	if o.AllergyNote != "" {
		notes = strings.TrimSuffix(strings.TrimSpace(t.Allergy+" "+o.AllergyNote)+" | "+notes, " | ")
	}
	order.Notes = short(notes, maxNote)
	at := 0
	item := func(sku string) string {
		if t.POS == nil {
			return sku
		}
		if at++; at > len(t.POS) {
			return ""
		}
		return t.POS[at-1]
	}
	var modifiers func(all []sale.Modifier) (out []Modifier, lost int64)
	modifiers = func(all []sale.Modifier) (out []Modifier, lost int64) {
		for i := range all {
			m := &all[i]
			x := Modifier{SKU: item(m.SKU), Name: m.Name, Quantity: m.Count(), Price: m.Price}
			var below int64
			x.Modifiers, below = modifiers(m.Modifiers)
			if x.SKU == "" {
				if t.POS != nil && !t.OpenItems {
					unlinked = append(unlinked, m.Name)
				}
				lost += int64(x.Quantity) * (x.Price + below)
				x.Price = 0
			} else {
				x.Price += below
			}
			out = append(out, x)
		}
		return out, lost
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		x := Line{SKU: item(l.SKU), Name: l.Name, Quantity: l.Quantity, Course: l.Course, Notes: short(l.Notes, maxNote)}
		if l.Price != nil {
			x.Price = *l.Price
		}
		if x.SKU == "" {
			if t.OpenItems && t.OpenItem != "" {
				x.SKU = t.OpenItem
				x.Notes = strings.TrimSuffix(l.Name+": "+x.Notes, ": ")
			} else {
				unlinked = append(unlinked, l.Name)
			}
		}
		var lost int64
		x.Modifiers, lost = modifiers(l.Modifiers)
		x.Price += lost
		order.Lines = append(order.Lines, x)
	}
	for _, f := range t.Fees {
		if f.SKU != "" && f.Amount > 0 {
			order.Lines = append(order.Lines, Line{SKU: f.SKU, Name: f.Name, Quantity: 1, Price: f.Amount})
		}
	}
	for i := range order.Lines {
		order.Total += order.Lines[i].each() * int64(order.Lines[i].Quantity)
	}
	if order.Discount.Amount = min(order.Discount.Amount, order.Total); order.Discount.Code != "" {
		order.Total -= order.Discount.Amount
	}
	if order.Method != "" {
		order.Paid = order.Total
	}
	return order, unlinked
}

// short cuts a text to so many characters.
func short(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == limit {
			return fmt.Sprintf("%s…", text[:i])
		}
	}
	return text
}
