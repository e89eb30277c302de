package folio

import (
	"cmp"
	"slices"

	"aboyeur/bridge/money"
)

// Names of the parts that a total is made of, as the revenue table stores them.
const (
	Subtotal     = "subtotal"
	partTax      = "tax"
	partDiscount = "discount"
	partService  = "service_charge"
)

// A Part is one amount of a sale, in minor units; the tip is none.
type Part struct {
	Part   string `json:"part"` // subtotal, tax, discount, service_charge
	Group  string `json:"group,omitzero"`
	Amount int64  `json:"amount"`
}

type partKey struct{ part, group string }

// tally adds parts up by what they are.
type tally map[partKey]int64

func (t tally) add(parts []Part, sign int64) {
	for _, p := range parts {
		t[partKey{p.Part, p.Group}] += sign * p.Amount
	}
}

// list gives what is not zero, in a fixed order.
func (t tally) list() []Part {
	var list []Part
	for k, n := range t {
		if n != 0 {
			list = append(list, Part{k.part, k.group, n})
		}
	}
	slices.SortFunc(list, func(a, b Part) int {
		return cmp.Or(cmp.Compare(rank(a.Part), rank(b.Part)), cmp.Compare(a.Group, b.Group))
	})
	return list
}

func rank(part string) int {
	return slices.Index([]string{Subtotal, partTax, partDiscount, partService}, part)
}

func total(parts []Part) int64 {
	var sum int64
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

// parts is the request without its tip.
func (r *Request) parts() []Part {
	var list []Part
	add := func(part string, items []Item) {
		for _, i := range items {
			list = append(list, Part{part, i.Group, i.Amount})
		}
	}
	add(Subtotal, r.Subtotals)
	add(partTax, r.Taxes)
	add(partDiscount, r.Discounts)
	if r.ServiceCharge != 0 {
		list = append(list, Part{partService, "", r.ServiceCharge})
	}
	return list
}

// setParts makes parts the request's own.
func (r *Request) setParts(parts []Part) {
	r.Subtotals, r.Taxes, r.Discounts, r.ServiceCharge = nil, nil, nil, 0
	for _, p := range parts {
		item := Item{p.Group, p.Amount}
		switch p.Part {
		case Subtotal:
			r.Subtotals = append(r.Subtotals, item)
		case partTax:
			r.Taxes = append(r.Taxes, item)
		case partDiscount:
			r.Discounts = append(r.Discounts, item)
		case partService:
			r.ServiceCharge += p.Amount
		}
	}
}

// share takes amount out of parts, in proportion and to the cent: what comes back adds up to amount and, as long as
// amount lies between zero and the sum, leaves no part below nothing.
func share(amount int64, parts []Part) []Part {
	if len(parts) == 0 {
		if amount == 0 {
			return nil
		}
		return []Part{{Subtotal, "", amount}}
	}
	amounts := make([]int64, len(parts))
	for i, p := range parts {
		amounts[i] = p.Amount
	}
	var list []Part
	for i, n := range money.Split(amount, amounts) {
		if n != 0 {
			list = append(list, Part{parts[i].Part, parts[i].Group, n})
		}
	}
	return list
}

// carry takes off t what a posting carried. Parts that t has not, or not that much of, are taken in proportion of what is
// left: a till that knew only the total still paid for what was sold.
func (t tally) carry(parts []Part) {
	for _, p := range parts {
		left := t[partKey{p.Part, p.Group}]
		if p.Amount > 0 && left < p.Amount || p.Amount < 0 && left > p.Amount {
			t.add(share(total(parts), t.list()), -1)
			return
		}
	}
	t.add(parts, -1)
}

// reverse gives the parts with the other sign.
func reverse(parts []Part) []Part {
	list := slices.Clone(parts)
	for i := range list {
		list[i].Amount = -list[i].Amount
	}
	return list
}

// Rule assigns sales to a subtotal of the hotel; Any fits everything. The first rule that fits holds.
type Rule struct {
	Outlet    string `json:"outlet"`
	POSConfig string `json:"pos_config"`
	FloorPlan string `json:"floor_plan"`
	Group     string `json:"group"`
	Period    string `json:"period" enum:"any,04-11,11-14,14-18,18-04"`
	Subtotal  int    `json:"subtotal" minimum:"1" maximum:"16"`
}

// Any in a rule fits whatever it is.
const Any = "any"

// place is what rules look at.
type place struct {
	outlet, posConfig, floorPlan string
	period                       int
}

// subtotalOf finds the subtotal of a group; ok is false when no rule fits.
func subtotalOf(rules []Rule, at place, group string) (n int, ok bool) {
	fits := func(rule, value string) bool { return rule == Any || rule == "" || rule == value }
	for _, r := range rules {
		if fits(r.Outlet, at.outlet) && fits(r.POSConfig, at.posConfig) && fits(r.FloorPlan, at.floorPlan) &&
			fits(r.Group, group) && fits(r.Period, PeriodName(at.period)) {
			return r.Subtotal, true
		}
	}
	return 0, false
}
