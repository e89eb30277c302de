package sale

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Read fills o, which is zero, with an order whose JSON is plainly right: members that are known, each once, each of its
// type. It reads in one pass and asks for no types. false says no more than that the strict decoder has to look: the text may be
// wrong, which only that can explain, or only unusual, as with null or 1e3; o is zero then. What Read takes is the very order
// that the decoder gives. o's texts share one copy of data.
func (o *Order) Read(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	r := reader{text: string(data)}
	r.order(o)
	if r.space(); r.failed || r.at != len(r.text) {
		*o = Order{}
		return false
	}
	return true
}

// A reader stands at a place of a JSON text. Once it failed it reads nothing more.
type reader struct {
	text   string
	at     int
	failed bool
}

func (r *reader) order(o *Order) {
	var seen uint
	for name, more := r.first(); more; name, more = r.next() {
		var member uint
		switch name {
		case "source":
			member, o.Source = 1<<0, r.string()
		case "source_order_id":
			member, o.SourceOrderID = 1<<1, r.string()
		case "version":
			member, o.Version = 1<<2, r.int()
		case "placed_at":
			member, o.PlacedAt = 1<<3, r.time()
		case "service":
			member, o.Service = 1<<4, r.string()
		case "scheduling":
			member, o.Scheduling = 1<<5, r.string()
		case "ready_at":
			member, o.ReadyAt = 1<<6, r.time()
		case "partner":
			member, o.Partner.Name, o.Partner.OrderID = r.pair(1<<7, "name", "order_id")
		case "table":
			member, o.Table = 1<<8, r.string()
		case "covers":
			member, o.Covers = 1<<9, r.int()
		case "staff":
			member, o.Staff = 1<<10, r.string()
		case "customer":
			member, o.Customer.Name, o.Customer.Phone = r.pair(1<<11, "name", "phone")
		case "notes":
			member, o.Notes = 1<<12, r.string()
		case "allergy_note":
			member, o.AllergyNote = 1<<13, r.string()
		case "currency":
			member, o.Currency = 1<<14, r.string()
		case "lines":
			member, o.Lines = 1<<15, r.lines()
		case "payments":
			member, o.Payments = 1<<16, r.payments()
		}
		r.once(&seen, member)
	}
}

func (r *reader) lines() []Line {
	list := make([]Line, 0, 4)
	for more := r.begin('['); more; more = r.goOn(']') {
		list = append(list, Line{})
		r.line(&list[len(list)-1])
	}
	return list
}

func (r *reader) line(l *Line) {
	var seen uint
	for name, more := r.first(); more; name, more = r.next() {
		var member uint
		switch name {
		case "sku":
			member, l.SKU = 1<<0, r.string()
		case "name":
			member, l.Name = 1<<1, r.string()
		case "category":
			member, l.Category = 1<<2, r.string()
		case "course":
			member, l.Course = 1<<3, r.int()
		case "quantity":
			member, l.Quantity = 1<<4, r.int()
		case "price":
			member, l.Price = 1<<5, new(r.number())
		case "hold":
			member, l.Hold = 1<<6, r.bool()
		case "notes":
			member, l.Notes = 1<<7, r.string()
		case "allergens":
			member, l.Allergens = 1<<8, r.strings()
		case "modifiers":
			member, l.Modifiers = 1<<9, r.modifiers(1)
		}
		r.once(&seen, member)
	}
}

func (r *reader) modifiers(level int) []Modifier {
	if level > MaxModifierLevels {
		r.failed = true
		return nil
	}
	list := make([]Modifier, 0, 2)
	for more := r.begin('['); more; more = r.goOn(']') {
		list = append(list, Modifier{})
		m := &list[len(list)-1]
		var seen uint
		for name, more := r.first(); more; name, more = r.next() {
			var member uint
			switch name {
			case "sku":
				member, m.SKU = 1<<0, r.string()
			case "name":
				member, m.Name = 1<<1, r.string()
			case "quantity":
				member, m.Quantity = 1<<2, new(r.int())
			case "price":
				member, m.Price = 1<<3, r.number()
			case "modifiers":
				member, m.Modifiers = 1<<4, r.modifiers(level+1)
			}
			r.once(&seen, member)
		}
	}
	return list
}

func (r *reader) payments() []Payment {
	list := make([]Payment, 0, 1)
	for more := r.begin('['); more; more = r.goOn(']') {
		var p Payment
		var seen uint
		for name, more := r.first(); more; name, more = r.next() {
			var member uint
			switch name {
			case "method":
				member, p.Method = 1<<0, r.string()
			case "amount":
				member, p.Amount = 1<<1, r.number()
			}
			r.once(&seen, member)
		}
		list = append(list, p)
	}
	return list
}

func (r *reader) strings() []string {
	list := make([]string, 0, 2)
	for more := r.begin('['); more; more = r.goOn(']') {
		list = append(list, r.string())
	}
	return list
}

// pair reads an object of two texts. It gives back which member of its parent it is.
func (r *reader) pair(member uint, first, second string) (_ uint, a, b string) {
	var seen uint
	for name, more := r.first(); more; name, more = r.next() {
		switch name {
		case first:
			a = r.string()
			r.once(&seen, 1<<0)
		case second:
			b = r.string()
			r.once(&seen, 1<<1)
		default:
			r.failed = true
		}
	}
	return member, a, b
}

// once notes that an object's member was read; 0 is one that nobody knows.
func (r *reader) once(seen *uint, member uint) {
	if member == 0 || *seen&member != 0 {
		r.failed = true
	}
	*seen |= member
}

// first begins an object and gives the name of its first member, up to the colon.
func (r *reader) first() (name string, more bool) {
	if !r.begin('{') {
		return "", false
	}
	return r.name(), true
}

// next gives the name of a further member.
func (r *reader) next() (name string, more bool) {
	if !r.goOn('}') {
		return "", false
	}
	return r.name(), true
}

func (r *reader) name() string {
	name := r.string()
	r.space()
	r.take(':')
	return name
}

// begin takes the bracket that opens an object or a list; false when it is empty.
func (r *reader) begin(bracket byte) bool {
	r.space()
	r.take(bracket)
	r.space()
	const toClosing = '}' - '{' // as far as from [ to ]
	if r.peek() == bracket+toClosing {
		r.at++
		return false
	}
	return !r.failed
}

// goOn takes the comma before a further member or value; false at the end, which it takes.
func (r *reader) goOn(closing byte) bool {
	r.space()
	if r.peek() == ',' {
		r.at++
		return !r.failed
	}
	r.take(closing)
	return false
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\n', '\t', '\r':
			r.at++
		default:
			return
		}
	}
}

// peek is the next character, 0 at the end, which no JSON text has between its values.
func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) take(c byte) {
	if r.peek() != c {
		r.failed = true
		return
	}
	r.at++
}

func (r *reader) string() string {
	r.space()
	r.take('"')
	if r.failed {
		return ""
	}
	start, escaped := r.at, false
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			if !escaped {
				return r.text[start : r.at-1]
			}
			s, err := jsontext.AppendUnquote(nil, r.text[start-1:r.at])
			r.failed = err != nil
			return string(s)
		case c == '\\':
			escaped = true
			r.at++ // what follows is part of it, be it a quotation mark
		case c < ' ':
			r.failed = true
			return ""
		}
	}
	r.failed = true
	return ""
}

// number reads digits; whatever else can be a number is left to the decoder.
func (r *reader) number() int64 {
	r.space()
	start := r.at
	var n int64
	for ; r.at < len(r.text) && r.text[r.at]-'0' < 10; r.at++ {
		n = 10*n + int64(r.text[r.at]-'0')
	}
	const most = 18 // digits that an int64 surely holds
	digits := r.at - start
	if digits == 0 || digits > most || digits > 1 && r.text[start] == '0' {
		r.failed = true
	}
	return n // whatever follows must be a comma or a bracket
}

func (r *reader) int() int {
	n := r.number()
	if strconv.IntSize < 64 && int64(int(n)) != n {
		r.failed = true
	}
	return int(n)
}

func (r *reader) bool() bool {
	r.space()
	for _, word := range [...]string{"true", "false"} {
		if end := r.at + len(word); end <= len(r.text) && r.text[r.at:end] == word {
			r.at = end
			return word == "true"
		}
	}
	r.failed = true
	return false
}

// time reads an RFC 3339 time of UTC; zones are left to the decoder, which knows their limits.
func (r *reader) time() (t time.Time) {
	s := r.string()
	const seconds = "2006-01-02T15:04:05"
	if len(s) <= len(seconds) || s[len("2006-01-02T15")] != ':' || s[len(seconds)] == ',' || s[len(s)-1] != 'Z' || t.UnmarshalText([]byte(s)) != nil {
		r.failed = true
	}
	return t
}
