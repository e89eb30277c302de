package sale

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of an order (contract section 4; those the contract leaves open are ours and far above any kitchen's need).
const (
	MaxLines          = 500
	MaxModifierLevels = 5
	MaxQuantity       = 1000
	MaxModifiers      = 200     // beside one another under one parent
	MaxName           = 200     // characters of a dish, a modifier, a person
	MaxNotes          = 2000    // characters of a note
	MaxID             = 120     // characters of an id, a code, a table
	MaxAllergens      = 30      // of one line
	MaxPayments       = 50      // of one order
	MaxAmount         = 1 << 40 // minor units of one price or payment: beyond it is a slip of a pen
	MaxTotal          = 1 << 50 // minor units of a line with its modifiers, and of an order: exact in every JSON reader
	FirstYear         = 2000    // of a time
	LastYear          = 2199
)

// A Fault is one thing wrong with an order: a JSON pointer and what to write instead.
type Fault struct {
	Pointer string
	Detail  string
}

// Validate lists every fault of a completed order in the order of its members; none means it can be taken. courses
// is how many courses the restaurant has, currency the one it sells in ("" takes any).
func (o *Order) Validate(courses int, currency string) []Fault {
	v := validator{courses: courses}
	v.id(nil, "/source", o.Source, true)
	v.id(nil, "/source_order_id", o.SourceOrderID, true)
	if o.Version < 1 {
		v.add(nil, "/version", "is %d; write 1 or more", o.Version)
	}
	v.time(nil, "/placed_at", o.PlacedAt)
	v.oneOf(nil, "/service", o.Service, Delivery, Pickup, DineIn)
	v.oneOf(nil, "/scheduling", o.Scheduling, ASAP, FixedTime)
	if o.Scheduling == FixedTime && o.ReadyAt.IsZero() {
		v.add(nil, "/ready_at", "is missing; an order with scheduling fixed_time needs the time it is to be ready")
	}
	v.time(nil, "/ready_at", o.ReadyAt)
	v.text(nil, "/partner/name", o.Partner.Name, MaxName)
	v.id(nil, "/partner/order_id", o.Partner.OrderID, false)
	v.id(nil, "/table", o.Table, false)
	v.between(nil, "/covers", o.Covers, 0, 1000)
	v.text(nil, "/staff", o.Staff, MaxName)
	v.text(nil, "/customer/name", o.Customer.Name, MaxName)
	v.text(nil, "/customer/phone", o.Customer.Phone, MaxID)
	v.text(nil, "/notes", o.Notes, MaxNotes)
	v.text(nil, "/allergy_note", o.AllergyNote, MaxNotes)
	switch {
	case !isCurrency(o.Currency):
		v.add(nil, "/currency", "is %q; write an ISO 4217 code such as EUR", clip(o.Currency))
	case currency != "" && o.Currency != currency:
		v.add(nil, "/currency", "is %s, but this restaurant sells in %s", o.Currency, currency)
	}
	switch n := len(o.Lines); {
	case n == 0:
		v.add(nil, "/lines", "is empty; an order has at least one line")
	case n > MaxLines:
		v.add(nil, "/lines", "has %d lines; the limit is %d", n, MaxLines)
	default:
		for i := range o.Lines {
			v.line(&place{nil, "/lines", i}, &o.Lines[i])
		}
		if total := o.Total(); total > MaxTotal && len(v.faults) == 0 {
			v.add(nil, "/lines", "cost more than %d minor units together; look for a price or quantity that is too large", int64(MaxTotal))
		}
	}
	if n := len(o.Payments); n > MaxPayments {
		v.add(nil, "/payments", "has %d payments; the limit is %d", n, MaxPayments)
	} else {
		for i, p := range o.Payments {
			at := place{nil, "/payments", i}
			v.id(&at, "/method", p.Method, true)
			v.amount(&at, "/amount", p.Amount)
		}
	}
	return v.faults
}

type validator struct {
	courses int
	faults  []Fault
}

// A place is the entry of a list, itself within another; nil is the order. It is put into words only when there is a fault.
type place struct {
	in   *place
	list string // "/lines"
	n    int
}

func (p *place) pointer() string {
	if p == nil {
		return ""
	}
	return p.in.pointer() + p.list + "/" + strconv.Itoa(p.n)
}

func (v *validator) add(at *place, member, format string, args ...any) {
	v.faults = append(v.faults, Fault{at.pointer() + member, fmt.Sprintf(format, args...)})
}

func (v *validator) line(at *place, l *Line) {
	before := len(v.faults)
	v.id(at, "/sku", l.SKU, false)
	v.name(at, "/name", l.Name)
	v.text(at, "/category", l.Category, MaxName)
	// A restaurant that names no course has one.
	if last := max(v.courses-1, 0); l.Course < 0 || l.Course > last {
		v.add(at, "/course", "is %d; the courses here are 0 to %d", l.Course, last)
	}
	v.between(at, "/quantity", l.Quantity, 1, MaxQuantity)
	if l.Price == nil {
		v.add(at, "/price", "is missing; write the price of one in minor units, 0 when it is free")
	} else {
		v.amount(at, "/price", *l.Price)
	}
	v.text(at, "/notes", l.Notes, MaxNotes)
	if n := len(l.Allergens); n > MaxAllergens {
		v.add(at, "/allergens", "has %d entries; the limit is %d", n, MaxAllergens)
	} else {
		for i, a := range l.Allergens {
			v.name(&place{at, "/allergens", i}, "", a)
		}
	}
	v.modifiers(at, l.Modifiers, 1)
	if len(v.faults) == before && l.Total() > MaxTotal {
		v.add(at, "", "costs more than %d minor units with its modifiers; look for a price or quantity that is too large", int64(MaxTotal))
	}
}

func (v *validator) modifiers(at *place, ms []Modifier, level int) {
	if len(ms) == 0 {
		return
	}
	if level > MaxModifierLevels {
		v.add(at, "/modifiers", "is level %d; modifiers nest at most %d levels", level, MaxModifierLevels)
		return
	}
	if n := len(ms); n > MaxModifiers {
		v.add(at, "/modifiers", "has %d entries; the limit is %d", n, MaxModifiers)
		return
	}
	for i := range ms {
		m, mat := &ms[i], &place{at, "/modifiers", i}
		v.id(mat, "/sku", m.SKU, false)
		v.name(mat, "/name", m.Name)
		v.between(mat, "/quantity", m.Count(), 1, MaxQuantity)
		v.amount(mat, "/price", m.Price)
		v.modifiers(mat, m.Modifiers, level+1)
	}
}

func (v *validator) between(at *place, member string, n, low, high int) {
	if n < low || n > high {
		v.add(at, member, "is %d; write a whole number from %d to %d", n, low, high)
	}
}

func (v *validator) amount(at *place, member string, n int64) {
	if n < 0 || n > MaxAmount {
		v.add(at, member, "is %d; write minor units from 0 to %d", n, int64(MaxAmount))
	}
}

// time refuses years that no clock of a restaurant shows and that JSON may not be able to write; the zero time is absent.
func (v *validator) time(at *place, member string, t time.Time) {
	if !t.IsZero() && (t.Year() < FirstYear || t.Year() > LastYear) {
		v.add(at, member, "is in the year %d; write a time from %d to %d, as in 2026-11-21T19:04:05Z", t.Year(), FirstYear, LastYear)
	}
}

func (v *validator) oneOf(at *place, member, s string, allowed ...string) {
	for _, a := range allowed {
		if s == a {
			return
		}
	}
	v.add(at, member, "is %q; write one of %s", clip(s), strings.Join(allowed, ", "))
}

// name is text that must say something.
func (v *validator) name(at *place, member, s string) {
	if strings.TrimSpace(s) == "" {
		v.add(at, member, "is empty; write the name as it should be read")
		return
	}
	v.text(at, member, s, MaxName)
}

func (v *validator) text(at *place, member, s string, limit int) {
	// Bytes bound characters from above, so short text, nearly all of it, is not counted twice.
	if len(s) > limit {
		if n := utf8.RuneCountInString(s); n > limit {
			v.add(at, member, "has %d characters; the limit is %d", n, limit)
		}
	}
}

// id is a word that machines compare: no control characters, not too long.
func (v *validator) id(at *place, member, s string, required bool) {
	if s == "" {
		if required {
			v.add(at, member, "is missing")
		}
		return
	}
	v.text(at, member, s, MaxID)
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			v.add(at, member, "has a control character; write it without")
			return
		}
	}
}

func isCurrency(s string) bool {
	return len(s) == 3 && s[0]-'A' < 26 && s[1]-'A' < 26 && s[2]-'A' < 26
}

// clip keeps a quoted value short enough for a message.
func clip(s string) string {
	const most = 40 // bytes
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
