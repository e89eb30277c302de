package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// A reading is an aggregator's order as the house understands it.
type reading struct {
	order    *sale.Order
	unlinked []string // names of what the POS does not know
	unsure   []string // what fits no reading
	faults   []sale.Fault
}

// read makes a house's order of an aggregator's. What people wrote is made fit to be shown; what would change the order (a
// quantity, a price) is never touched: an order that cannot be taken as it is has faults.
func (s *Service) read(l *link, o *channel.Order, set *Settings) reading {
	r := reading{unsure: append([]string(nil), o.Unsure...)}
	out := &sale.Order{
		Source: l.Name, SourceOrderID: o.ID, Version: 1, PlacedAt: o.PlacedAt, Service: o.Service, Scheduling: sale.ASAP,
		Partner: sale.Partner{Name: words.Tidy(set.title(o), sale.MaxName), OrderID: words.Tidy(short(o), sale.MaxID)},
		Table:   words.Tidy(o.Table, sale.MaxID), Covers: min(max(o.Covers, 0), 1000),
		Customer: sale.Customer{Name: words.Tidy(o.Customer.Name, sale.MaxName), Phone: words.Tidy(phone(&o.Customer), sale.MaxID)},
		Notes:    words.Tidy(o.Note, sale.MaxNotes), AllergyNote: words.Tidy(o.AllergyNote, sale.MaxNotes), Currency: o.Currency,
	}
	if y := out.PlacedAt.Year(); y < sale.FirstYear || y > sale.LastYear {
		out.PlacedAt = time.Time{}
	}
	switch out.Service {
	case sale.Delivery, sale.Pickup, sale.DineIn:
	default:
		out.Service = sale.Delivery
	}
	ready := s.readyAt(o, set)
	if y := ready.Year(); !ready.IsZero() && (y < sale.FirstYear || y > sale.LastYear) {
		r.unsure, ready = append(r.unsure, "its time is "+ready.Format(time.RFC3339)), time.Time{}
	}
	out.ReadyAt = ready.Truncate(time.Microsecond)
	if o.Scheduled {
		if out.Scheduling = sale.FixedTime; ready.IsZero() {
			out.Scheduling = sale.ASAP
			r.unsure = append(r.unsure, s.words.T("delivery.no_time"))
		}
	}
	var found Resolution
	if s.c.Resolver != nil {
		found = s.c.Resolver.Resolve(l.Name, o)
		r.unlinked = found.Unlinked
	}
	at := 0
	part := func(id, sku string) (string, string) {
		own, category := sku, ""
		if at < len(found.POS) {
			own = found.POS[at]
		}
		if at < len(found.Category) {
			category = found.Category[at]
		}
		at++
		if own == "" {
			own = sku
		}
		return words.Tidy(own, sale.MaxID), category
	}
	var modifiers func([]channel.Modifier) []sale.Modifier
	modifiers = func(list []channel.Modifier) []sale.Modifier {
		var all []sale.Modifier
		for i := range list {
			m := &list[i]
			sku, _ := part(m.ID, m.SKU)
			all = append(all, sale.Modifier{SKU: sku, Name: named(m.Name, sku, m.ID), Quantity: &m.Quantity, Price: m.Price, Modifiers: modifiers(m.Modifiers)})
		}
		return all
	}
	for i := range o.Lines {
		line := &o.Lines[i]
		sku, category := part(line.ID, line.SKU)
		if category == "" {
			category = line.Category
		}
		out.Lines = append(out.Lines, sale.Line{SKU: sku, Name: named(line.Name, sku, line.ID), Category: words.Tidy(category, sale.MaxName), Quantity: line.Quantity,
			Price: &line.Price, Notes: words.Tidy(line.Note, sale.MaxNotes), Modifiers: modifiers(line.Modifiers)})
	}
	if len(o.Lines) == 0 {
		// The guest paid for something: the kitchen has to look at the marketplace's own tablet.
		price := max(o.Charges.Subtotal, 0)
		out.Lines = []sale.Line{{Name: s.words.T("delivery.no_items"), Quantity: 1, Price: &price}}
		r.unsure = append(r.unsure, s.words.T("delivery.no_items"))
	}
	for _, p := range o.Payments {
		method := "prepaid"
		if p.Collect {
			method = words.Tidy(p.Method, sale.MaxName)
			if method == "" {
				method = "collect"
			}
		}
		if p.Amount > 0 && len(out.Payments) < sale.MaxPayments {
			out.Payments = append(out.Payments, sale.Payment{Method: method, Amount: p.Amount})
		}
	}
	out.Complete()
	r.order, r.faults = out, out.Validate(s.c.Courses, s.c.Currency)
	return r
}

// readyAt is when an order is to stand at the pass: the pickup, else the estimated one, else the delivery less the way there
// (spec/delivery.md 4); zero when nobody says.
func (s *Service) readyAt(o *channel.Order, set *Settings) time.Time {
	switch {
	case !o.PickupAt.IsZero():
		return o.PickupAt
	case !o.EstimatedPickupAt.IsZero():
		return o.EstimatedPickupAt
	case !o.DeliverAt.IsZero():
		return o.DeliverAt.Add(-set.lead(o.Slug))
	}
	return time.Time{}
}

// short is the number that the courier says.
func short(o *channel.Order) string {
	if o.FriendlyID != "" {
		return o.FriendlyID
	}
	return o.ID
}

func phone(c *channel.Customer) string {
	if c.Phone == "" || c.Code == "" {
		return c.Phone
	}
	return c.Phone + " / " + c.Code
}

// named gives a nameless part the next best name.
func named(name string, others ...string) string {
	if name = words.Tidy(name, sale.MaxName); name != "" {
		return name
	}
	for _, o := range others {
		if o = words.Tidy(o, sale.MaxName); o != "" {
			return o
		}
	}
	return "?"
}

// fits tells whether a text can be held as it is.
func fits(s string, limit int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, words.Hidden)
}

// Reference is the name of an order in a POS: two letters of the marketplace, the number that the courier says, and eight digits
// of the key's hash, so that a person recognises it and nothing else has it; at most 40 characters (spec/delivery.md 9).
func Reference(o *channel.Order) string {
	sum := sha256.Sum256([]byte(o.Slug + "\x00" + o.ID))
	letters := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return -1
	}, o.Slug)
	number := strings.Map(func(c rune) rune {
		if c > ' ' && c < 0x7f {
			return c
		}
		return -1
	}, short(o))
	return fmt.Sprintf("%.2s-%.27s-%s", letters+"XX", number, hex.EncodeToString(sum[:4]))
}

// collect is what a guest has to pay, and how the rest was paid.
func collect(o *channel.Order) (due int64, method string) {
	for _, p := range o.Payments {
		if p.Collect {
			due += p.Amount
		}
		if method == "" {
			method = p.Method
		}
	}
	return due, method
}
