package sale

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Encode gives the canonical JSON of a completed order without faults: equal orders have equal bytes. They are those that
// encoding/json makes of the struct, and for ever: by them a repeated order is known.
func (o *Order) Encode() []byte {
	e := encoder{make([]byte, 0, 512+256*len(o.Lines))}
	e.order(o)
	return e.b
}

// An encoder appends values as encoding/json writes them. Every order is encoded within its answer's time, so that is done
// by hand.
type encoder struct{ b []byte }

func (e *encoder) order(o *Order) {
	e.member(`{"source":`, o.Source)
	e.member(`,"source_order_id":`, o.SourceOrderID)
	e.count(`,"version":`, o.Version)
	e.time(`,"placed_at":`, o.PlacedAt)
	e.text(`,"service":`, o.Service)
	e.text(`,"scheduling":`, o.Scheduling)
	e.time(`,"ready_at":`, o.ReadyAt)
	if o.Partner != (Partner{}) {
		e.pair(`,"partner":{`, `"name":`, o.Partner.Name, `"order_id":`, o.Partner.OrderID)
	}
	e.text(`,"table":`, o.Table)
	e.count(`,"covers":`, o.Covers)
	e.text(`,"staff":`, o.Staff)
	if o.Customer != (Customer{}) {
		e.pair(`,"customer":{`, `"name":`, o.Customer.Name, `"phone":`, o.Customer.Phone)
	}
	e.text(`,"notes":`, o.Notes)
	e.text(`,"allergy_note":`, o.AllergyNote)
	e.member(`,"currency":`, o.Currency)
	if e.add(`,"lines":`); o.Lines == nil {
		e.add(`null`)
	} else {
		e.add(`[`)
		for i := range o.Lines {
			e.comma(i)
			e.line(&o.Lines[i])
		}
		e.add(`]`)
	}
	if o.Payments != nil {
		e.add(`,"payments":[`)
		for i, p := range o.Payments {
			e.comma(i)
			e.member(`{"method":`, p.Method)
			e.number(`,"amount":`, p.Amount)
			e.add(`}`)
		}
		e.add(`]`)
	}
	e.add(`}`)
}

func (e *encoder) line(l *Line) {
	if l.SKU == "" {
		e.member(`{"name":`, l.Name)
	} else {
		e.member(`{"sku":`, l.SKU)
		e.member(`,"name":`, l.Name)
	}
	e.text(`,"category":`, l.Category)
	e.count(`,"course":`, l.Course)
	e.number(`,"quantity":`, int64(l.Quantity))
	if l.Price == nil {
		e.add(`,"price":null`)
	} else {
		e.number(`,"price":`, *l.Price)
	}
	if l.Hold {
		e.add(`,"hold":true`)
	}
	e.text(`,"notes":`, l.Notes)
	if l.Allergens != nil {
		e.add(`,"allergens":[`)
		for i, a := range l.Allergens {
			e.comma(i)
			e.b = appendString(e.b, a)
		}
		e.add(`]`)
	}
	e.modifiers(l.Modifiers)
	e.add(`}`)
}

func (e *encoder) modifiers(ms []Modifier) {
	if ms == nil {
		return
	}
	e.add(`,"modifiers":[`)
	for i := range ms {
		m := &ms[i]
		e.comma(i)
		if m.SKU == "" {
			e.member(`{"name":`, m.Name)
		} else {
			e.member(`{"sku":`, m.SKU)
			e.member(`,"name":`, m.Name)
		}
		if m.Quantity != nil {
			e.number(`,"quantity":`, int64(*m.Quantity))
		}
		if m.Price != 0 {
			e.number(`,"price":`, m.Price)
		}
		e.modifiers(m.Modifiers)
		e.add(`}`)
	}
	e.add(`]`)
}

func (e *encoder) add(s string) { e.b = append(e.b, s...) }

func (e *encoder) comma(i int) {
	if i > 0 {
		e.b = append(e.b, ',')
	}
}

// member writes a text that is always there; text, count and time leave out what is zero.
func (e *encoder) member(name, value string) { e.b = appendString(append(e.b, name...), value) }

func (e *encoder) text(name, value string) {
	if value != "" {
		e.member(name, value)
	}
}

func (e *encoder) number(name string, n int64) { e.b = strconv.AppendInt(append(e.b, name...), n, 10) }

func (e *encoder) count(name string, n int) {
	if n != 0 {
		e.number(name, int64(n))
	}
}

func (e *encoder) time(name string, t time.Time) {
	if !t.IsZero() {
		e.b = append(t.AppendFormat(append(append(e.b, name...), '"'), time.RFC3339Nano), '"')
	}
}

// pair writes an object of two texts.
func (e *encoder) pair(name, first, a, second, b string) {
	if e.add(name); a != "" {
		if e.member(first, a); b != "" {
			e.add(`,`)
		}
	}
	e.text(second, b)
	e.add(`}`)
}

// AppendMember appends the partner as a member of another object, name with its comma and colon; a zero one it leaves out. It
// writes as package json of go-json-experiment does, which leaves <, > and & as they are.
func (p Partner) AppendMember(b []byte, name string) []byte {
	if p == (Partner{}) {
		return b
	}
	b = append(append(b, name...), '{')
	if p.Name != "" {
		b, _ = jsontext.AppendQuote(append(b, `"name":`...), p.Name)
	}
	if p.OrderID != "" {
		if p.Name != "" {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(append(b, `"order_id":`...), p.OrderID)
	}
	return append(b, '}')
}

// appendString quotes s. Text that needs no escape, nearly all, is copied.
func appendString(b []byte, s string) []byte {
	if !plain(s) {
		quoted, _ := json.Marshal(s) // a string always encodes
		return append(b, quoted...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain tells that encoding/json writes s as it is.
func plain(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += n
	}
	return true
}
